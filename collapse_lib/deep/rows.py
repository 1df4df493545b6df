"""What a policy trains on, as row numbers: the policies of `loop`, unchanged, choose them.

Real rows are numbered 0 … n−1; the samples of generation g are rows (g+1)·n … (g+2)·n − 1.
A policy asks a history for batches; this history answers with the numbers of their rows, so
the same dataclasses that run the loop of the first chapter run the deep models.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from collapse_lib._types import Array, Ints
from collapse_lib.loop import FreshReal, History, PartlyReal, Policy

__all__ = ["OnlyReal", "RowHistory", "training_rows"]


@dataclass(frozen=True)
class OnlyReal:
    """The control: train on the n real rows in every generation, on nothing made.

    Examples
    --------
    >>> history = RowHistory(n=2, rng=np.random.default_rng(1))
    >>> [training_rows(OnlyReal(), history).tolist() for _ in range(2)]
    [[0, 1], [0, 1]]
    """

    name = "only-real"

    def training_set(self, history: History, n: int) -> Array:
        return history.draw(n, model=0)


@dataclass
class RowHistory:
    """A `loop.History` whose batches are row numbers.

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
        """Row numbers of the batch that one of the models made, by default the newest."""
        if size > self.n:
            raise ValueError(f"size must be at most the {self.n} rows of a batch, got {size}")
        first = self.models[model] * self.n
        batch = np.arange(first, first + size)[None]
        self.batches.append(batch)
        return batch

    def pool(self, last: int = 0) -> Ints:
        """Row numbers of all batches, or only of the ``last`` so many."""
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
    else:
        # A policy asks nothing of a history that this one cannot answer.
        rows = policy.training_set(history, history.n)  # type: ignore[arg-type]
    history.models.append(len(history.models))
    chosen: Ints = rows[0]
    return chosen
