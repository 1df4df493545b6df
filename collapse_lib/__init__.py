"""Simulators, closed forms and figures behind *Model Collapse from First Principles*.

Import the package whose chapter you are reading, for example ``from collapse_lib import words``.
Importing this one imports neither torch nor matplotlib.

Everywhere: an argument that cannot be used raises a ValueError that names the argument, its
value and what is allowed. ``rng`` is an int, a `numpy.random.Generator`, or None for fresh
entropy. Where one number or an array of them is taken, the result has the broadcast shape.
"""

__version__ = "0.1.0"
