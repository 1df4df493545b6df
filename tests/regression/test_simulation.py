"""Regression on its own labels: the fast simulators against the loop by definition."""

import numpy as np
import pytest
from scipy import stats

from collapse_lib import loop, regression
from collapse_lib.families import LinearRegression

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
    run = {"generations": GENERATIONS, "replicates": REPLICATES}
    chain = regression.simulate(d, T, **run, rng=5)
    newest = loop.LastK(1, reuse=True)  # replace, by way of the normal equations
    covariance = [9.0, 1.0, 1.0, 0.01]
    equations = regression.simulate(d, T, **run, policy=newest, covariance=covariance, rng=6)
    assert smallest_p(chain.risk, equations.risk) > 1e-4


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


def test_that_many_rows_are_as_good_as_the_real_ones():
    # The standard error is 0.5 % of the risk: one row more or less, 5 % of it, is seen.
    rows = regression.rows_needed(6, real=27, generations=5)
    last = regression.simulate(6, rows, generations=5, replicates=20_000, rng=1).risk[:, -1]
    once = loop.run(
        LinearRegression(), "replace", truth=np.zeros(6), n=27, generations=1,
        replicates=20_000, rng=2,
    )  # fmt: skip
    risks = np.stack([last, (once.params[:, 1] ** 2).sum(axis=1)])
    gap = risks.mean(axis=1) @ [1, -1]
    assert abs(gap) < 4 * np.sqrt(risks.var(axis=1).sum() / 20_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"d": 0}, "d must be a whole number, at least 1, got 0"),
        ({"T": 2.5}, "T must be a whole number"),
        ({"policy": "last-k"}, "policy must be one of 'only-real', 'replace'"),
        ({"policy": loop.LastK(2)}, r"policy must be Replace.*reuse=True, got LastK\(k=2"),
        ({"policy": loop.PartlyReal(2)}, r"policy must be Replace.*, got PartlyReal\(real=2"),
        ({"policy": loop.LastK(9, reuse=True)}, "T must be a whole number, at least 9, got 8"),
        ({"design": "random"}, "design must be one of 'fresh', 'frozen'"),
        ({"noise": -1}, "noise must be a finite number at least 0"),
        ({"covariance": [1, 2]}, "covariance must be 3 numbers, got 2"),
        ({"covariance": [1, -2, 3]}, "covariance must be above 0, got -2"),
        ({"covariance": [1, 0, 3]}, "covariance must be above 0, got 0"),  # d would be 2
        ({"truth": [1, 2, np.nan]}, "truth must be finite, got nan"),
        ({"rng": -1}, "rng must be"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        regression.simulate(**{"d": 3, "T": 8, "generations": 2} | arguments)


def test_nothing_to_do():
    assert regression.simulate(3, 8, generations=0).risk.tolist() == [[0.0]]
    silent = regression.simulate(3, 8, generations=3, noise=0, policy="accumulate", rng=1)
    assert np.abs(silent.risk).max() < 1e-25
