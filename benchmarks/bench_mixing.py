"""Policies that mix: counts in place of items, against the loop by definition."""

import numpy as np
import pytest

from collapse_lib import loop
from collapse_lib.families import Categorical
from collapse_lib.words import simulate

TRUTH = np.arange(1.0, 53) ** -1.1
TRUTH /= TRUTH.sum()
POLICIES = [
    loop.PartlyReal(100),
    loop.FreshReal(100),
    loop.LastK(5),
    loop.LastK(5, reuse=True),
    loop.Immigration(0.05),
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_mixtures_against_the_loop(compare, report, policy):
    settings = {"n": 10_000, "generations": 10, "replicates": 10, "rng": 1}
    ours, reference = compare(
        lambda: simulate(TRUTH, policy=policy, **settings),
        lambda: loop.run(Categorical(52), policy, truth=TRUTH, **settings),
        rounds=3,
    )
    report(f"{policy}: loop by definition / ours", reference / ours, at_least=20)
