"""What many formulas have in common; each test file lists the formulas of its own module.

A helper takes rows and returns what ``pytest.mark.parametrize("check", …)`` asks for. The test
calls ``check()``.
"""

from functools import partial

import numpy as np
import pytest


def least_values(*rows):
    """Each formula is defined from the least value its docstring allows, not at the next below.

    A row: the function, valid arguments, and the least value of each argument that has one. It is
    where a mean begins to exist (two more rows than features and one), or where there is something
    to speak of (one word, one row, two draws).
    """

    def check(function, name, least):
        function(**{name: least})
        with pytest.raises(ValueError, match=rf"\b{name}\b"):
            function(**{name: least - 1})

    return [
        pytest.param(
            partial(check, partial(function, **given), name, least),
            id=f"{function.__name__}: {name}",
        )
        for function, given, least_of in rows
        for name, least in least_of.items()
    ]


def squared_unit(*rows):
    """Labels measured in another unit: each risk is multiplied by the square of the factor.

    A risk is a squared error, so that noise, truth and tolerance in a unit a third as large, three
    times the number, make it nine times the number. A row: the function, arguments without a unit,
    arguments in the unit, and arguments in its square.
    """

    def check(function, given, unit, square):
        once = np.asarray(function(**given, **_scaled(unit, 1.0), **_scaled(square, 1.0)))
        again = function(**given, **_scaled(unit, 3.0), **_scaled(square, 9.0))
        assert (once > 0).any()
        np.testing.assert_allclose(again, 9 * once, rtol=1e-12)

    return [pytest.param(partial(check, *row), id=row[0].__name__) for row in rows]


def unitless(*rows):
    """Labels measured in another unit: a share or a penalty stays what it is.

    A row: the function, arguments without a unit, and arguments in the unit.
    """

    def check(function, given, unit):
        found = function(**given, **_scaled(unit, 3.0))
        np.testing.assert_allclose(found, function(**given, **unit), rtol=1e-6)

    return [pytest.param(partial(check, *row), id=row[0].__name__) for row in rows]


def _scaled(arguments, factor):
    return {name: factor * np.asarray(value) for name, value in arguments.items()}
