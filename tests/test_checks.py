"""Each check passes what is allowed, and names the argument, the value and what is allowed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.checks import (
    array,
    as_generator,
    ddof,
    one_of,
    probabilities,
    probability,
    weights,
    whole_number,
)

nan, inf = float("nan"), float("inf")
junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.complex_numbers(),
    st.lists(st.floats(), max_size=3), st.dictionaries(st.integers(), st.none(), max_size=1),
)  # fmt: skip


@pytest.mark.parametrize("rng", [0, 7, np.int64(7), np.uint8(7), None])
def test_seeds_make_generators(rng):
    assert isinstance(as_generator(rng), np.random.Generator)


def test_a_generator_is_passed_on_and_a_seed_repeats():
    rng = np.random.default_rng(1)
    assert as_generator(rng) is rng
    assert as_generator(3).integers(2**60) == np.random.default_rng(3).integers(2**60)


BAD_RNG = [-1, 1.0, True, False, np.True_, "7", [1], nan, np.random.RandomState(1), np.random]


@pytest.mark.parametrize("rng", BAD_RNG, ids=lambda rng: type(rng).__name__)
def test_everything_else_is_no_rng(rng):
    with pytest.raises(ValueError) as error:
        as_generator(rng)
    message = "rng must be a non-negative int, a numpy.random.Generator or None, got "
    assert str(error.value) == message + repr(rng)


@pytest.mark.parametrize("value", [2, 2.0, np.int8(2), np.float32(2), np.array(2), 10**30])
def test_whole_numbers(value):
    number = whole_number("n", value, minimum=2)
    assert type(number) is int and number == value


@pytest.mark.parametrize(
    "value", [1, 2.5, -3, nan, inf, "2", None, True, np.True_, 2j, [2, 3], np.array([2, 3]), {}]
)
def test_what_is_no_whole_number(value):
    with pytest.raises(ValueError, match="n must be a whole number, at least 2, got ") as error:
        whole_number("n", value, minimum=2)
    assert repr(value) in str(error.value)


@given(junk, st.integers(-3, 3))
def test_whole_number_is_one_or_refuses(value, minimum):
    try:
        number = whole_number("n", value, minimum=minimum)
    except ValueError:
        return
    assert number == value and number >= minimum


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "must be a non-empty array with 1 axis, got shape (0,)"),
        (3.0, "must be a non-empty array with 1 axis, got shape ()"),
        ([[1, 2]], "must be a non-empty array with 1 axis, got shape (1, 2)"),
        ([[1], [2, 3]], "must be numbers, got [[1], [2, 3]]"),
        (["a"], "must be numbers, got ['a']"),
        ([1, nan], "must be finite, got nan"),
        ([inf, 1], "must be finite, got inf"),
        ([1, 2, -1e-300], "must be at least 0, got w[2] = -1e-300"),
        ([0, 0.0], "must have a positive sum, got all zeros"),
        ([1e308, 1e308], "must have a finite sum, got inf"),
    ],
)
def test_what_is_no_weights(values, message):
    with pytest.raises(ValueError) as error:
        weights("w", values)
    assert str(error.value) == f"w {message}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "must be a non-empty array with 1 axis, got shape (0,)"),
        ([[1, 2]], "must be a non-empty array with 1 axis, got shape (1, 2)"),
        ("ab", "must be numbers, got 'ab'"),
        ([1, nan], "must be finite, got nan"),
        ([-inf, 1], "must be finite, got -inf"),
    ],
)
def test_what_is_no_array(values, message):
    with pytest.raises(ValueError) as error:
        array("w", values, ndim=1)
    assert str(error.value) == f"w {message}"


def test_an_array_of_any_shape():
    assert array("w", 3).shape == () and array("w", [[1, 2]]).dtype == float


def test_an_array_from_a_minimum_on():
    assert array("w", [[2, 3]], minimum=2).tolist() == [[2, 3]]
    with pytest.raises(ValueError, match=r"^w must be at least 2\.5, got 2\.0$"):
        array("w", [[2, 3]], minimum=2.5)


def test_estimators_have_their_divisors():
    x = np.array([1.0, 2.0, 4.0])
    squares = ((x - x.mean()) ** 2).sum()
    for estimator in ("ml", "unbiased"):
        assert x.var(ddof=ddof(estimator)) == squares / (3 - ddof(estimator))
    assert ddof("ml") < ddof("unbiased")
    with pytest.raises(ValueError, match="estimator must be one of 'ml', 'unbiased', got 'mle'"):
        ddof("mle")


def test_zeros_where_they_are_allowed():
    assert weights("w", [0, 0], all_zero=True).tolist() == [0, 0]


@given(junk)
def test_weights_are_finite_and_positive_or_refused(values):
    try:
        array = weights("w", values)
    except ValueError:
        return
    assert array.ndim == 1 and np.isfinite(array).all() and (array >= 0).all() and array.sum() > 0


@given(junk)
def test_probabilities_sum_to_one_or_are_refused(values):
    try:
        array = probabilities("p", values)
    except ValueError:
        return
    assert array.sum() == pytest.approx(1, abs=1e-15) and (array >= 0).all()


@pytest.mark.parametrize("values", [[0.5, 0.4], [0.5, 0.5 + 2e-9], [2.0]])
def test_probabilities_name_the_sum(values):
    with pytest.raises(ValueError, match="p must sum to 1, got a sum of"):
        probabilities("p", values)


def test_probabilities_forgive_rounding():
    assert probabilities("p", [0.1] * 10).sum() == 1
    assert probabilities("p", [0.5, 0.5 + 1e-10]).sum() == 1


@pytest.mark.parametrize("value", [1e-300, 0.5, np.float32(0.25)])
def test_a_probability(value):
    assert probability("alpha", value) == float(value)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, nan, inf, None, "x", "0.5", [0.5, 0.5]])
def test_what_is_no_probability(value):
    with pytest.raises(ValueError) as error:
        probability("alpha", value)
    assert str(error.value) == f"alpha must lie strictly between 0 and 1, got {value!r}"


def test_one_of_lists_what_is_allowed():
    assert one_of("kind", "a", ("a", "b")) == "a"
    with pytest.raises(ValueError) as error:
        one_of("kind", "c", ("a", "b"))
    assert str(error.value) == "kind must be one of 'a', 'b', got 'c'"
