"""A maximum-entropy generator that is shown published tables, never the items.

An item has a few attributes. What is published of a batch is the table of counts of some
groups of attributes. The next model is the distribution of largest entropy with these tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collapse_lib import loop
from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import array, one_of, probabilities, whole_number

__all__ = ["simulate"]

Groups = Sequence[Sequence[int]]
CYCLES = 200  # of fitting all tables in turn, at most
TOLERANCE = 1e-10  # error of a published cell at which the fitting ends


def simulate(
    truth: ArrayLike,
    groups: Groups,
    *,
    n: int,
    generations: int,
    replicates: int = 1,
    policy: str = "replace",
    rng: Rng = None,
) -> loop.Trajectory:
    """Run a loop in which each model is fitted to published tables of sampled items.

    Parameters
    ----------
    truth : array_like, (l_0, …, l_{k−1})
        Probabilities of the items, one axis for each attribute.
    groups : sequence of tuple of int
        Attributes whose joint tables are published; each attribute is in some group.
    n, generations, replicates : int
    policy : {"replace", "accumulate"}
        Whether the tables are those of the newest batch, or of all batches so far.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    loop.Trajectory
        Its params, (replicates, generations + 1, l_0, …, l_{k−1}), are probabilities.

    References
    ----------
    For the use of such models: Gilotte, Ben Yahmed & Rohde, arXiv 2210.02450.

    Examples
    --------
    >>> run = simulate(np.full((2, 2), 0.25), [(0,), (1,)],
    ...                n=10, generations=3, replicates=5, rng=1)
    >>> run.params.shape, bool(np.allclose(run.params.sum(axis=(2, 3)), 1))
    ((5, 4, 2, 2), True)
    """
    named = {whole_number("groups", attribute) for group in groups for attribute in group}
    if not named or named != set(range(len(named))):
        raise ValueError(f"groups must name every attribute from 0 on, got {groups}")
    truth = array("truth", truth, ndim=len(named))
    return loop.run(
        _Tables(groups),
        one_of("policy", policy, ("replace", "accumulate")),
        truth=probabilities("truth", truth.ravel()).reshape(truth.shape),
        n=n,
        generations=generations,
        replicates=replicates,
        rng=rng,
    )


@dataclass(frozen=True)
class _Tables:
    """Models known by their tables. A batch is one item, the frequencies it has seen."""

    groups: Groups

    def fit(self, data: Floats) -> Floats:
        return _maximum_entropy(data.mean(axis=1), self.groups)

    def sample(self, params: Floats, size: int, rng: np.random.Generator) -> Floats:
        flat = params.reshape(len(params), -1)
        counts = multinomial(size, flat / flat.sum(axis=1, keepdims=True), rng)
        return counts.reshape(params[:, None].shape) / size


def _maximum_entropy(table: Floats, groups: Groups) -> Floats:
    """The distributions of largest entropy with the tables of these, (..., l_0, …, l_{k−1}).

    Iterative proportional fitting from the uniform distribution (Deming & Stephan, Annals of
    Mathematical Statistics 11, 1940). One cycle is exact where the groups form a tree; in a
    ring the convergence is geometric if no published cell is empty.
    """
    attributes = 1 + max(max(group) for group in groups)
    axes = range(table.ndim - attributes, table.ndim)
    published = []
    for group in groups:
        others = tuple(axis for j, axis in enumerate(axes) if j not in group)
        published.append((others, table.sum(axis=others, keepdims=True)))
    fitted = np.broadcast_to(table.mean(axis=tuple(axes), keepdims=True), table.shape)
    for _ in range(CYCLES):
        error = 0.0
        for others, target in published:
            now = fitted.sum(axis=others, keepdims=True)
            error = max(error, float(np.abs(now - target).max()))
            fitted = fitted * np.divide(target, now, out=np.zeros_like(now), where=now > 0)
        if error < TOLERANCE:
            break
    return fitted
