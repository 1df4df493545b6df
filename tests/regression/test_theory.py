"""The closed forms of regression on its own labels, against each other and against known laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import regression
from tests.properties import least_values, squared_unit


def test_limits_and_the_bound():
    for d, T in ((1, 50), (5, 20), (10, 16)):
        far = regression.accumulate_risk(d, T, 20_000)
        limit = regression.accumulate_limit(d, T)
        bound = regression.accumulate_limit(d, T, design="frozen")
        assert far < limit < bound == np.pi**2 / 6 * regression.one_fit_risk(d, T)
        assert far == pytest.approx(limit, rel=2e-4)


@given(st.integers(1, 20), st.integers(2, 60), st.integers(1, 40))
def test_more_generations_never_help(d, extra, t):
    risk = regression.accumulate_risk(d, d + extra, [t, t + 1])
    assert 0 < risk[0] < risk[1] <= regression.accumulate_limit(d, d + extra, design="frozen")


@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_before_any_fit_there_is_no_risk(design):
    for d, T in ((5, 20), (5, 7), (20, 5), (10, 9)):
        for risk in (regression.replace_risk, regression.accumulate_risk):
            assert risk(d, T, 0, signal=2.0, design=design) == 0
            assert risk(d, T, [0, 0], signal=2.0, design=design).tolist() == [0, 0]
            assert risk(d, T, [], design=design).shape == (0,)
        assert regression.replace_sd(d, T, 0, design=design) == 0


def test_spread_of_one_fit_is_that_of_an_f_law():
    """The risk of one fit is d/m times an F of d and m = T − d + 1 degrees of freedom."""
    for d, T in ((3, 7), (10, 14), (5, 30)):
        m = T - d + 1
        for design in ("fresh", "frozen"):
            spread = regression.replace_sd(d, T, 1, noise=0.7, design=design)
            assert spread == pytest.approx(0.49 * d / m * stats.f(d, m).std())


def test_what_too_few_rows_do_not_see():
    """Without noise the least-norm fit keeps the truth's projection on the rows it has seen."""
    d, T = 9, 4
    rows = np.random.default_rng(11).standard_normal((T, d))
    missed = np.trace(np.eye(d) - np.linalg.pinv(rows) @ rows) / d
    for risk in (regression.replace_risk, regression.accumulate_risk):
        silent = {"noise": 0, "signal": 3.0, "design": "frozen"}
        np.testing.assert_allclose(risk(d, T, [1, 5], **silent), 3 * missed, rtol=1e-12)
        alone = regression.one_fit_risk(d, T)
        for design in ("fresh", "frozen"):
            assert risk(d, T, 1, signal=3.0, design=design) == pytest.approx(alone + 3 * missed)
            assert risk(d, T, 3, design=design) == risk(d, T, 3, signal=0.0, design=design)


def test_infinite_means_are_said():
    assert regression.one_fit_risk(21, 19) == 19 and np.isinf(regression.one_fit_risk(21, 20))
    assert np.isinf(regression.replace_risk(10, 10, [1, 2])).all()
    assert regression.one_fit_risk(10, 10, noise=0) == 0
    assert np.isinf(regression.one_fit_risk(10, 10))
    assert np.isinf(regression.replace_risk(10, 11, 1))
    assert regression.replace_risk(10, 11, 0) == 0
    assert np.isinf(regression.accumulate_risk(10, 5, [2, 3])).all()
    assert np.isfinite(regression.accumulate_risk(10, 5, 1))
    assert np.isinf(regression.replace_sd(10, 13, 1))


@given(st.integers(1, 500), st.integers(2, 10**6), st.integers(1, 10**4))
def test_rows_needed_is_effective_rows_turned_around(d, spare, generations):
    real = d + spare
    rows = regression.rows_needed(d, real, generations)
    assert regression.effective_rows(d, rows, generations) == pytest.approx(real, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "name"), [((0, 10, 1), "d"), ((5, 6, 1), "real"), ((5, 7, 0), "generations")]
)
def test_bad_arguments_of_rows_needed_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        regression.rows_needed(*arguments)


@given(st.one_of(st.floats(0, 1.5), st.floats(1 - 1e-12, 1 + 1e-12)))
def test_geometric_sum_term_by_term(ratio):
    t = np.arange(30).reshape(5, 6)
    terms = [sum(ratio**k for k in range(n)) for n in range(30)]
    found = regression.geometric_sum(ratio, t)
    np.testing.assert_allclose(found, np.reshape(terms, t.shape), rtol=1e-12)
    assert regression.geometric_sum(ratio, np.array(0)) == 0


@pytest.mark.parametrize("check", least_values(
    (regression.one_fit_risk, {"d": 3, "T": 9}, {"d": 1, "T": 1}),
    (regression.replace_risk, {"d": 3, "T": 9, "t": 2},
     {"d": 1, "T": 1, "t": 0, "noise": 0, "signal": 0}),
    (regression.replace_sd, {"d": 3, "T": 9, "t": 2}, {"d": 1, "T": 1, "t": 0, "noise": 0}),
    (regression.effective_rows, {"d": 3, "T": 9, "generations": 2},
     {"d": 1, "T": 5, "generations": 1}),
    (regression.accumulate_risk, {"d": 3, "T": 9, "t": 2},
     {"d": 1, "T": 1, "t": 0, "noise": 0, "signal": 0}),
    (regression.accumulate_limit, {"d": 3, "T": 9}, {"d": 1, "T": 5, "noise": 0}),
    (regression.rows_needed, {"d": 3, "real": 9, "generations": 2},
     {"d": 1, "real": 5, "generations": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    *(
        (regression.one_fit_risk, {"d": d, "T": T}, {"noise": 0.7}, {})
        for d, T in ((3, 9), (9, 3))
    ),
    *(
        (risk, {"d": d, "T": T, "t": [1, 2, 5], "design": design},
         {"noise": 0.7}, {"signal": 1.3})
        for risk in (regression.replace_risk, regression.accumulate_risk)
        for d, T in ((3, 9), (9, 3))
        for design in ("fresh", "frozen")
    ),
    *(
        (risk, {"d": 3, "T": 9, "design": design, **more}, {"noise": 0.7}, {})
        for risk, more in (
            (regression.replace_sd, {"t": [1, 2, 5]}),
            (regression.accumulate_limit, {}),
        )
        for design in ("fresh", "frozen")
    ),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
