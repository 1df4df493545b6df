"""Words that train on their own counts: an exact-in-law simulator.

A categorical model fitted by frequencies is known once the counts are known, so a
generation is one multinomial (or Poisson) draw and never a list of tokens. A word
that is gone stays gone, so only survivors are drawn: the cost of a generation falls
as words die.

The closed forms it is compared with live in rooms of their own and can be had from here
too: `branching` (Poisson sampling, one word), `ancestry` (multinomial sampling, all words)
and `conservation` (what each policy keeps).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._types import ArrayLike, Floats, Ints, Rng
from collapse_lib.checks import as_generator, one_of, weights, whole_number
from collapse_lib.conservation import expected_retention, retention_limit
from collapse_lib.loop import Policy, policy_named
from collapse_lib.words._mixtures import MIXING, Mixture
from collapse_lib.words._survivors import Step, Survivors, replace_poisson, stepper
from collapse_lib.words.ancestry import (
    collapse_probability_bounds,
    collapse_time,
    expected_vocabulary,
    word_gone_probability,
)
from collapse_lib.words.branching import (
    expected_survivors,
    extinction_probability,
    forgetting_quantile,
    no_loss_probability,
    sample_forgetting_time,
)

__all__ = [
    "CountTrajectory",
    "collapse_probability_bounds",
    "collapse_time",
    "expected_retention",
    "expected_survivors",
    "expected_vocabulary",
    "extinction_probability",
    "forgetting_quantile",
    "no_loss_probability",
    "retention_limit",
    "sample_forgetting_time",
    "simulate",
    "word_gone_probability",
]

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
        every one had it, 0 where the truth has not. Final under Replace; under every
        other policy but Accumulate a missing word may come back.
    counts : ndarray of int, (replicates, words)
        Counts of the last training set.
    policy : Policy
    n : int
        Draws a generation (their mean, with Poisson sampling).
    """

    heterozygosity: Floats
    drift: Floats
    survivors: Ints
    forgetting_time: Ints
    counts: Ints
    policy: Policy
    n: int

    @property
    def replicates(self) -> int:
        return self.survivors.shape[0]

    @property
    def collapse_time(self) -> Ints:
        """First generation with a single word left, (replicates,); meant for Replace.

        ``generations + 1`` (one past the last simulated) where two words were still there.
        """
        if self.forgetting_time.shape[1] < 2:
            return np.zeros(self.replicates, dtype=np.int32)
        return np.partition(self.forgetting_time, -2, axis=1)[:, -2]


def simulate(
    counts: ArrayLike,
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
        Any policy of `loop`; Replace, Accumulate, AccumulateSubsample and RandomPast also
        by name.
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
    if n is None:
        n = whole_number("counts.sum()", truth.sum(), minimum=2)
    else:
        n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    policy = policy_named(policy)
    one_of("sampling", sampling, ("multinomial", "poisson"))
    mixes = isinstance(policy, MIXING) and sampling == "multinomial"
    advance = None if mixes else stepper(policy, sampling)
    rng = as_generator(rng)

    truth = truth / truth.sum()
    width = truth.size if mixes else min(truth.size, n)
    rows = max(1, CHUNK // max(width, 16))
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
        if advance is None:
            _simulate_mixture(result, chunk, truth, generations, rng)
        else:
            _simulate_chunk(result, chunk, truth, generations, advance, rng)
    return result


def _simulate_chunk(
    result: CountTrajectory,
    chunk: slice,
    truth: Floats,
    generations: int,
    advance: Step,
    rng: np.random.Generator,
) -> None:
    """Fill the replicates ``chunk`` of ``result``."""
    replicates, columns = chunk.stop - chunk.start, result.survivors.shape[1]
    state = Survivors(truth, result.n, generations, replicates)
    state.last_words = 0 if advance is replace_poisson else 1
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


def _simulate_mixture(
    result: CountTrajectory,
    chunk: slice,
    truth: Floats,
    generations: int,
    rng: np.random.Generator,
) -> None:
    """Fill the replicates ``chunk`` of ``result`` under a policy that keeps every word's column."""
    replicates, last = chunk.stop - chunk.start, result.survivors.shape[1] - 1
    state = Mixture(result.policy, truth, result.n, replicates)
    first_missing = np.full((replicates, truth.size), generations + 1, dtype=np.int32)
    first_missing[:, truth == 0] = 0
    columns = result.heterozygosity, result.drift, result.survivors
    result.heterozygosity[chunk] = 1 - truth @ truth
    result.drift[chunk] = 0.0
    result.survivors[chunk] = np.count_nonzero(truth)
    result.counts[chunk] = 0
    for t in range(1, generations + 1):
        state.advance(rng)
        first_missing[(state.counts == 0) & (first_missing > t)] = t
        if last == generations or t == generations:
            for array, values in zip(columns, state.moments(), strict=True):
                array[chunk, min(t, last)] = values
    result.forgetting_time[chunk] = first_missing
    if generations:
        result.counts[chunk] = state.counts
