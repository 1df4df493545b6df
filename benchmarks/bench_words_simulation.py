"""Counts in place of tokens: against loops as published code writes them, and raw draws.

A reference that would take minutes is run for a few paths and generations, and scaled.
"""

import numpy as np
import pytest

from collapse_lib import loop
from collapse_lib.families import Categorical
from collapse_lib.words import simulate

ZIPF = 1 / (np.arange(1, 1001) + 2.7)
ZIPF /= ZIPF.sum()
N, REPLICATES, GENERATIONS = 1000, 200, 10


def zipf():
    simulate(ZIPF, GENERATIONS, REPLICATES, n=N, rng=1)


def token_by_token(words, probabilities, rng):
    """One path, one generation: draw each token by itself, then count."""
    tokens = [rng.choice(words, size=1, p=probabilities)[0] for _ in range(N)]
    return np.bincount(tokens, minlength=len(words)) / N


def test_zipf_against_a_loop_over_tokens(compare, report):
    # Words and probabilities in lists, as a vocabulary read from a text comes.
    words, probabilities = list(range(len(ZIPF))), ZIPF.tolist()
    rng = np.random.default_rng(2)
    ours, one = compare(zipf, lambda: token_by_token(words, probabilities, rng))
    times = one * REPLICATES * GENERATIONS / ours
    report("Zipf: token by token, lists / ours", times, at_least=1000)


def test_zipf_against_a_loop_over_tokens_in_arrays(compare, report):
    rng = np.random.default_rng(2)
    ours, one = compare(zipf, lambda: token_by_token(np.arange(len(ZIPF)), ZIPF, rng))
    report("Zipf: token by token, arrays / ours", one * REPLICATES * GENERATIONS / ours)


def test_zipf_against_raw_draws(compare, report):
    """As many multinomial draws over all thousand words, and nothing else."""
    rng = np.random.default_rng(3)

    def raw():
        for _ in range(GENERATIONS):
            rng.multinomial(N, ZIPF, size=REPLICATES)

    ours, reference = compare(zipf, raw, rounds=10)
    report("Zipf: raw multinomial / ours", 100 * reference / ours, "%", at_least=60)


def bernoulli():
    simulate([0.2, 0.8], 50, 5000, n=10**4, rng=1)


PATHS = 100  # path-generations that are timed, of 5000 × 50


def test_bernoulli_against_sample_and_refit(compare, report):
    rng = np.random.default_rng(4)

    def sample_and_refit():
        for _ in range(PATHS):
            rng.binomial(1, 0.2, size=10**4).mean()

    ours, some = compare(bernoulli, sample_and_refit)
    times = some * 50 * 5000 / PATHS / ours
    report("Bernoulli: binomial(1, p, n) a path / ours", times, at_least=500)


def test_bernoulli_against_the_quickest_sample_and_refit(compare, report):
    rng = np.random.default_rng(4)

    def sample_and_refit():
        for _ in range(PATHS):
            (rng.random(10**4) < 0.2).mean()

    ours, some = compare(bernoulli, sample_and_refit)
    report("Bernoulli: random(n) < p a path / ours", some * 50 * 5000 / PATHS / ours)


FEW = np.arange(1.0, 53) ** -1.1
FEW /= FEW.sum()
MIXING = [
    loop.PartlyReal(100),
    loop.FreshReal(100),
    loop.LastK(5),
    loop.LastK(5, reuse=True),
    loop.Immigration(0.05),
]


@pytest.mark.parametrize("policy", MIXING, ids=str)
def test_mixtures_against_the_loop(compare, report, policy):
    settings = {"n": 10_000, "generations": 10, "replicates": 10, "rng": 1}
    ours, reference = compare(
        lambda: simulate(FEW, policy=policy, **settings),
        lambda: loop.run(Categorical(52), policy, truth=FEW, **settings),
        rounds=3,
    )
    report(f"{policy}: loop by definition / ours", reference / ours, at_least=20)
