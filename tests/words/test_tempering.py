"""Temperature: the sampler against the loop by definition, theory against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import loop
from collapse_lib.families import Categorical
from collapse_lib.words import tempering
from tests.properties import least_values

REPLICATES = 20_000


class TemperedWords(Categorical):
    """Token by token: real by its own dice, otherwise from the model at a temperature."""

    temperature, real_fraction, truth = 0.8, 0.3, np.array([0.5, 0.3, 0.2])

    def sample(self, params, size, rng):
        raised = params ** (1 / self.temperature)
        drawn = super().sample(raised / raised.sum(axis=1, keepdims=True), size, rng)
        real = super().sample(np.tile(self.truth, (len(params), 1)), size, rng)
        return np.where(rng.random(drawn.shape) < self.real_fraction, real, drawn)


def z_score(a, b):
    return (a.mean() - b.mean()) / np.hypot(a.std() / len(a) ** 0.5, b.std() / len(b) ** 0.5)


# 20 000 runs each: a Kolmogorov–Smirnov distance of 0.025 gives p < 1e-5, and a mean that is
# off by 0.05 standard deviations gives |z| = 5.
def same_law(a, b):
    a, b = a.round(9), b.round(9)  # equal values that are also equal bits
    return stats.ks_2samp(a, b).pvalue > 1e-3 and abs(z_score(a, b)) < 4


def test_the_temperature_sampler_is_the_loop_by_definition():
    family = TemperedWords(3)
    slow = loop.run(
        family, "replace", truth=family.truth, n=12, generations=4, replicates=REPLICATES, rng=1
    ).params
    fast = tempering.simulate_temperature(
        family.truth, 4, REPLICATES, n=12, temperature=0.8, real_fraction=0.3, rng=2
    )
    for t in (1, 4):
        assert same_law(slow[:, t].max(axis=1), fast.top[:, t])
        assert same_law(1 - (slow[:, t] ** 2).sum(axis=1), fast.heterozygosity[:, t])
        assert same_law(((slow[:, t] - family.truth) ** 2).sum(axis=1), fast.drift[:, t])
    assert same_law(slow[:, 4, 0], fast.counts[:, 0] / 12)
    assert same_law((slow[:, 4] > 0).sum(axis=1), fast.survivors[:, 4])


def test_the_comparison_notices_another_temperature():
    a = tempering.simulate_temperature([0.5, 0.3, 0.2], 4, REPLICATES, n=12, temperature=0.8, rng=3)
    b = tempering.simulate_temperature(
        [0.5, 0.3, 0.2], 4, REPLICATES, n=12, temperature=0.85, rng=4
    )
    assert not same_law(a.top[:, 4], b.top[:, 4])


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=6),
    st.floats(0.5, 2.0),
    st.integers(0, 6),
)
def test_the_closed_form_is_the_iteration(weights, temperature, t):
    truth = np.array(weights) / np.sum(weights)
    np.testing.assert_allclose(
        tempering.tempered(truth, temperature, t),
        tempering.iterate(truth, t, temperature=temperature),
        atol=1e-9,
    )


def test_absent_words_stay_absent_and_long_runs_do_not_overflow():
    p = tempering.tempered([0.5, 0.5, 0.0], 0.5, 5000)
    np.testing.assert_allclose(p[-1], [0.5, 0.5, 0.0])
    assert (tempering.tempered([0.6, 0.4, 0.0], 2.0, 5000)[-1] == [0.5, 0.5, 0]).all()


def test_each_row_is_tempered_by_itself():
    rows = np.array([[0.5, 0.5, 0.0], [0.9, 0.05, 0.05]])
    for row, both in zip(rows, tempering.temper(rows, 0.5), strict=True):
        np.testing.assert_allclose(both, row**2 / (row**2).sum(), rtol=1e-12)
        np.testing.assert_allclose(both, tempering.temper(row, 0.5), rtol=1e-12)
    far_apart = tempering.temper([[1.0, 1.0], [1e-200, 3e-200]], 0.5)  # each by its own largest
    np.testing.assert_allclose(far_apart, [[0.5, 0.5], [0.1, 0.9]])


def test_the_first_model_is_what_was_given():
    start = [0.7, 0.2, 0.1]
    models = tempering.iterate([0.2, 0.3, 0.5], 3, temperature=0.9, start=start)
    np.testing.assert_allclose(models[0], start, rtol=1e-15)
    many = np.full(300, 1 / 300)
    run = tempering.simulate_temperature(many, 0, n=10, temperature=1)
    assert run.survivors[0, 0] == 300 and not run.counts.any()


def step_of(p, f, temperature):
    u = np.full(len(p), 1 / len(p))
    return tempering.iterate(u, 1, temperature=temperature, real_fraction=f, start=p)[1]


def spectral_radius(p, f, temperature):
    """Of the loop's derivative on deviations that sum to zero, by central differences."""
    s, small = len(p), 1e-6 * p.min()
    basis = np.linalg.svd(np.ones((1, s)))[2][1:]
    columns = [
        step_of(p + small * e, f, temperature) - step_of(p - small * e, f, temperature)
        for e in basis
    ]
    return abs(np.linalg.eigvals(basis @ np.array(columns).T / (2 * small))).max()


@given(st.floats(0.5, 1.3), st.floats(0.02, 0.98), st.integers(2, 8))
def test_fixed_points_are_fixed_and_their_stability_is_right(temperature, f, s):
    states = tempering.fixed_points(temperature, f, s)
    assert abs(states.share - 1 / s).min() < 1e-12
    for x, stable in zip(states.share, states.stable, strict=True):
        p = np.append(x, np.full(s - 1, (1 - x) / (s - 1)))
        np.testing.assert_allclose(step_of(p / p.sum(), f, temperature), p, atol=1e-9)
        radius = spectral_radius(p / p.sum(), f, temperature)
        if abs(radius - 1) > 1e-3:
            assert stable == (radius < 1)


@pytest.mark.parametrize("temperature, s", [(0.7, 3), (0.7, 50), (0.9, 10), (0.95, 1000)])
def test_the_spinodal_separates_collapse_from_recovery(temperature, s):
    cure = tempering.temperature_spinodal(temperature, s)
    start = np.append(0.99, np.full(s - 1, 0.01 / (s - 1)))
    ends = [
        tempering.iterate(
            np.full(s, 1 / s), 20_000 // s + 2000,
            temperature=temperature, real_fraction=times * cure, start=start,
        )[-1, 0]
        for times in (0.99, 1.01)
    ]  # fmt: skip
    assert ends[0] > 1.1 / s and abs(ends[1] - 1 / s) < 0.02 / s
    assert cure > tempering.temperature_threshold(temperature)


def test_the_number_of_states_is_that_of_the_theorem():
    for words, f, count in [
        (2, 0.2, 3),
        (2, 0.2999, 3),
        (2, 0.4, 1),
        (50, 0.2, 3),
        (50, 0.4, 3),
        (50, 0.6, 1),
    ]:
        assert len(tempering.fixed_points(0.7, f, words).share) == count
    assert tempering.temperature_spinodal(0.9, 2) == pytest.approx(0.1)
    assert tempering.fixed_points(1.0, 0.2, 5).share.tolist() == pytest.approx([0.2])
    for words in (3, 4, 50):  # a thin wedge: both the collapsed state and recovery are stable
        f = (0.3 + tempering.temperature_spinodal(0.7, words)) / 2
        states = tempering.fixed_points(0.7, f, words)
        assert states.stable.tolist() == [True, False, True]
        assert states.share[0] == pytest.approx(1 / words)
    curve = tempering.branches(0.8, 20)
    assert (np.diff(curve.share) > 0).all() and curve.stable[-1] and not curve.stable[0]


@pytest.mark.parametrize("temperature, words", [(0.7, 2), (0.7, 3), (0.8, 20)])
def test_branches_are_fixed_points_and_say_which_are_stable(temperature, words):
    curve = tempering.branches(temperature, words)
    assert len(curve.share) == 400
    assert curve.share[0] == pytest.approx(1 / words, rel=1e-5) and curve.share[0] > 1 / words
    assert 1 - 1e-5 < curve.share[-1] < 1
    for x, f, stable in list(zip(curve.share, curve.real_fraction, curve.stable, strict=True))[::9]:
        p = np.append(x, np.full(words - 1, (1 - x) / (words - 1)))
        np.testing.assert_allclose(step_of(p / p.sum(), f, temperature), p, atol=1e-9)
        if x < 0.999:  # differences of probabilities near 0 are no derivative
            radius = spectral_radius(p / p.sum(), f, temperature)
            if abs(radius - 1) > 1e-3:
                assert stable == (radius < 1)


def test_the_balance_has_no_gap_at_the_uniform_distribution():
    for words in (2, 5):
        at, near = (tempering._balance(np.array(x), 1 / 0.7, words) for x in (0.0, 1e-7))
        assert at == pytest.approx(0.3) and near == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tempering.temper([0.5, 0.5], 0), "temperature must be a finite number above 0"),
        (lambda: tempering.temper([0.0, 0.0], 1), "p must be non-negative"),
        (lambda: tempering.temper([], 1), "p must be a non-empty array"),
        (lambda: tempering.temper([np.inf, 1], 1), "p must be finite"),
        (lambda: tempering.temper([-0.5, 1.0], 1), "p must be non-negative"),
        (lambda: tempering.temper([[0.0, 0.0], [0.5, 0.5]], 1), "p must be non-negative"),
        (
            lambda: tempering.temperature_threshold("hot"),
            "temperature must be a finite number above 0",
        ),
        (lambda: tempering.temperature_spinodal(1.0, 5), "strictly between 0 and 1"),
        (
            lambda: tempering.temperature_spinodal(0.9, 1),
            "words must be a whole number, at least 2",
        ),
        (lambda: tempering.fixed_points(0.9, 0.0, 5), "real_fraction must lie above 0 up to 1"),
        (lambda: tempering.branches(1.2, 5), "strictly between 0 and 1"),
        (lambda: tempering.iterate([1.0], 2, temperature=1, real_fraction=2), "between 0 and 1"),
        (
            lambda: tempering.iterate([0.5, 0.5], 2, temperature=1, start=[1.0]),
            "start must have 2 words",
        ),
        (
            lambda: tempering.simulate_temperature(
                [0.5, 0.5], 3, n=5, temperature=1, real_fraction=[0.1, 0.2]
            ),
            "must have a shape that fits",
        ),
    ],
)
def test_bad_input_names_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# In floating point 1 − θ and f differ by a digit or not: 0.7 and 0.3, 0.9 and 0.1, 0.6 and 0.4
# fall on either side. In first order a deviation neither grows nor dies out there.
THRESHOLDS = [(0.7, 0.3), (0.9, 0.1), (0.6, 0.4), (0.5, 0.5), (0.2, 0.8), (0.99, 0.01)]


@pytest.mark.parametrize("temperature, f", THRESHOLDS)
def test_at_the_threshold_two_words_rest_at_uniform_alone_and_it_attracts(temperature, f):
    states = tempering.fixed_points(temperature, f, 2)
    assert states.share.tolist() == [0.5] and states.stable.tolist() == [True]
    lead = tempering.iterate(
        [0.5, 0.5], 3000, temperature=temperature, real_fraction=f, start=[0.6, 0.4]
    )[[1000, 2000, 3000], 0] - 0.5  # fmt: skip
    first, second = np.diff(lead**-2)  # the lead shrinks like 1/√t
    assert second == pytest.approx(first, rel=0.02) and first > 0


@pytest.mark.parametrize("temperature, f", THRESHOLDS)
@pytest.mark.parametrize("words", [3, 4, 50])
def test_at_the_threshold_a_small_lead_among_many_words_grows(temperature, f, words):
    states = tempering.fixed_points(temperature, f, words)
    assert states.stable.tolist() == [False, True]
    assert states.share[0] == 1 / words and states.share[1] > 1.01 / words
    uniform = np.full(words, 1 / words)
    start = np.append(1.01 / words, np.full(words - 1, (1 - 1.01 / words) / (words - 1)))
    end = tempering.iterate(
        uniform, 100_000, temperature=temperature, real_fraction=f, start=start
    )[-1]  # fmt: skip
    assert end[0] == pytest.approx(states.share[1], abs=1e-6)


def test_next_to_the_threshold_the_states_are_told_apart():
    for f, stable in [(0.3 - 1e-9, [True, False, True]), (0.3 + 1e-9, [True])]:
        assert tempering.fixed_points(0.7, f, 2).stable.tolist() == stable
    for f, stable in [(0.3 - 1e-9, [False, False, True]), (0.3 + 1e-9, [True, False, True])]:
        states = tempering.fixed_points(0.7, f, 3)
        assert states.stable.tolist() == stable and (np.diff(states.share) > 0).all()


@pytest.mark.parametrize("check", least_values(
    (tempering.tempered, {"truth": [0.5, 0.5], "temperature": 0.5}, {"generations": 0}),
    (tempering.iterate, {"truth": [0.5, 0.5], "temperature": 0.5}, {"generations": 0}),
    (tempering.temperature_spinodal, {"temperature": 0.5}, {"words": 2}),
    (tempering.fixed_points, {"temperature": 0.5, "real_fraction": 0.2}, {"words": 2}),
    (tempering.fixed_points, {"temperature": 1.2, "real_fraction": 0.5}, {"words": 2}),
    (tempering.branches, {"temperature": 0.5, "words": 3, "points": 5},
     {"words": 2, "points": 2}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
