"""Sufficient statistics in place of designs: against loops that draw X and call pinv.

A reference that would take seconds is run for a few paths, and scaled.
"""

import numpy as np

from collapse_lib.regression import simulate

GENERATIONS = 100


def replace_by_pinv(rng, d, T):
    w = np.zeros(d)
    for _ in range(GENERATIONS):
        x = rng.standard_normal((T, d))
        w = np.linalg.pinv(x) @ (x @ w + rng.standard_normal(T))
    return w


def accumulate_by_pinv(rng, d, T):
    w, xs, ys = np.zeros(d), [], []
    for _ in range(GENERATIONS):
        xs.append(rng.standard_normal((T, d)))
        ys.append(xs[-1] @ w + rng.standard_normal(T))
        w = np.linalg.pinv(np.vstack(xs)) @ np.concatenate(ys)
    return w


def test_replace_against_drawing_designs(compare, report):
    rng, runs = np.random.default_rng(1), 500
    ours, one = compare(
        lambda: simulate(10, 100, generations=GENERATIONS, replicates=runs, rng=2),
        lambda: replace_by_pinv(rng, 10, 100),
        rounds=20,
    )
    report("replace, d 10, T 100: draw X and pinv / ours", one * runs / ours, at_least=1000)


def test_accumulate_against_stacked_designs(compare, report):
    rng, runs = np.random.default_rng(3), 50
    ours, one = compare(
        lambda: simulate(
            32, 316, generations=GENERATIONS, replicates=runs, policy="accumulate", rng=4
        ),
        lambda: accumulate_by_pinv(rng, 32, 316),
        rounds=3,
    )
    report("accumulate, d 32, T 316: stacked pinv / ours", one * runs / ours, at_least=400)
