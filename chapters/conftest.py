"""How nbval compares the claims in a stored output with those of a new run.

nbval sanitises text with the patterns of ``tests/nbval_sanitize.cfg``. The records of claims,
``application/vnd.collapse.claims+json``, are a list, which it would compare as it is. Here
they are compared field by field, apart from what varies with the machine (with the text that
ships with its Python, with the rounding of trained networks): the numbers of a record with
``"varies": true``, and what stands between ⟦ and ⟧. Numbers are compared to one part in a
million: the last of sixteen digits may differ between machines, and with it where a number that
ends in five is rounded to.
"""

import math

from nbval.plugin import IPyNbCell

sanitize_text = IPyNbCell.sanitize


def sanitize(cell, value):
    """Return what nbval compares: of a text, of a list of records, or of one of their fields."""
    if isinstance(value, list):
        return [sanitize(cell, item) for item in value]
    if isinstance(value, dict):
        if value.get("varies"):
            value = without_numbers(value)
        return {key: sanitize(cell, item) for key, item in value.items()}
    if isinstance(value, float):
        return Close(value)
    return sanitize_text(cell, value)


class Close(float):
    """A number that equals every other within one part in a million.

    >>> Close(0.10057050000000001) == Close(0.1005705), Close(1.0) == Close(1.00001)
    (True, False)
    """

    __hash__ = None

    def __eq__(self, other):
        return math.isclose(self, other, rel_tol=1e-6)

    def __ne__(self, other):
        return not self == other


def without_numbers(value):
    """Return the value with every number in it, at any depth, replaced by None."""
    if isinstance(value, dict):
        return {key: without_numbers(item) for key, item in value.items()}
    return None if isinstance(value, (int, float)) else value


IPyNbCell.sanitize = sanitize
