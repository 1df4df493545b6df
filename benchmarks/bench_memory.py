"""A million word types for a thousand generations, in a process of its own."""

import subprocess
import sys

SIMULATE = """
import resource, sys
import numpy as np
from collapse_lib.words import simulate
simulate(np.ones(10**6, dtype=int), 1000, rng=1)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak_memory():
    done = subprocess.run(
        [sys.executable, "-c", SIMULATE], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_million_words_for_a_thousand_generations(benchmark, report):
    peak = benchmark.pedantic(peak_memory, rounds=1)
    report("10⁶ words × 10³ generations: peak memory", peak / 1e6, "MB", at_most=1000)
