"""The counts of the words still alive, and how each policy advances them by a generation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from collapse_lib._draws import multinomial
from collapse_lib._types import Array, Floats, Ints
from collapse_lib.loop import Accumulate, AccumulateSubsample, Policy, RandomPast, Replace

Step = Callable[["Survivors", int, np.random.Generator], None]
"""Advances a state to a generation."""


class Survivors:
    """Counts of the words still alive, one row for each replicate that can still change."""

    def __init__(self, truth: Floats, n: int, generations: int, replicates: int) -> None:
        alive = np.flatnonzero(truth)
        self.truth, self.n, self.last_words = truth, n, 1
        self.truth_square = truth @ truth
        self.rows = np.arange(replicates)
        self.words = np.tile(alive.astype(np.int32), (replicates, 1))
        self.counts: Floats | Ints = np.tile(n * truth[alive], (replicates, 1))
        self.alive = np.ones(self.words.shape, dtype=bool)
        self.survivors = np.full(replicates, alive.size)
        self.total = np.full(replicates, n)
        self.pool: Array | None = None  # of all batches, for the policies that keep them
        self.forgetting_time = np.full((replicates, truth.size), generations + 1, dtype=np.int32)
        self.forgetting_time[:, truth == 0] = 0
        self.final_counts = np.zeros((replicates, truth.size), dtype=int)

    def moments(self) -> tuple[Floats, Floats]:
        """Heterozygosity and drift of each row."""
        square = np.einsum("rw,rw->r", self.counts, self.counts, dtype=np.float64) / self.total**2
        overlap = np.einsum("rw,rw->r", self.counts, self.truth[self.words]) / self.total
        heterozygosity = np.where(self.survivors > 0, 1 - square, 0.0)
        return heterozygosity, square - 2 * overlap + self.truth_square

    def bury(self, t: int) -> None:
        """Note which words are newly missing; drop the dead once they fill a quarter of each row."""
        present = self.counts > 0
        row, column = np.nonzero(present < self.alive)
        self.forgetting_time[self.rows[row], self.words[row, column]] = t
        self.alive &= present
        if self.pool is not None:  # a missing word may come back from the pool
            self.survivors = np.count_nonzero(present, axis=1)
            return
        self.survivors = self.survivors - np.bincount(row, minlength=len(present))
        width = max(1, int(self.survivors.max()))
        if width <= 0.75 * present.shape[1]:
            keep = np.argsort(present, axis=1, kind="stable")[:, -width:]
            for name in ("words", "counts", "alive"):
                setattr(self, name, np.take_along_axis(getattr(self, name), keep, axis=1))

    def retire(self) -> None:
        """Stop drawing the replicates in which nothing can change, once they are half of all."""
        if self.pool is not None:
            return
        going = self.survivors > self.last_words
        if 2 * np.count_nonzero(going) <= going.size:
            self.store()
            for name in ("rows", "words", "counts", "alive", "survivors", "total"):
                setattr(self, name, getattr(self, name)[going])

    def store(self) -> None:
        """Write the counts of the current rows to where the result takes them from."""
        self.final_counts[self.rows] = 0  # words that died since they were last written
        self.final_counts[self.rows[:, None], self.words] = self.counts


def stepper(policy: Policy, sampling: str) -> Step:
    """Return the function that advances a state by one generation."""
    if sampling == "poisson" and not isinstance(policy, Replace):
        raise ValueError(
            f"sampling='poisson' is defined for the policy Replace() only, got {policy!r}"
        )
    match policy:
        case Replace():
            return replace_poisson if sampling == "poisson" else _replace
        case Accumulate():
            return _accumulate
        case AccumulateSubsample():
            return _accumulate_subsample
        case RandomPast():
            return _random_past
    raise ValueError(
        f"policy must be Replace, Accumulate, AccumulateSubsample or RandomPast, got {policy!r}"
    )


def _replace(state: Survivors, t: int, rng: np.random.Generator) -> None:
    state.counts = multinomial(state.n, state.counts / state.n, rng)


def replace_poisson(state: Survivors, t: int, rng: np.random.Generator) -> None:
    state.counts = rng.poisson(state.counts)
    state.total = np.maximum(state.counts.sum(axis=1), 1)


def _accumulate(state: Survivors, t: int, rng: np.random.Generator) -> None:
    batch = multinomial(state.n, state.counts / state.total[:, None], rng)
    state.pool = state.counts = batch if t == 1 else state.counts + batch
    state.total = np.full(len(batch), t * state.n)


def _accumulate_subsample(state: Survivors, t: int, rng: np.random.Generator) -> None:
    batch = multinomial(state.n, state.counts / state.n, rng)
    pool: Ints = batch if state.pool is None else state.pool + batch
    state.pool, state.counts = pool, _draw_without_replacement(pool, state.n, rng)


def _random_past(state: Survivors, t: int, rng: np.random.Generator) -> None:
    pool = state.counts if state.pool is None else state.pool + state.counts
    state.pool = pool
    mixture = pool / pool.sum(axis=1, keepdims=True)
    state.counts = multinomial(state.n, mixture, rng)


def _draw_without_replacement(pool: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Draw ``size`` items from each row of counts, one column at a time."""
    drawn = np.empty_like(pool)
    to_draw = np.full(len(pool), size)
    behind = pool.sum(axis=1)
    for word in range(pool.shape[1]):
        behind = behind - pool[:, word]
        drawn[:, word] = rng.hypergeometric(pool[:, word], behind, to_draw)
        to_draw = to_draw - drawn[:, word]
    return drawn
