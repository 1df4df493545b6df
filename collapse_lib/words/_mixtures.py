"""Word counts under the policies that mix real and synthetic data, or several models.

Under these policies a missing word can come back, so every word keeps its column.
"""

from __future__ import annotations

from collections import deque
from functools import reduce
from operator import add

import numpy as np

from collapse_lib._draws import multinomial
from collapse_lib._types import Array, Floats, Ints
from collapse_lib.loop import FreshReal, Immigration, LastK, PartlyReal, Policy

MIXING = (PartlyReal, FreshReal, LastK, Immigration)


class Mixture:
    """Counts of all words in the training set, (replicates, words), and what made them."""

    counts: Ints
    total: int
    real: Ints  # the items that PartlyReal keeps

    def __init__(self, policy: Policy, truth: Floats, n: int, replicates: int) -> None:
        self.policy, self.truth, self.n = policy, truth, n
        self.is_first = True
        if isinstance(policy, LastK):
            if n < policy.k:
                raise ValueError(f"n must be at least k = {policy.k} for LastK, got {n}")
            everywhere = np.broadcast_to(truth, (replicates, truth.size))
            self.window: deque[Array] = deque([everywhere], maxlen=policy.k)
        self.replicates = replicates

    def draw(self, size: int, weights: Floats | Ints, rng: np.random.Generator) -> Ints:
        """Draw ``size`` words a row; weights need not add up to one."""
        chances = weights / weights.sum(axis=-1, keepdims=True)
        return multinomial(
            size, np.broadcast_to(chances, (self.replicates, chances.shape[-1])), rng
        )

    def advance(self, rng: np.random.Generator) -> None:
        """Make the next training set."""
        match self.policy:
            case PartlyReal(real):
                if self.is_first:
                    self.real = self.counts = self.draw(real, self.truth, rng)
                else:
                    self.counts = self.real + self.draw(self.n, self.counts, rng)
            case FreshReal(real):
                fresh = self.draw(real, self.truth, rng)
                made = 0 if self.is_first else self.draw(self.n, self.counts, rng)
                self.counts = fresh + made
            case Immigration(fraction):
                model = self.truth if self.is_first else self.counts / self.total
                source = fraction * self.truth + (1 - fraction) * model
                self.counts = self.draw(self.n, source, rng)
            case LastK(k, reuse):
                self._last_k(self.n // k, reuse, rng)
        self.total = int(self.counts[0].sum())
        self.is_first = False

    def _last_k(self, share: int, reuse: bool, rng: np.random.Generator) -> None:
        if not reuse:  # the window holds models
            self.counts = reduce(add, [self.draw(share, model, rng) for model in self.window])
            self.window.append(self.counts)
            return
        newest = self.truth if self.is_first else self.counts
        if self.is_first:
            self.window.clear()
        self.window.append(self.draw(share, newest, rng))  # the window holds batches
        self.counts = reduce(add, self.window)

    def moments(self) -> tuple[Floats, Floats, Ints]:
        """Heterozygosity, drift and number of words of each row."""
        square = np.einsum("rw,rw->r", self.counts, self.counts, dtype=np.float64) / self.total**2
        overlap = self.counts @ self.truth / self.total
        drift = square - 2 * overlap + self.truth @ self.truth
        return 1 - square, np.maximum(drift, 0), np.count_nonzero(self.counts, axis=1)
