"""Forgetting times by inversion, against generation-by-generation simulation."""

import numpy as np

from collapse_lib.words.branching import sample_forgetting_time

COUNTS = np.full(20_000, 10)
HORIZON = 500


def simulated(counts, rng):
    """All words at once, a Poisson draw a generation, as a reader would write it.

    Stops at the horizon, where 4 % of the words are still alive and their time is unknown.
    """
    time = np.full(len(counts), HORIZON + 1)
    for t in range(1, HORIZON + 1):
        counts = rng.poisson(counts)
        time[(counts == 0) & (time > t)] = t
    return time


def test_forgetting_times_against_simulation(compare, report):
    rng = np.random.default_rng(1)
    ours, reference = compare(
        lambda: sample_forgetting_time(COUNTS, rng=rng), lambda: simulated(COUNTS, rng), rounds=5
    )
    report("forgetting time: simulated / inverted", reference / ours, at_least=80)
