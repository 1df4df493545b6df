"""Words that train on their own counts: an exact-in-law simulator.

A categorical model fitted by frequencies is known once the counts are known, so a
generation is one multinomial (or Poisson) draw and never a list of tokens. A word
that is gone stays gone, so only survivors are drawn: the cost of a generation falls
as words die. The closed forms it is compared with are in `forgetting` and
`conservation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib.checks import as_generator, one_of, weights, whole_number
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    Policy,
    RandomPast,
    Replace,
    policy_named,
)

__all__ = ["CountTrajectory", "simulate"]

CHUNK = 2**16  # replicate-words drawn together: half a megabyte an array, which stays in cache


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
        every one had it, 0 where the truth has not. Final under Replace; under
        AccumulateSubsample and RandomPast a missing word may come back.
    counts : ndarray of int, (replicates, words)
        Counts of the last training set.
    policy : Policy
    n : float
        Draws a generation (their mean, with Poisson sampling).
    """

    heterozygosity: np.ndarray
    drift: np.ndarray
    survivors: np.ndarray
    forgetting_time: np.ndarray
    counts: np.ndarray
    policy: Policy
    n: float

    @property
    def replicates(self) -> int:
        return self.survivors.shape[0]

    @property
    def collapse_time(self) -> np.ndarray:
        """First generation with a single word left, (replicates,); meant for Replace.

        ``generations + 1`` (one past the last simulated) where two words were still there.
        """
        if self.forgetting_time.shape[1] < 2:
            return np.zeros(self.replicates, dtype=np.int32)
        return np.partition(self.forgetting_time, -2, axis=1)[:, -2]


def simulate(
    counts,
    generations,
    replicates=1,
    *,
    n=None,
    sampling="multinomial",
    policy="replace",
    history=True,
    rng=None,
) -> CountTrajectory:
    """Simulate the categorical loop, exactly in law.

    Parameters
    ----------
    counts : array_like, (words,)
        The truth, as counts or any non-negative weights: p₀ = counts / counts.sum().
    generations : int
        Number of fits.
    replicates : int
        Independent runs.
    n : int, optional
        Draws a generation, at least 2. By default ``counts.sum()``, which must then be whole.
    sampling : {"multinomial", "poisson"}
        Exactly n tokens a generation, or a Poisson number for each word independently
        (Replace only).
    policy : Policy or str
        Replace, Accumulate, AccumulateSubsample or RandomPast, or their names.
    history : bool
        Whether to keep heterozygosity, drift and survivors of every generation, or only of
        the truth and the last one, which needs far less memory on long runs.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    CountTrajectory

    Raises
    ------
    ValueError
        If an argument is out of range, or a policy or sampling scheme is unknown.

    Notes
    -----
    Words are drawn as counts: one multinomial a generation and replicate over the
    words still alive. Memory is a few numbers a word and replicate, whatever the
    number of generations.

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
    truth = weights("counts", counts)
    n = (
        whole_number("counts.sum()", truth.sum(), minimum=2)
        if n is None
        else whole_number("n", n, minimum=2)
    )
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    policy = policy_named(policy)
    advance = _stepper(policy, one_of("sampling", sampling, ("multinomial", "poisson")))
    rng = as_generator(rng)

    truth = truth / truth.sum()
    rows = max(1, CHUNK // max(min(truth.size, n), 16))
    shape = (replicates, generations + 1 if history else 2)
    result = CountTrajectory(
        heterozygosity=np.empty(shape),
        drift=np.empty(shape),
        survivors=np.empty(shape, dtype=np.int32),
        forgetting_time=np.empty((replicates, truth.size), dtype=np.int32),
        counts=np.empty((replicates, truth.size), dtype=int),
        policy=policy,
        n=n,
    )
    for start in range(0, replicates, rows):
        chunk = slice(start, min(start + rows, replicates))
        _simulate_chunk(result, chunk, truth, generations, advance, rng)
    return result


def _simulate_chunk(result, chunk, truth, generations, advance, rng):
    """Fill the replicates ``chunk`` of ``result``."""
    replicates, columns = chunk.stop - chunk.start, result.survivors.shape[1]
    state = _State(truth, result.n, generations, replicates)
    state.last_words = 0 if advance is _replace_poisson else 1
    record = np.empty((columns, 3, replicates))
    record[:] = [[1 - truth @ truth], [0.0], [np.count_nonzero(truth)]]
    for t in range(1, generations + 1):
        now = min(t, columns - 1)
        record[now] = record[now if columns == 2 else t - 1]
        if state.rows.size:
            advance(state, t, rng)
            state.bury(t)
            record[now][:, state.rows] = *state.moments(), state.survivors
            state.retire()
    state.store()
    for k, array in enumerate((result.heterozygosity, result.drift, result.survivors)):
        array[chunk] = record[:, k].T
    result.forgetting_time[chunk] = state.forgetting_time
    result.counts[chunk] = state.final_counts


class _State:
    """Counts of the words still alive, one row for each replicate that can still change.

    The last column of a row always holds a word that is alive: numpy gives a row's
    rounding remainder to its last category, and a dead word must never receive it.
    """

    def __init__(self, truth, n, generations, replicates):
        alive = np.flatnonzero(truth)
        self.truth, self.n, self.last_words = truth, n, 1
        self.truth_square = truth @ truth
        self.rows = np.arange(replicates)
        self.words = np.tile(alive.astype(np.int32), (replicates, 1))
        self.counts = np.tile(n * truth[alive], (replicates, 1))
        self.alive = np.ones(self.words.shape, dtype=bool)
        self.survivors = np.full(replicates, alive.size)
        self.total = np.full(replicates, n)
        self.pool = None  # of all batches, for the policies that keep them
        self.forgetting_time = np.full((replicates, truth.size), generations + 1, dtype=np.int32)
        self.forgetting_time[:, truth == 0] = 0
        self.final_counts = np.zeros((replicates, truth.size), dtype=int)

    def moments(self):
        """Heterozygosity and drift of each row."""
        square = np.einsum("rw,rw->r", self.counts, self.counts, dtype=float) / self.total**2
        overlap = np.einsum("rw,rw->r", self.counts, self.truth[self.words]) / self.total
        heterozygosity = np.where(self.survivors > 0, 1 - square, 0.0)
        return heterozygosity, square - 2 * overlap + self.truth_square

    def bury(self, t):
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
            self._reorder(np.argsort(present, axis=1, kind="stable")[:, -width:])
        self._keep_last_column_alive()

    def _reorder(self, columns):
        self.words, self.counts, self.alive = (
            np.take_along_axis(array, columns, axis=1)
            for array in (self.words, self.counts, self.alive)
        )

    def _keep_last_column_alive(self):
        row = np.flatnonzero(~self.alive[:, -1])
        living = self.alive[row].argmax(axis=1)
        for array in (self.words, self.counts, self.alive):
            array[row, living], array[row, -1] = array[row, -1], array[row, living]

    def retire(self):
        """Stop drawing the replicates in which nothing can change, once they are half of all."""
        if self.pool is not None:
            return
        going = self.survivors > self.last_words
        if 2 * np.count_nonzero(going) <= going.size:
            self.store()
            for name in ("rows", "words", "counts", "alive", "survivors", "total"):
                setattr(self, name, getattr(self, name)[going])

    def store(self):
        """Write the counts of the current rows to where the result takes them from."""
        self.final_counts[self.rows[:, None], self.words] = self.counts


def _stepper(policy, sampling):
    """Return the function that advances a state by one generation."""
    if sampling == "poisson" and not isinstance(policy, Replace):
        raise ValueError(
            f"sampling='poisson' is defined for the policy Replace() only, got {policy!r}"
        )
    match policy:
        case Replace():
            return _replace_poisson if sampling == "poisson" else _replace
        case Accumulate():
            return _accumulate
        case AccumulateSubsample():
            return _accumulate_subsample
        case RandomPast():
            return _random_past
    raise ValueError(
        f"policy must be Replace, Accumulate, AccumulateSubsample or RandomPast, got {policy!r}"
    )


def _replace(state, t, rng):
    state.counts = rng.multinomial(state.n, state.counts / state.n)


def _replace_poisson(state, t, rng):
    state.counts = rng.poisson(state.counts)
    state.total = np.maximum(state.counts.sum(axis=1), 1)


def _accumulate(state, t, rng):
    batch = rng.multinomial(state.n, state.counts / state.total[:, None])
    state.pool = state.counts = batch if t == 1 else state.counts + batch
    state.total = np.full(len(batch), t * state.n)


def _accumulate_subsample(state, t, rng):
    batch = rng.multinomial(state.n, state.counts / state.n)
    state.pool = batch if t == 1 else state.pool + batch
    state.counts = _draw_without_replacement(state.pool, state.n, rng)


def _random_past(state, t, rng):
    if t == 1:
        state.pool = np.zeros_like(state.counts)
    state.pool = state.pool + state.counts
    mixture = state.pool / state.pool.sum(axis=1, keepdims=True)
    state.counts = rng.multinomial(state.n, mixture)


def _draw_without_replacement(pool, size, rng):
    """Draw ``size`` items from each row of counts, one column at a time."""
    drawn = np.empty_like(pool)
    to_draw = np.full(len(pool), size)
    behind = pool.sum(axis=1)
    for word in range(pool.shape[1]):
        behind = behind - pool[:, word]
        drawn[:, word] = rng.hypergeometric(pool[:, word], behind, to_draw)
        to_draw = to_draw - drawn[:, word]
    return drawn
