"""Words that train on their own counts: an exact-in-law simulator.

A categorical model fitted by frequencies is known once the counts are known, so that a
generation is one multinomial (or Poisson) draw and never a list of tokens. Under Replace a
missing word stays away: only survivors are drawn, and the cost of a generation falls as words
die. Under the other policies every word keeps its column.

Closed forms for comparison: `branching` (Poisson sampling, one word), `ancestry` (multinomial
sampling, all words), `mixing` and `conservation` (what each policy keeps).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import add

import numpy as np

from collapse_lib._draws import chunks, multinomial
from collapse_lib._types import Array, ArrayLike, Floats, Ints, Rng
from collapse_lib.checks import as_generator, one_of, weights, whole_number
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    FreshReal,
    Immigration,
    LastK,
    OnlyReal,
    PartlyReal,
    Policy,
    RandomPast,
    Replace,
    policy_named,
)

__all__ = ["CountTrajectory", "simulate"]

CHUNK = 2**16  # replicate-words drawn together: half a megabyte per array, which stays in cache
FEW_WORDS = (Replace, Accumulate, AccumulateSubsample, RandomPast)  # rarely more than n of them
ALL_WORDS = (OnlyReal, PartlyReal, FreshReal, Immigration, LastK)


@dataclass(frozen=True)
class CountTrajectory:
    """What a run of the categorical loop leaves behind.

    The arrays of shape (replicates, generations + 1) have only two columns, the truth and
    the last generation, if the run was made with ``history=False``.

    Attributes
    ----------
    heterozygosity : ndarray, (replicates, generations + 1)
        H_t = 1 − Σ p_t², the chance that two draws from model t differ.
    drift : ndarray, (replicates, generations + 1)
        ‖p_t − p₀‖².
    survivors : ndarray of int, (replicates, generations + 1)
        Number of words in the training set.
    forgetting_time : ndarray of int, (replicates, words)
        First generation whose training set lacks the word; ``generations + 1`` where
        every one had it, 0 where the truth has not. Final under Replace; under every
        other policy but Accumulate a missing word may come back.
    counts : ndarray of int, (replicates, words)
        Counts of the last training set; 0 where none was drawn.
    policy : Policy
    n : int
        Draws per generation (their mean, with Poisson sampling).
    """

    heterozygosity: Floats
    drift: Floats
    survivors: Ints
    forgetting_time: Ints
    counts: Ints
    policy: Policy
    n: int

    @property
    def collapse_time(self) -> Ints:
        """First generation with a single word left, (replicates,); meant for Replace.

        ``generations + 1`` (one past the last simulated) where two words were still there.
        """
        if self.forgetting_time.shape[1] < 2:
            return np.zeros(len(self.survivors), dtype=np.int32)
        return np.partition(self.forgetting_time, -2, axis=1)[:, -2]


def simulate(
    truth: ArrayLike,
    generations: int,
    replicates: int = 1,
    *,
    n: int | None = None,
    sampling: str = "multinomial",
    policy: Policy | str = "replace",
    history: bool = True,
    rng: Rng = None,
) -> CountTrajectory:
    """Simulate the categorical loop, exactly in law.

    Parameters
    ----------
    truth : array_like, (words,)
        Counts or any non-negative weights: p₀ = truth / truth.sum().
    generations, replicates : int
    n : int, optional
        Draws per generation, at least 2. By default ``truth.sum()``, which must then be whole.
    sampling : {"multinomial", "poisson"}
        Exactly n tokens, or a Poisson number of each word independently (Replace only).
    policy : Policy or str
        Any policy of `loop`, or the name of one.
    history : bool
        Whether to keep heterozygosity, drift and survivors of every generation, or only of
        the truth and the last one, which needs far less memory on long runs.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    CountTrajectory

    References
    ----------
    Suresh et al., arXiv 2412.17646 (both sampling schemes);
    Seddik et al., arXiv 2404.05090 (multinomial; random past).

    Examples
    --------
    >>> result = simulate([5, 3, 2, 0], generations=40, replicates=1000, rng=1)
    >>> result.survivors.shape, int(result.forgetting_time[0, 3])
    ((1000, 41), 0)
    """
    given = weights("truth", truth)
    policy = policy_named(policy)
    least = max(2, policy.k) if isinstance(policy, LastK) else 2
    if n is None:
        n = whole_number("truth.sum()", given.sum(), minimum=least)
    else:
        n = whole_number("n", n, minimum=least)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    one_of("sampling", sampling, ("multinomial", "poisson"))
    if type(policy) not in FEW_WORDS + ALL_WORDS:
        names = ", ".join(kind.__name__ for kind in FEW_WORDS + ALL_WORDS)
        raise ValueError(f"policy must be one of {names}, got {policy!r}")
    if sampling == "poisson" and not isinstance(policy, Replace):
        raise ValueError(f"policy must be Replace() with sampling 'poisson', got {policy!r}")
    rng = as_generator(rng)

    p0: Floats = given / given.sum()
    columns = generations + 1 if history else 2
    result = CountTrajectory(
        heterozygosity=np.empty((replicates, columns)),
        drift=np.empty((replicates, columns)),
        survivors=np.empty((replicates, columns), dtype=np.int32),
        forgetting_time=np.full((replicates, p0.size), generations + 1, dtype=np.int32),
        counts=np.zeros((replicates, p0.size), dtype=np.int64),
        policy=policy,
        n=n,
    )
    result.forgetting_time[:, p0 == 0] = 0
    width = min(p0.size, n) if isinstance(policy, FEW_WORDS) else p0.size
    for part in chunks(replicates, max(width, 16), at_once=CHUNK):
        record = np.empty((columns, 3, part.stop - part.start))
        record[:] = [[1 - p0 @ p0], [0.0], [np.count_nonzero(p0)]]
        if isinstance(policy, Replace):
            _draw_survivors(result, part, record, p0, generations, sampling, rng)
        else:
            _draw_all_words(result, part, record, p0, generations, rng)
        for k, array in enumerate((result.heterozygosity, result.drift, result.survivors)):
            array[part] = record[:, k].T
    return result


def _draw_survivors(
    result: CountTrajectory,
    part: slice,
    record: Floats,
    truth: Floats,
    generations: int,
    sampling: str,
    rng: np.random.Generator,
) -> None:
    """Run the replicates ``part`` under Replace: one row for each that can still change."""
    forgetting_time, final_counts = result.forgetting_time[part], result.counts[part]
    n, is_poisson, square = result.n, sampling == "poisson", float(truth @ truth)
    alive = np.flatnonzero(truth).astype(np.int32)
    rows = np.arange(len(final_counts))
    words = np.tile(alive, (rows.size, 1))
    counts: Array = np.tile(n * truth[alive], (rows.size, 1))
    survivors = np.full(rows.size, alive.size)
    for t in range(1, generations + 1):
        now = min(t, len(record) - 1)
        record[now] = record[min(t - 1, now)]  # of what has ended
        if not rows.size:
            continue
        was_present = counts > 0
        counts = rng.poisson(counts) if is_poisson else multinomial(n, counts / n, rng)
        present = counts > 0
        row, column = np.nonzero(present < was_present)
        forgetting_time[rows[row], words[row, column]] = t
        survivors = survivors - np.bincount(row, minlength=rows.size)
        width = max(1, int(survivors.max()))
        if width <= 0.75 * present.shape[1]:  # drop the dead
            living = np.argsort(present, axis=1, kind="stable")[:, -width:]
            words = np.take_along_axis(words, living, axis=1)
            counts = np.take_along_axis(counts, living, axis=1)
        total = np.maximum(counts.sum(axis=1), 1) if is_poisson else n
        heterozygosity, drift = _moments(counts, total, truth[words], square)
        record[now][:, rows] = np.where(survivors > 0, heterozygosity, 0.0), drift, survivors
        going = survivors > (0 if is_poisson else 1)
        if t == generations or 2 * np.count_nonzero(going) <= rows.size:  # drop what has ended
            final_counts[rows] = 0
            final_counts[rows[:, None], words] = counts
            rows, words, counts = rows[going], words[going], counts[going]
            survivors = survivors[going]


def _draw_all_words(
    result: CountTrajectory,
    part: slice,
    record: Floats,
    truth: Floats,
    generations: int,
    rng: np.random.Generator,
) -> None:
    """Run the replicates ``part`` under a policy other than Replace."""
    forgetting_time, last = result.forgetting_time[part], len(record) - 1
    everywhere, square = np.broadcast_to(truth, forgetting_time.shape), float(truth @ truth)
    sets = _training_sets(result.policy, truth, result.n, len(forgetting_time), rng)
    for t, counts in enumerate(islice(sets, generations), start=1):
        forgetting_time[(counts == 0) & (forgetting_time > t)] = t
        if last == generations or t == generations:
            moments = _moments(counts, counts[0].sum(), everywhere, square)
            record[min(t, last)] = *moments, np.count_nonzero(counts, axis=1)
        if t == generations:
            result.counts[part] = counts


def _training_sets(
    policy: Policy, truth: Floats, n: int, replicates: int, rng: np.random.Generator
) -> Iterator[Ints]:
    """Counts of one training set after the other, (replicates, words)."""

    def draw(size: int, weights: Floats | Ints) -> Ints:
        chances = weights / weights.sum(axis=-1, keepdims=True)
        return multinomial(size, np.broadcast_to(chances, (replicates, truth.size)), rng)

    pool: Floats | Ints
    match policy:
        case Accumulate():
            counts = draw(n, truth)
            while True:
                yield counts
                counts = counts + draw(n, counts)
        case AccumulateSubsample():
            pool = draw(n, truth)
            while True:
                yield (counts := _draw_without_replacement(pool, n, rng))
                pool = pool + draw(n, counts)
        case RandomPast():
            pool = n * truth
            while True:
                yield (counts := draw(n, pool))
                pool = pool + counts
        case OnlyReal():
            while True:
                yield draw(n, truth)
        case PartlyReal(real):
            counts = kept = draw(real, truth)
            while True:
                yield counts
                counts = kept + draw(n, counts)
        case FreshReal(real):
            counts = draw(real, truth)
            while True:
                yield counts
                counts = draw(real, truth) + draw(n, counts)
        case Immigration(fraction):
            model = truth
            while True:
                yield (counts := draw(n, fraction * truth + (1 - fraction) * model))
                model = counts / n
        case LastK(k, reuse=True):
            batches = deque([draw(n // k, truth)], maxlen=k)
            while True:
                yield (counts := reduce(add, batches))
                batches.append(draw(n // k, counts))
        case LastK(k):
            models: deque[Array] = deque([truth], maxlen=k)
            while True:
                yield (counts := reduce(add, (draw(n // k, model) for model in models)))
                models.append(counts)


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


def _moments(counts: Array, total: Array | int, truth: Floats, truth_square: float) -> Array:
    """Heterozygosity and drift of each row; ``truth`` is that of the same words."""
    square = np.einsum("rw,rw->r", counts, counts, dtype=np.float64) / total**2
    overlap = np.einsum("rw,rw->r", counts, truth) / total
    return np.array([1 - square, np.maximum(square - 2 * overlap + truth_square, 0)])
