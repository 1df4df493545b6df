"""Words that are sampled at a temperature and counted again: a sampler exact in law.

The loop without chance, which it follows when n is large, is in `temperature`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, Floats, Ints, Rng
from collapse_lib.checks import as_generator, positive, probabilities, shares, whole_number
from collapse_lib.temperature import first_model, raise_to

__all__ = ["TemperatureTrajectory", "simulate_temperature"]

CHUNK = 2**16  # replicate-words drawn together, so that the arrays stay in cache


@dataclass(frozen=True)
class TemperatureTrajectory:
    """What a run of the categorical loop at a temperature leaves behind.

    Attributes
    ----------
    top : ndarray, (replicates, generations + 1)
        Share of the most frequent word; index 0 is the start.
    heterozygosity : ndarray, (replicates, generations + 1)
        1 − Σ p².
    drift : ndarray, (replicates, generations + 1)
        ‖p_t − p₀‖².
    survivors : ndarray of int, (replicates, generations + 1)
        Number of words in the training set.
    counts : ndarray of int, (replicates, words)
        Counts of the last training set.
    n : int
    """

    top: Floats
    heterozygosity: Floats
    drift: Floats
    survivors: Ints
    counts: Ints
    n: int


def simulate_temperature(
    p0: ArrayLike,
    generations: int,
    replicates: int = 1,
    *,
    n: int,
    temperature: float,
    real_fraction: ArrayLike = 0.0,
    start: ArrayLike | None = None,
    rng: Rng = None,
) -> TemperatureTrajectory:
    """Simulate the categorical loop at a temperature, exactly in law.

    Each of the n tokens of a generation is real with probability f (drawn from p₀) and
    otherwise drawn from B(p), p the frequencies of the generation before.

    Parameters
    ----------
    p0 : array_like, (words,)
        The real distribution.
    generations : int
    replicates : int
    n : int
        Tokens a generation, at least 2.
    temperature : float
        Above 0; 1 samples the model as it is.
    real_fraction : float or array_like
        f, from 0 to 1, of a shape that fits (replicates, generations).
    start : array_like, (words,), optional
        The first model; by default p₀.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    TemperatureTrajectory

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    A generation is one multinomial draw from (1 − f) B(p) + f p₀, never a list of tokens.

    References
    ----------
    Marchi et al., arXiv 2404.02325 (the loop); the sampler is of this book.

    Examples
    --------
    >>> run = simulate_temperature([0.6, 0.4], 60, 500, n=1000, temperature=0.8, rng=1)
    >>> run.top.shape, int(run.survivors[:, -1].max())
    ((500, 61), 1)
    """
    p0 = probabilities("p0", p0)
    first = p0 if start is None else first_model(start, p0)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    n = whole_number("n", n, minimum=2)
    power = 1 / positive("temperature", temperature)
    f = shares("real_fraction", real_fraction, (replicates, generations))
    rng = as_generator(rng)

    record = np.empty((4, replicates, generations + 1))
    counts = np.empty((replicates, len(p0)), dtype=np.int64)
    rows = max(1, CHUNK // max(len(p0), 16))
    for begin in range(0, replicates, rows):
        chunk = slice(begin, min(begin + rows, replicates))
        p = np.broadcast_to(first, (chunk.stop - begin, len(p0)))
        record[:, chunk, 0] = _summary(p, p0)
        for t in range(generations):
            real = f[chunk, t, None]
            drawn_from = (1 - real) * raise_to(p, power) + real * p0
            drawn_from /= drawn_from.sum(axis=1, keepdims=True)
            counts[chunk] = multinomial(n, drawn_from, rng)
            p = counts[chunk] / n
            record[:, chunk, t + 1] = _summary(p, p0)
    top, heterozygosity, drift, survivors = record
    return TemperatureTrajectory(top, heterozygosity, drift, survivors.astype(int), counts, n)


def _summary(p: Floats, p0: Floats) -> tuple[Floats, Floats, Floats, Ints]:
    away = p - p0
    squares, drift = np.einsum("ij,ij->i", p, p), np.einsum("ij,ij->i", away, away)
    return p.max(axis=1), 1 - squares, drift, np.count_nonzero(p, axis=1)
