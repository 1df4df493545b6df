"""Sufficient statistics in place of samples: against sample-and-refit loops, and raw draws.

A reference that would take seconds is run for a few paths, and scaled.
"""

import numpy as np

from collapse_lib.gaussian import simulate

N, PATHS, GENERATIONS = 100, 25, 2500
DIM, RUNS, STEPS = 10, 200, 20


def paths():
    simulate(N, GENERATIONS, PATHS, estimator="unbiased", rng=1)


def test_paths_against_sample_and_refit(compare, report):
    rng = np.random.default_rng(2)

    def one_path():
        mean, sd = 0.0, 1.0
        for _ in range(GENERATIONS):
            sample = mean + sd * rng.standard_normal(N)
            mean, sd = np.mean(sample), np.std(sample, ddof=1)

    ours, one = compare(paths, one_path)
    report("Gaussian: sample and refit / ours", one * PATHS / ours, at_least=300)


def test_paths_against_raw_draws(compare, report):
    rng = np.random.default_rng(3)

    def raw():
        rng.standard_normal(PATHS * GENERATIONS)
        rng.chisquare(N - 1, PATHS * GENERATIONS)

    ours, reference = compare(paths, raw, rounds=30)
    report("Gaussian: raw draws / ours", 100 * reference / ours, "%", at_least=60)


def bartlett():
    simulate(N, STEPS, RUNS, dim=DIM, rng=1)


def test_ten_dimensions_against_sample_and_refit(compare, report):
    rng = np.random.default_rng(4)

    def one_path():
        mean, factor = np.zeros(DIM), np.eye(DIM)
        for _ in range(STEPS):
            sample = mean + rng.standard_normal((N, DIM)) @ factor.T
            mean = sample.mean(axis=0)
            factor = np.linalg.cholesky(np.cov(sample, rowvar=False, ddof=0))

    ours, one = compare(bartlett, one_path)
    report("dim 10: sample and refit / ours", one * RUNS / ours, at_least=20)


def test_ten_dimensions_against_all_paths_at_once(compare, report):
    rng = np.random.default_rng(5)

    def all_paths():
        mean, factor = np.zeros((RUNS, 1, DIM)), np.broadcast_to(np.eye(DIM), (RUNS, DIM, DIM))
        for _ in range(STEPS):
            sample = mean + rng.standard_normal((RUNS, N, DIM)) @ factor.transpose(0, 2, 1)
            mean = sample.mean(axis=1, keepdims=True)
            sample -= mean
            factor = np.linalg.cholesky(sample.transpose(0, 2, 1) @ sample / N)

    ours, reference = compare(bartlett, all_paths)
    report("dim 10: sample and refit, all paths at once / ours", reference / ours)
