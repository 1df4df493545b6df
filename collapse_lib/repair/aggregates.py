"""A maximum-entropy generator that is shown published tables, never the items.

An item has a few attributes. What is published of a batch is the table of counts of some
groups of attributes. The next model is the distribution of largest entropy with these tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, one_of, whole_number

__all__ = ["maximum_entropy", "simulate_aggregates"]

Groups = Sequence[Sequence[int]]


def maximum_entropy(
    table: ArrayLike, groups: Groups, *, cycles: int = 200, tolerance: float = 1e-10
) -> Floats:
    """The distribution of largest entropy that has given marginal tables.

    Iterative proportional fitting from the uniform distribution. One cycle is exact where the
    groups form a tree; in a ring the convergence is geometric if no published cell is empty.

    Parameters
    ----------
    table : array_like, (..., l_0, …, l_{k−1}) with k = 1 + the largest attribute in groups
        Full tables of probabilities; only the marginals named by ``groups`` are used.
    groups : sequence of tuple of int
        Attributes whose joint table is published; each attribute is in some group.
    cycles : int
        Cycles at most.
    tolerance : float
        Largest error of a published cell at which to stop.

    Returns
    -------
    ndarray, the shape of ``table``

    References
    ----------
    Deming & Stephan, Annals of Mathematical Statistics 11 (1940); the use of such models for
    aggregated data: Gilotte, Ben Yahmed & Rohde, arXiv 2210.02450.

    Examples
    --------
    >>> table = np.array([[0.5, 0.1], [0.1, 0.3]])
    >>> maximum_entropy(table, [(0,), (1,)]).round(2)
    array([[0.36, 0.24],
           [0.24, 0.16]])
    """
    table = np.asarray(table, dtype=float)
    attributes = _attributes(groups)
    if table.ndim < attributes or (table < 0).any() or not np.isfinite(table).all():
        raise ValueError(
            f"table must have {attributes} axes of finite numbers, at least 0, "
            f"got shape {table.shape}"
        )
    cycles = whole_number("cycles", cycles, minimum=1)
    axes = range(table.ndim - attributes, table.ndim)
    published = []
    for group in groups:
        others = tuple(axes[j] for j in range(attributes) if j not in group)
        published.append((others, table.sum(axis=others, keepdims=True)))
    cells = np.prod(table.shape[-attributes:])
    fitted: Floats = np.ones_like(table) * table.sum(axis=tuple(axes), keepdims=True) / cells
    for _ in range(cycles):
        error = 0.0
        for others, target in published:
            now = fitted.sum(axis=others, keepdims=True)
            error = max(error, float(np.abs(now - target).max()))
            fitted = fitted * np.divide(target, now, out=np.zeros_like(now), where=now > 0)
        if error < tolerance:
            break
    return fitted


def simulate_aggregates(
    truth: ArrayLike,
    groups: Groups,
    *,
    n: int,
    generations: int,
    replicates: int = 1,
    policy: str = "replace",
    rng: Rng = None,
) -> Floats:
    """Run a loop in which each model is fitted to published tables of sampled items.

    Parameters
    ----------
    truth : array_like, (l_0, …, l_{k−1})
        Probabilities of the items.
    groups : sequence of tuple of int
        Attributes whose joint tables are published.
    n : int
        Items a generation.
    generations, replicates : int
    policy : {"replace", "accumulate"}
        Whether the tables are those of the newest batch, or of all batches so far.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates, generations + 1, l_0, …, l_{k−1})
        The models; entry 0 is the truth.

    Examples
    --------
    >>> models = simulate_aggregates(np.full((2, 2), 0.25), [(0,), (1,)],
    ...                              n=10, generations=3, replicates=5, rng=1)
    >>> models.shape, bool(np.allclose(models.sum(axis=(2, 3)), 1))
    ((5, 4, 2, 2), True)
    """
    truth = np.asarray(truth, dtype=float)
    if (truth < 0).any() or abs(truth.sum() - 1) > 1e-9 or truth.ndim != _attributes(groups):
        raise ValueError(
            "truth must be probabilities that sum to 1, one axis for each attribute of groups, "
            f"got shape {truth.shape} and sum {truth.sum():.10g}"
        )
    n = whole_number("n", n, minimum=1)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    one_of("policy", policy, ("replace", "accumulate"))
    rng = as_generator(rng)
    models = np.empty((replicates, generations + 1, *truth.shape))
    models[:, 0] = truth
    pool = np.zeros((replicates, *truth.shape))
    for t in range(1, generations + 1):
        flat = models[:, t - 1].reshape(replicates, -1)
        flat = flat / flat.sum(axis=1, keepdims=True)
        batch = rng.multinomial(n, flat).reshape(pool.shape) / n
        pool = batch if policy == "replace" else pool + (batch - pool) / t
        models[:, t] = maximum_entropy(pool, groups)
    return models


def _attributes(groups: Groups) -> int:
    """How many attributes the groups speak of; each from 0 on must be in one."""
    named = sorted({whole_number("groups", j) for group in groups for j in group})
    if not named or named != list(range(len(named))):
        raise ValueError(f"groups must name every attribute from 0 on, got {groups}")
    return len(named)
