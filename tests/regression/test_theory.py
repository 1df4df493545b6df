"""Regression on its own labels: the fast simulators against the loop by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import loop, regression
from collapse_lib.families import LinearRegression
from collapse_lib.regression import simulation

D, NOISE, GENERATIONS, REPLICATES = 3, 0.7, 4, 4000
TRUTH = np.array([1.0, -0.5, 0.25])
POLICIES = [
    (loop.Replace(), 8),
    (loop.Replace(), 2),
    (loop.Accumulate(), 8),
    (loop.Accumulate(), 2),
    (loop.AccumulateSubsample(), 8),
    (loop.AccumulateSubsample(), 2),
    (loop.FreshReal(4), 5),
    (loop.FreshReal(2), 5),
    (loop.PartlyReal(4), 5),
    (loop.LastK(2, reuse=True), 16),
    (loop.LastK(3, reuse=True), 3),
]


def risk_of_loop(policy, T, rng):
    run = loop.run(
        LinearRegression(NOISE),
        policy,
        truth=TRUTH,
        n=T,
        generations=GENERATIONS,
        replicates=REPLICATES,
        rng=rng,
    )
    return ((run.params - TRUTH) ** 2).sum(axis=2)


def risk_of_simulate(policy, T, rng, **options):
    options = {"noise": NOISE, "truth": TRUTH} | options
    return regression.simulate(
        D, T, generations=GENERATIONS, replicates=REPLICATES, policy=policy, rng=rng, **options
    ).risk


def smallest_p(a, b):
    """Over generations; 4000 against 4000 sees a shift of .1 standard deviations (p < 1e-4)."""
    return min(
        stats.ks_2samp(a[:, t].round(12), b[:, t].round(12)).pvalue
        for t in range(1, GENERATIONS + 1)
    )


@pytest.mark.parametrize(("policy", "T"), POLICIES)
def test_simulate_has_the_law_of_the_loop(policy, T):
    assert smallest_p(risk_of_simulate(policy, T, 1), risk_of_loop(policy, T, 2)) > 1e-4


@pytest.mark.parametrize(("policy", "T"), POLICIES)
def test_the_comparison_would_see_a_tenth_more_noise(policy, T):
    wrong = risk_of_simulate(policy, T, 1, noise=1.3 * NOISE)
    assert smallest_p(wrong, risk_of_loop(policy, T, 2)) < 1e-4


def frozen_by_definition(policy, T, scale, rng):
    """Label the same rows again each generation and call numpy's pseudo-inverse."""
    rng = np.random.default_rng(rng)
    x = rng.standard_normal((REPLICATES, T, D)) * scale
    w, labels, risk = np.broadcast_to(TRUTH, (REPLICATES, D)), [], []
    for t in range(1, GENERATIONS + 1):
        labels.append((x @ w[..., None])[..., 0] + NOISE * rng.standard_normal((REPLICATES, T)))
        if isinstance(policy, loop.Replace):
            rows, y = x, labels[-1]
        else:
            rows, y = np.tile(x, (1, t, 1)), np.concatenate(labels, axis=1)
        if isinstance(policy, loop.AccumulateSubsample):
            pick = rng.random(y.shape).argsort(axis=1)[:, :T]
            rows = np.take_along_axis(rows, pick[..., None], axis=1)
            y = np.take_along_axis(y, pick, axis=1)
        w = (np.linalg.pinv(rows) @ y[..., None])[..., 0]
        risk.append((((w - TRUTH) * scale) ** 2).sum(axis=1))
    return np.column_stack([np.zeros(REPLICATES), *risk])


@pytest.mark.parametrize("T", [2, 8])
@pytest.mark.parametrize("policy", ["replace", "accumulate", "accumulate-subsample"])
def test_frozen_designs_and_covariances(policy, T):
    scale = np.array([2.0, 1.0, 0.5])
    fast = risk_of_simulate(policy, T, 3, design="frozen", covariance=scale**2)
    slow = frozen_by_definition(loop.policy_named(policy), T, scale, 4)
    assert smallest_p(fast, slow) > 1e-4


def test_risk_chain_and_normal_equations_agree_at_every_covariance():
    d, T = 4, 9
    chain = regression.simulate(d, T, generations=4, replicates=REPLICATES, rng=5).risk
    scale = np.array([3.0, 1.0, 1.0, 0.1])
    rng = np.random.default_rng(6)
    shared = simulation._Loop(d, T, loop.Replace(), scale, np.zeros(d), 1.0, False, rng)
    equations = np.zeros_like(chain)
    simulation._refit(shared, equations)
    assert smallest_p(chain, equations) > 1e-4


MEANS = [
    # policy, design, d, T, signal, generation, theory
    ("replace", "fresh", 10, 24, 0.0, 10, regression.replace_risk),
    ("replace", "frozen", 10, 24, 0.0, 10, regression.replace_risk),
    ("replace", "fresh", 24, 10, 1.0, 6, regression.replace_risk),
    ("replace", "frozen", 24, 10, 1.0, 6, regression.replace_risk),
    ("accumulate", "fresh", 5, 20, 0.0, 8, regression.accumulate_risk),
    ("accumulate", "frozen", 5, 20, 0.0, 8, regression.accumulate_risk),
    ("accumulate", "fresh", 24, 10, 1.0, 6, regression.accumulate_risk),
    ("accumulate", "frozen", 24, 10, 1.0, 6, regression.accumulate_risk),
]


@pytest.mark.parametrize(("policy", "design", "d", "T", "signal", "t", "theory"), MEANS)
def test_mean_risk(policy, design, d, T, signal, t, theory):
    truth = np.zeros(d)
    truth[0] = signal**0.5
    run = regression.simulate(
        d, T, generations=t, replicates=8000, policy=policy, design=design, truth=truth, rng=7
    )
    expected = theory(d, T, [1, 2, t], signal=signal, design=design)
    sample = run.risk[:, [1, 2, t]]
    z = (sample.mean(axis=0) - expected) / (sample.std(axis=0) / 8000**0.5)
    assert np.abs(z).max() < 4


@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_spread_under_replace(design):
    risk = regression.simulate(
        5, 24, generations=6, replicates=200_000, policy="replace", design=design, rng=8
    ).risk[:, [1, 6]]
    assert risk.std(axis=0) == pytest.approx(
        regression.replace_sd(5, 24, [1, 6], design=design), rel=0.02
    )


def test_fresh_real_rows():
    run = regression.simulate(
        10, 12, generations=12, replicates=20_000, policy=loop.FreshReal(28), rng=9
    )
    for t in (1, 2, 12):
        error = run.risk[:, t].mean() - regression.fresh_real_risk(10, 12, 28, t)
        assert abs(error) < 4 * run.risk[:, t].std() / 20_000**0.5


def test_contraction_by_drawing_both_matrices():
    d, synthetic, real = 4, 7, 5
    x = np.random.default_rng(10).standard_normal((100_000, synthetic + real, d))
    made = np.einsum("rij,ri->rj", x[:, :synthetic], x[:, :synthetic, 0])
    e = np.linalg.solve(x.mT @ x, made[..., None])
    sample = (e**2).sum(axis=(1, 2))
    error = sample.mean() - regression.fresh_real_contraction(d, synthetic, real)
    assert abs(error) < 4 * sample.std() / 100_000**0.5
    assert sample.std() / 100_000**0.5 < 0.01


def test_contraction_of_one_feature_is_the_second_moment_of_a_beta_law():
    for synthetic, real in ((7, 5), (1, 2), (30, 1)):
        share = stats.beta(synthetic / 2, real / 2)
        exact = share.var() + share.mean() ** 2
        assert regression.fresh_real_contraction(1, synthetic, real) == pytest.approx(exact)


def test_limits_and_the_bound():
    for d, T in ((1, 50), (5, 20), (10, 16)):
        far = regression.accumulate_risk(d, T, 20_000)
        limit = regression.accumulate_limit(d, T)
        assert far < limit < regression.accumulate_bound(d, T)
        assert far == pytest.approx(limit, rel=2e-4)
    many = regression.accumulate_subsample_risk(1, 100, 10**6)
    assert many * 100 == pytest.approx(np.pi**2 / 2 - 2, abs=1e-5)


@given(st.integers(1, 20), st.integers(2, 60), st.integers(1, 40))
def test_more_generations_never_help(d, extra, t):
    risk = regression.accumulate_risk(d, d + extra, [t, t + 1])
    assert 0 < risk[0] < risk[1] <= regression.accumulate_bound(d, d + extra)


@settings(max_examples=50)
@given(st.floats(1e-6, 0.999))
def test_optimal_weight_is_the_least_resting_risk(fraction):
    def resting(w):
        noise = w**2 / fraction + (1 - w) ** 2 / (1 - fraction)
        return noise / (1 - (1 - w) ** 2)

    best = regression.optimal_real_weight(fraction)
    assert resting(best) <= min(resting(0.99 * best), resting(min(1.01 * best, 1))) * (1 + 1e-9)


@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_before_any_fit_there_is_no_risk(design):
    for d, T in ((5, 20), (5, 7), (20, 5), (10, 9)):
        for risk in (regression.replace_risk, regression.accumulate_risk):
            assert risk(d, T, 0, signal=2.0, design=design) == 0
            assert risk(d, T, [0, 0], signal=2.0, design=design).tolist() == [0, 0]
            assert risk(d, T, [], design=design).shape == (0,)
        assert regression.replace_sd(d, T, 0, design=design) == 0
    assert regression.accumulate_subsample_risk(5, 20, 0) == 0
    assert regression.accumulate_subsample_risk(5, 20, []).shape == (0,)
    assert regression.fresh_real_risk(5, 20, 10, 0) == 0


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


def test_accumulate_subsample_in_several_features():
    """For T far above d the risk is the sum of d like parts."""
    one = regression.accumulate_subsample_risk(1, 1000, [1, 2, 9])
    np.testing.assert_allclose(regression.accumulate_subsample_risk(4, 1000, [1, 2, 9]), 4 * one)


def test_all_rows_real_need_no_weighing():
    assert regression.optimal_real_weight(1) == 1
    with pytest.raises(ValueError, match="fraction must lie above 0"):
        regression.optimal_real_weight(0)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"d": 0}, "d must be a whole number, at least 1, got 0"),
        ({"T": 2.5}, "T must be a whole number"),
        ({"policy": "last-k"}, "policy must be one of 'replace'"),
        ({"policy": loop.LastK(2)}, "policy must be one of 'replace'.*reuse=True', got 'last-k'"),
        ({"policy": loop.LastK(9, reuse=True)}, "T must be a whole number, at least 9, got 8"),
        ({"design": "random"}, "design must be one of 'fresh', 'frozen'"),
        ({"noise": -1}, "noise must be a finite number at least 0"),
        ({"covariance": [1, 2]}, "covariance must be 3 finite numbers"),
        ({"covariance": [1, -2, 3]}, "covariance must be 3 finite numbers, at least 0"),
        ({"truth": [1, 2, np.nan]}, "truth must be 3 finite numbers"),
        ({"rng": -1}, "rng must be"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        regression.simulate(**{"d": 3, "T": 8, "generations": 2} | arguments)


def test_refit_risk_rejects_what_is_no_risk():
    with pytest.raises(ValueError, match="risk must be finite"):
        regression.refit_risk([-1.0], 3, 8)
    with pytest.raises(ValueError, match="T must be a whole number, at least 3"):
        regression.refit_risk(1.0, 3, 2)


def test_nothing_to_do():
    assert regression.simulate(3, 8, generations=0).risk.tolist() == [[0.0]]
    silent = regression.simulate(3, 8, generations=3, noise=0, policy="accumulate", rng=1)
    assert np.abs(silent.risk).max() < 1e-25
