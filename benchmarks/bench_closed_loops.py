"""Counts in place of tokens, picks in place of densities: against loops as one would write them."""

import numpy as np
from scipy import stats

from collapse_lib import kde
from collapse_lib.words import simulate_temperature

P0 = 1 / np.arange(1, 51)
P0 /= P0.sum()
N, GENERATIONS, REPLICATES = 1000, 20, 100


def words():
    simulate_temperature(P0, GENERATIONS, REPLICATES, n=N, temperature=0.9, rng=1)


def test_temperature_against_one_path_at_a_time(compare, report):
    rng = np.random.default_rng(2)

    def token_by_token():
        p = P0
        for _ in range(GENERATIONS):
            q = p ** (1 / 0.9)
            tokens = rng.choice(len(q), size=N, p=q / q.sum())
            p = np.bincount(tokens, minlength=len(q)) / N

    ours, one = compare(words, token_by_token)
    report("temperature: one path, tokens / ours", one * REPLICATES / ours, at_least=3)


def kernels():
    kde.simulate(100, GENERATIONS, REPLICATES, bandwidth="silverman", rng=3)


def test_kde_against_scipy_one_path_at_a_time(compare, report):
    rng = np.random.default_rng(4)

    def with_scipy():
        data = rng.normal(size=100)
        for _ in range(GENERATIONS):
            data = stats.gaussian_kde(data, "silverman").resample(100, seed=rng)[0]

    ours, one = compare(kernels, with_scipy)
    report("KDE: scipy, one path / ours", one * REPLICATES / ours, at_least=10)
