"""The Gaussian simulators against the loop by definition.

Power: with 20 000 runs a side the Kolmogorov–Smirnov test at p = 1e-4 sees a difference of
distribution functions of 0.022. That is 9 % in the scale of a Gaussian; the wrong estimator
makes a third after six generations at n = 8. A mean is compared at four standard errors.
"""

import numpy as np
import pytest
from scipy import stats

from collapse_lib import gaussian, loop
from collapse_lib.conservation import expected_retention
from collapse_lib.families import Gaussian
from collapse_lib.gaussian import simulation

N, GENERATIONS, REPLICATES = 8, 6, 20_000
ESTIMATORS = ["ml", "unbiased"]


def close(samples, theory, errors=4):
    return abs(samples.mean() - theory) < errors * samples.std() / np.sqrt(len(samples))


def by_definition(policy, estimator):
    run = loop.run(
        Gaussian(estimator),
        policy,
        truth=[0, 1],
        n=N,
        generations=GENERATIONS,
        replicates=REPLICATES,
        rng=1,
    )
    return run.params[..., 0], run.params[..., 1]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("policy", ["replace", "accumulate"])
def test_same_law_as_the_loop(policy, estimator):
    mean, sd = by_definition(policy, estimator)
    run = gaussian.simulate(N, GENERATIONS, REPLICATES, policy=policy, estimator=estimator, rng=2)
    assert run.mean.shape == run.sd.shape == (REPLICATES, GENERATIONS + 1)
    for t in (1, 2, GENERATIONS):
        joint = [(mean[:, t], run.mean[:, t]), (sd[:, t], run.sd[:, t])]
        joint.append((mean[:, t] / sd[:, t], run.mean[:, t] / run.sd[:, t]))
        joint.append((mean[:, t] - mean[:, 1], run.mean[:, t] - run.mean[:, 1]))
        joint.append((sd[:, t] / sd[:, 1], run.sd[:, t] / run.sd[:, 1]))
        for a, b in joint:
            if a.std() > 0:
                assert stats.ks_2samp(a, b).pvalue > 1e-4


def test_the_comparison_sees_the_other_estimator():
    _, sd = by_definition("replace", "unbiased")
    run = gaussian.simulate(N, GENERATIONS, REPLICATES, estimator="ml", rng=2)
    assert stats.ks_2samp(sd[:, -1], run.sd[:, -1]).pvalue < 1e-20


def test_accumulate_keeps_what_the_conservation_law_says():
    run = gaussian.simulate(10, 50, 40_000, policy="accumulate", rng=4)
    for t in (1, 10, 50):
        assert close(run.sd[:, t] ** 2, expected_retention("accumulate", 10, 50)[t])
        assert close(run.sd[:, t] ** 2 + run.mean[:, t] ** 2, 1)


def sample_and_refit(n, dim, generations, replicates, ddof, rng):
    mean, factor = (
        np.zeros((replicates, 1, dim)),
        np.broadcast_to(np.eye(dim), (replicates, dim, dim)),
    )
    for _ in range(generations):
        sample = mean + rng.standard_normal((replicates, n, dim)) @ factor.swapaxes(1, 2)
        mean = sample.mean(axis=1, keepdims=True)
        sample = sample - mean
        covariance = sample.swapaxes(1, 2) @ sample / (n - ddof)
        factor = np.linalg.cholesky(covariance)
    return mean[:, 0], covariance


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_several_dimensions_have_the_law_of_samples(estimator):
    rng = np.random.default_rng(5)
    mean, covariance = sample_and_refit(6, 3, 3, 10_000, estimator == "unbiased", rng)
    run = gaussian.simulate(6, 3, 10_000, dim=3, estimator=estimator, rng=6)
    fitted = run.factor[:, -1] @ run.factor[:, -1].swapaxes(1, 2)
    np.testing.assert_allclose(run.sd[:, -1] ** 2, np.diagonal(fitted, axis1=1, axis2=2))
    for each in (covariance, fitted):
        assert close(
            np.linalg.slogdet(each)[1], 6 * gaussian.lyapunov_exponents(6, 3, estimator).sum()
        )
    for a, b in [
        (mean, run.mean[:, -1]),
        (np.linalg.eigvalsh(covariance), np.linalg.eigvalsh(fitted)),
    ]:
        for i in range(3):
            assert stats.ks_2samp(a[:, i], b[:, i]).pvalue > 1e-4
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert stats.ks_2samp(covariance[:, i, j], fitted[:, i, j]).pvalue > 1e-4
        product = run.mean[:, -1, i] * run.mean[:, -1, j]
        assert stats.ks_2samp(mean[:, i] * mean[:, j], product).pvalue > 1e-4


def refit_labelled(weights, means, n, generations, replicates, rng):
    """A labelled mixture item by item: weights, means and standard deviations, by ML."""
    shape = (replicates, len(weights))
    w, m, s = (np.broadcast_to(x, shape).astype(float) for x in (weights, means, 1.0))
    for _ in range(generations):
        label = (rng.random((replicates, n, 1)) > np.cumsum(w, axis=1)[:, None, :-1]).sum(axis=2)
        x = np.take_along_axis(m, label, 1)
        x = x + np.take_along_axis(s, label, 1) * rng.standard_normal(x.shape)
        mine = label[:, :, None] == np.arange(len(weights))
        count = mine.sum(axis=1)
        new = np.where(count > 0, (mine * x[:, :, None]).sum(axis=1) / np.maximum(count, 1), m)
        squares = (mine * (x[:, :, None] - new[:, None]) ** 2).sum(axis=1)
        w, m, s = count / n, new, np.sqrt(squares / np.maximum(count, 1))
    return w, m, s


def test_labelled_mixture_has_the_law_of_labelled_items():
    truth, means = [0.5, 0.3, 0.2], np.array([-1.0, 0.0, 2.0])
    w, m, s = refit_labelled(truth, means, 12, 3, 20_000, np.random.default_rng(8))
    run = gaussian.simulate_mixture(truth, 12, 3, 20_000, means=means, rng=9)
    for a, b in [(w, run.weight), (m, run.mean), (s, run.sd)]:
        for k in range(3):
            assert stats.ks_2samp(a[:, k].round(9), b[:, -1, k].round(9)).pvalue > 1e-4


def test_mixture_conserves_variance_plus_drift():
    run = gaussian.simulate_mixture([0.5, 0.5], 10, 20, 20_000, means=[-1, 1], rng=10)
    whole = (run.weight * (run.sd**2 + run.mean**2)).sum(axis=2)
    assert close(whole[:, -1], 2)
    assert (run.weight.sum(axis=2).round(12) == 1).all()
    assert (run.sd[run.weight == 0] == 0).all()
    gone = run.weight == 0
    assert (gone[:, 1:] >= gone[:, :-1]).all()


def test_runs_do_not_depend_on_chunks_of_memory(monkeypatch):
    whole = gaussian.simulate(10, 7, 50, rng=13)
    last = gaussian.simulate(10, 7, 50, rng=13, history=False)
    np.testing.assert_array_equal(whole.sd[:, [0, -1]], last.sd)
    np.testing.assert_allclose(whole.mean[:, [0, -1]], last.mean, atol=1e-12)
    monkeypatch.setattr(simulation, "CHUNK", 20)
    chunked = gaussian.simulate(10, 7, 20_000, estimator="unbiased", rng=13)
    assert close(np.log(chunked.sd[:, -1]), gaussian.moments(10, 7, "unbiased").log_sd)
    several = gaussian.simulate(10, 7, 2000, dim=2, rng=14)
    log_det = 2 * np.linalg.slogdet(several.factor[:, -1])[1]
    assert close(log_det, 14 * gaussian.lyapunov_exponents(10, 2).sum())


def test_no_generations():
    for options in ({}, {"dim": 2}, {"policy": "accumulate"}, {"history": False}):
        run = gaussian.simulate(5, 0, 3, rng=1, **options)
        assert run.mean.shape[:2] == (3, 1) and (run.mean == 0).all()


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: gaussian.simulate(1, 5), "n must"),
        (lambda: gaussian.simulate(10, -1), "generations must"),
        (lambda: gaussian.simulate(10, 5, 0), "replicates must"),
        (lambda: gaussian.simulate(10, 5, dim=10), "dim must be less than n = 10"),
        (lambda: gaussian.simulate(10, 5, dim=0), "dim must"),
        (lambda: gaussian.simulate(10, 5, estimator="mle"), "estimator must"),
        (lambda: gaussian.simulate(10, 5, policy="random-past"), "policy must be Replace"),
        (lambda: gaussian.simulate(10, 5, policy=loop.PartlyReal(3)), "policy must be Replace"),
        (lambda: gaussian.simulate(10, 5, dim=2, policy="accumulate"), "Accumulate with dim 1"),
        (lambda: gaussian.simulate(10, 5, policy="nothing"), "policy must"),
        (lambda: gaussian.simulate(10, 5, rng=1.5), "rng must"),
        (lambda: gaussian.simulate_mixture([0.5, 0.4], 10, 5), "weights must sum to 1"),
        (lambda: gaussian.simulate_mixture([1.0], 1, 5), "n must"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
