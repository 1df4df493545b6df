"""Say in one sentence what this Python lacks to make the book's environment.

Runs on any Python, old ones too: keep the syntax plain.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "make: the book needs Python 3.11 or newer and this is %d.%d:"
        " name a newer one with `make PYTHON=python3.12 book`." % sys.version_info[:2]
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit(
        "make: this Python cannot make virtual environments:"
        " install its venv module (on Debian and Ubuntu: `sudo apt install python3-venv`)."
    )
