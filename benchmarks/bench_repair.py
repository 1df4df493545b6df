"""Leaving a generation out by subtracting its statistics: against refitting from the rows.

Ours starts from the sums XᵀX and Xᵀy of each generation, which a loop has when it fits. A
reference that would take seconds is run for some generations, and scaled.
"""

import numpy as np

from collapse_lib.repair import attribution, unlearning

GENERATIONS, T, D = 100, 1000, 10
RNG = np.random.default_rng(1)
X = RNG.standard_normal((GENERATIONS, T, D))
Y = X @ np.ones(D) + RNG.standard_normal((GENERATIONS, T))
LINEAGE = attribution.summarise(X, Y, np.ones(D))


def equations(*parts):
    """XᵀX and Xᵀy of several stretches of the rows."""
    pairs = [(X[part].reshape(-1, D), Y[part].reshape(-1)) for part in parts]
    return sum(x.T @ x for x, _ in pairs), sum(x.T @ y for x, y in pairs)


def without(i):
    return equations(slice(0, i), slice(i + 1, None))


def test_attribution_against_refitting(compare, report):
    ours, ten = compare(
        lambda: LINEAGE.erase_each(),
        lambda: [np.linalg.solve(*without(i)) for i in range(0, GENERATIONS, 10)],
    )
    report("erase each of 100 generations: refit / ours", 10 * ten / ours, at_least=100)


def test_lineage_against_running_it_again(compare, report):
    def run_again_without_the_first():
        for t in range(2, GENERATIONS + 1):
            w = np.linalg.solve(*equations(slice(1, t)))
        return w

    ours, one = compare(lambda: LINEAGE.never_made_each(), run_again_without_the_first, rounds=3)
    # the loop without generation i is run again from i on: 1/2 of this on average
    report("never made, each of 100: run again / ours", GENERATIONS * one / 2 / ours, at_least=100)


def test_unlearning_against_retraining(compare, report):
    full = unlearning.posterior(LINEAGE.gram.sum(axis=0), LINEAGE.moment.sum(axis=0))

    def retrain_ten():
        beliefs = [unlearning.posterior(*without(i)) for i in range(0, GENERATIONS, 10)]
        return [(belief.mean, belief.covariance) for belief in beliefs]

    def forget_each():
        left = full.unlearn(LINEAGE.gram, LINEAGE.moment)
        return left.mean, left.covariance

    ours, ten = compare(forget_each, retrain_ten)
    report("forget each of 100 generations: retrain / ours", 10 * ten / ours, at_least=100)
