"""Simulators, closed forms and figures behind *Model Collapse from First Principles*.

One module a subject; import the one whose chapter you are reading, for example
``from collapse_lib import loop, categorical``. Importing this package imports
neither torch nor matplotlib.
"""

__version__ = "0.1.0"
