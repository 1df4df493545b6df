"""Three worlds to watch: every statistic that a practitioner might plot, healthy and in the loop.

Each function runs both loops item by item. The healthy one fits each generation to fresh real
data; the other is replace. The statistics are oriented so that large values are suspicious.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, positive, weights, whole_number

__all__ = ["Watched", "watch_gaussian", "watch_regression", "watch_words"]

Look = tuple[dict[str, Floats], tuple[Floats, ...]]
"""The statistics of a fit by name, and the parameters of the fit."""


@dataclass(frozen=True)
class Watched:
    """Statistics by name; large values are suspicious.

    Attributes
    ----------
    healthy : dict of ndarray, (healthy replicates,)
        In a loop of fresh real data, where all generations are alike.
    loop : dict of ndarray, (replicates, generations)
        Under replace; column t − 1 is generation t.
    """

    healthy: dict[str, Floats]
    loop: dict[str, Floats]


def watch_gaussian(
    n: int, generations: int, replicates: int, *, held_out: int = 1000, rng: Rng = None
) -> Watched:
    """Watch a Gaussian with the ML estimator; the truth is standard normal.

    Parameters
    ----------
    n : int
        Draws a generation.
    generations, replicates : int
        Each generation's statistics are kept; as many runs are healthy.
    held_out : int
        Items of the two held-out sets, drawn anew each generation: real ones, and ones from
        the model that made the training set.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (minus the fitted variance), "tail mass" (minus the share of the
        batch beyond 2 true standard deviations), "support" (minus the number of occupied
        bins of width 0.25), "loss, real" and "loss, synthetic" (mean of −ln p on the
        held-out items), "mean" (distance of the fitted mean from the true one).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> seen = watch_gaussian(50, 3, 100, rng=1)
    >>> seen.loop["variance"].shape, seen.healthy["variance"].shape
    ((100, 3), (100,))
    """
    n, generations, replicates, held_out = _sizes(n, generations, replicates, held_out)
    rng = as_generator(rng)

    def look(mean: Floats, sd: Floats) -> Look:
        items = mean[:, None] + sd[:, None] * rng.standard_normal((replicates, n))
        m, s = items.mean(axis=1), items.std(axis=1)
        bins = np.sort(np.floor(4 * items), axis=1)
        seen = {
            "variance": -(s**2),
            "tail mass": -(abs(items) > 2).mean(axis=1),
            "support": -1.0 - (np.diff(bins, axis=1) > 0).sum(axis=1),
            "loss, real": _gaussian_loss(np.zeros(replicates), np.ones(replicates), m, s),
            "loss, synthetic": _gaussian_loss(mean, sd, m, s),
            "mean": abs(m),
        }
        return seen, (m, s)

    def _gaussian_loss(mean: Floats, sd: Floats, m: Floats, s: Floats) -> Floats:
        # The held-out items enter through mean and squares.
        centre = mean + sd * rng.standard_normal(replicates) / np.sqrt(held_out)
        spread = sd**2 * rng.chisquare(held_out - 1, replicates) / held_out
        mean_loss: Floats = (
            np.log(s) + (spread + (centre - m) ** 2) / (2 * s**2) + np.log(2 * np.pi) / 2
        )
        return mean_loss

    return _watch(look, (np.zeros(replicates), np.ones(replicates)), generations)


def watch_words(
    counts: ArrayLike,
    generations: int,
    replicates: int,
    *,
    n: int | None = None,
    common: int = 100,
    floor: float = 0.01,
    held_out: int = 1000,
    rng: Rng = None,
) -> Watched:
    """Watch word frequencies fitted by counting; p₀ = counts / counts.sum().

    Parameters
    ----------
    counts : array_like, (words,)
        In decreasing order.
    generations, replicates : int
    n : int, optional
        Tokens a generation; by default ``counts.sum()``.
    common : int
        The words after the first ``common`` are the tail.
    floor : float
        For the losses the model is mixed with this share of the uniform law, lest a word
        that is gone make them infinite.
    held_out : int
        As in `watch_gaussian`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (minus the heterozygosity 1 − Σp²), "tail mass", "support" (minus
        the number of distinct words), "loss, real", "loss, synthetic".

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> seen = watch_words([5, 3, 2], 4, 100, common=1, rng=1)
    >>> bool((seen.loop["support"].mean(axis=0)[1:] > seen.healthy["support"].mean()).all())
    True
    """
    truth = weights("counts", counts)
    n = whole_number("n", truth.sum() if n is None else n, minimum=2)
    truth = truth / truth.sum()
    _, generations, replicates, held_out = _sizes(n, generations, replicates, held_out)
    common = whole_number("common", common)
    floor = positive("floor", floor)
    rng = as_generator(rng)
    start = np.tile(truth, (replicates, 1))

    def loss(p: Floats, model: Floats) -> Floats:
        tokens = multinomial(held_out, p, rng)
        mean_loss: Floats = (
            -(tokens * np.log((1 - floor) * model + floor / truth.size)).sum(axis=1) / held_out
        )
        return mean_loss

    def look(p: Floats) -> Look:
        model = multinomial(n, p, rng) / n
        seen = {
            "variance": (model**2).sum(axis=1) - 1,
            "tail mass": -model[:, common:].sum(axis=1),
            "support": -(model > 0).sum(axis=1).astype(float),
            "loss, real": loss(start, model),
            "loss, synthetic": loss(p, model),
        }
        return seen, (model,)

    return _watch(look, (start,), generations)


def watch_regression(
    d: int,
    T: int,
    generations: int,
    replicates: int,
    *,
    signal: float = 1.0,
    held_out: int = 200,
    rng: Rng = None,
) -> Watched:
    """Watch least squares on its own labels, frozen design, isotropic features, noise 1.

    Parameters
    ----------
    d, T : int
        Features, rows, T > d + 1.
    generations, replicates : int
    signal : float
        ‖w₀‖².
    held_out : int
        Rows of the two held-out sets, drawn anew each generation; labels real, or made by
        the model that made the training labels, both with noise 1.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (of the training labels), "tail mass" (share of training labels
        beyond 2 true standard deviations), "residual variance" (of the fit on its training
        rows), "loss, real" and "loss, synthetic" (mean squared error), "risk" (‖ŵ − w₀‖²:
        the real loss on infinitely many rows, less the noise).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> seen = watch_regression(2, 10, 5, 100, rng=1)
    >>> seen.loop["risk"].shape
    (100, 5)
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    _, generations, replicates, held_out = _sizes(T, generations, replicates, held_out)
    signal = positive("signal", signal, zero=True)
    rng = as_generator(rng)
    truth = np.zeros((replicates, d))
    truth[:, 0] = np.sqrt(signal)
    rows = rng.standard_normal((replicates, T, d))
    solve = np.linalg.pinv(rows)

    def loss(teacher: Floats, w: Floats) -> Floats:
        # Gaussian rows: the squared errors are i.i.d. scaled χ²₁.
        scale = 1 + ((teacher - w) ** 2).sum(axis=1)
        mean_loss: Floats = scale * rng.chisquare(held_out, replicates) / held_out
        return mean_loss

    def look(teacher: Floats) -> Look:
        labels = np.einsum("rij,rj->ri", rows, teacher) + rng.standard_normal((replicates, T))
        w = np.einsum("rji,ri->rj", solve, labels)
        left = labels - np.einsum("rij,rj->ri", rows, w)
        seen = {
            "variance": (labels**2).mean(axis=1),
            "tail mass": (abs(labels) > 2 * np.sqrt(1 + signal)).mean(axis=1),
            "residual variance": (left**2).sum(axis=1) / (T - d),
            "loss, real": loss(truth, w),
            "loss, synthetic": loss(teacher, w),
            "risk": ((w - truth) ** 2).sum(axis=1),
        }
        return seen, (w,)

    return _watch(look, (truth,), generations)


def _watch(look: Callable[..., Look], truth: tuple[Floats, ...], generations: int) -> Watched:
    """One healthy look, and the looks of a loop."""
    healthy, _ = look(*truth)
    model = truth
    looks = []
    for _ in range(generations):
        seen, model = look(*model)
        looks.append(seen)
    return Watched(
        healthy, {name: np.stack([seen[name] for seen in looks], axis=1) for name in healthy}
    )


def _sizes(n: int, generations: int, replicates: int, held_out: int) -> tuple[int, int, int, int]:
    return (
        whole_number("n", n, minimum=2),
        whole_number("generations", generations, minimum=1),
        whole_number("replicates", replicates, minimum=2),
        whole_number("held_out", held_out, minimum=2),
    )
