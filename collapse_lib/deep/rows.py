"""What a policy trains on, as row numbers: the policies of `loop`, unchanged, choose them.

Real rows are numbered 0 … n−1; the samples of generation g are rows (g+1)·n … (g+2)·n − 1.
A policy asks a history for batches; this history answers with the numbers of their rows, so
the same dataclasses that run the loop of the first chapter run the deep models.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from collapse_lib._types import Array, Ints
from collapse_lib.loop import FreshReal, OnlyReal, PartlyReal, Policy

__all__ = ["OnlyReal", "RowHistory", "training_rows"]


@dataclass
class RowHistory:
    """A `loop.Past` whose batches are row numbers.

    Attributes
    ----------
    n : int
        Rows of every batch.
    rng : numpy.random.Generator
        Used by policies that choose at random.
    models : list of int
        Numbers of the truth and of the fits so far.
    batches : list of ndarray, (1, n)
        The leading axis is that of the replicates in `loop`.
    """

    n: int
    rng: np.random.Generator
    models: list[int] = field(default_factory=lambda: [0])
    batches: list[Ints] = field(default_factory=list)

    @property
    def is_first_fit(self) -> bool:
        return len(self.models) == 1

    def draw(self, size: int, *, model: int = -1) -> Ints:
        """Row numbers of the one batch that a model made, by default the newest; 0 is the truth."""
        if size > self.n:
            raise ValueError(f"size must be at most the {self.n} rows of a batch, got {size}")
        first = self.models[model] * self.n
        return np.arange(first, first + size)[None]

    def keep(self, batch: Ints) -> None:
        self.batches.append(batch)

    def pool(self, last: int = 0) -> Ints:
        """Row numbers of all batches kept, or only of the ``last`` so many."""
        return np.concatenate(self.batches[-last:], axis=1)


def training_rows(policy: Policy, history: RowHistory) -> Ints:
    """Choose the rows of the next fit, and count that fit.

    The first fit sees all real rows, whatever the policy: it is trained once and shared.

    Parameters
    ----------
    policy : Policy
    history : RowHistory

    Returns
    -------
    ndarray of int, (rows,)

    Raises
    ------
    ValueError
        If the policy needs real rows that are new in every generation, or keeps a number
        of real rows other than n.

    Examples
    --------
    >>> from collapse_lib.loop import Accumulate
    >>> history = RowHistory(n=2, rng=np.random.default_rng(1))
    >>> [training_rows(Accumulate(), history).tolist() for _ in range(3)]
    [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5]]
    """
    if policy.name == FreshReal.name:
        raise ValueError(f"policy must do with the same {history.n} real rows, got {policy}")
    if isinstance(policy, PartlyReal) and policy.real != history.n:
        raise ValueError(f"policy must keep all {history.n} real rows, got {policy}")
    if history.is_first_fit:
        rows: Array = history.draw(history.n)
        history.keep(rows)
    else:
        rows = policy.training_set(history, history.n)
    history.models.append(len(history.models))
    chosen: Ints = rows[0]
    return chosen
