"""What each generation's data contribute to the risk of a loop that keeps everything.

Closed forms for least squares; a frozen design labels the same rows again in every generation.

The proofs are in the chapter *Repair*.

What each generation's data contributed to today's fit, from sufficient statistics alone.

A least-squares loop that keeps everything is a list of XᵀX and Xᵀy, one a generation. To leave
a generation out is to subtract one entry of the list. What is subtracted depends on what is
asked: its rows (`erase_each`), its rows and all that later generations learnt from them
(`never_made_each`), or only the noise of its labels (`relabel_each`).

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import as_generator, one_of, positive, whole_number, whole_numbers
from collapse_lib.regression.simulation import normal_equations
from collapse_lib.regression.theory import DESIGNS, one_fit_risk

__all__ = [
    "Lineage",
    "erase_each",
    "erased_risk",
    "fits",
    "inherited_share",
    "never_made_each",
    "noise_contribution",
    "relabel_each",
    "simulate_lineage",
    "summarise",
]


def noise_contribution(
    d: int, T: int, generation: ArrayLike, *, design: str = "fresh", noise: float = 1.0
) -> Floats:
    """Expected part of today's risk that is due to the noise in one generation's labels.

    The parts of the generations 1 … t add up to the risk of generation t.

    Parameters
    ----------
    d, T : int
        Features, rows a generation, T ≥ d + 2.
    generation : int or array_like of int, at least 1
    design : {"fresh", "frozen"}
    noise : float

    Returns
    -------
    float or ndarray
        noise² d / (i (iT − d − 1)) fresh, noise² d / (i² (T − d − 1)) frozen.

    Examples
    --------
    >>> noise_contribution(5, 16, [1, 2], design="frozen").round(3)
    array([0.5  , 0.125])
    """
    first = one_fit_risk(d, whole_number("T", T, minimum=d + 2), noise=noise)
    i = whole_numbers("generation", generation, minimum=1)
    if one_of("design", design, DESIGNS) == "frozen":
        return first / i**2
    return noise**2 * d / (i * (i * T - d - 1))


def erased_risk(
    d: int, T: int, generations: int, generation: ArrayLike, *, noise: float = 1.0
) -> FloatOrArray:
    """Expected risk of today's fit after the rows of one generation are erased; frozen design.

    Parameters
    ----------
    d, T : int
        Features, rows a generation, T ≥ d + 2.
    generations : int
        Number of generations t ≥ 2 before the erasure.
    generation : int or array_like of int
        The erased one, from 1 to t.
    noise : float

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> float(erased_risk(1, 3, 2, 2)), float(erased_risk(1, 3, 2, 1))
    (1.0, 2.0)
    """
    first = one_fit_risk(d, whole_number("T", T, minimum=d + 2), noise=noise)
    t = whole_number("generations", generations, minimum=2)
    i = whole_numbers("generation", generation, minimum=1, maximum=t)
    squares = np.concatenate([[0], np.cumsum(1 / np.arange(1, t + 1.0) ** 2)])
    own, later = (t - i) / ((t - 1) * i), t / (t - 1)
    risk: FloatOrArray = first * (squares[i - 1] + own**2 + later**2 * (squares[t] - squares[i]))
    return risk


def inherited_share(generations: int, generation: ArrayLike) -> FloatOrArray:
    """Share of a shift in one generation's labels that outlives the erasure of its rows.

    Parameters
    ----------
    generations : int
        Number of generations t ≥ 2 of a frozen design.
    generation : int or array_like of int
        The shifted and then erased one, from 1 to t.

    Returns
    -------
    float or ndarray
        (t − c) / (t − 1). Designs drawn afresh keep more, unless c is 1 or t.

    Examples
    --------
    >>> float(inherited_share(11, 2)), float(inherited_share(11, 11))
    (0.9, 0.0)
    """
    t = whole_number("generations", generations, minimum=2)
    return (t - whole_numbers("generation", generation, minimum=1, maximum=t)) / (t - 1)


@dataclass(frozen=True)
class Lineage:
    """The sufficient statistics of every generation's batch; leading axes are replicates.

    Attributes
    ----------
    gram : ndarray, (..., generations, d, d)
        XᵀX of each batch; the sum of the first i must be invertible for every i.
    moment : ndarray, (..., generations, d)
        Xᵀy of each batch. The labels y of batch i were made by the fit to all batches before
        it, those of the first by ``truth``, each with noise.
    truth : ndarray, (..., d) or (d,)
    """

    gram: Floats
    moment: Floats
    truth: Floats


def summarise(x: ArrayLike, y: ArrayLike, truth: ArrayLike) -> Lineage:
    """Reduce the rows and labels of a loop to its sufficient statistics.

    Parameters
    ----------
    x : array_like, (..., generations, T, d)
    y : array_like, (..., generations, T)
    truth : array_like, (d,)
        The weights that labelled the first batch.

    Returns
    -------
    Lineage

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> summarise(np.ones((2, 3, 1)), np.ones((2, 3)), [1.0]).moment
    array([[3.],
           [3.]])
    """
    x, y, truth = (np.asarray(values, dtype=float) for values in (x, y, truth))
    if x.ndim < 3 or y.shape != x.shape[:-1] or truth.shape[-1:] != x.shape[-1:]:
        raise ValueError(
            "x, y and truth must have shapes (..., generations, T, d), (..., generations, T) and "
            f"(d,), got {x.shape}, {y.shape} and {truth.shape}"
        )
    return Lineage(x.mT @ x, (x.mT @ y[..., None])[..., 0], truth)


def simulate_lineage(
    d: int,
    T: int,
    *,
    generations: int,
    replicates: int = 1,
    design: str = "fresh",
    noise: float = 1.0,
    shift: tuple[int, ArrayLike] | None = None,
    rng: Rng = None,
) -> Lineage:
    """Draw the statistics of loops that keep all rows, exactly in law; the truth is zero.

    Parameters
    ----------
    d, T : int
        Standard normal features, rows a generation, T ≥ d.
    generations, replicates : int
    design : {"fresh", "frozen"}
    noise : float
        Standard deviation of the labels' noise.
    shift : (int, array_like), optional
        A contaminated generation and the vector by which its labeller is off.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Lineage

    References
    ----------
    Gerstgrasser, Schaeffer et al., arXiv 2404.01413 (the loop that accumulates).

    Examples
    --------
    >>> lineage = simulate_lineage(2, 10, generations=5, replicates=3, rng=1)
    >>> lineage.gram.shape, lineage.moment.shape
    ((3, 5, 2, 2), (3, 5, 2))
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d)
    generations = whole_number("generations", generations, minimum=1)
    replicates = whole_number("replicates", replicates, minimum=1)
    one_of("design", design, DESIGNS)
    noise = positive("noise", noise, zero=True)
    when, off = (0, np.zeros(d)) if shift is None else shift
    whole_number("shift", when, minimum=0 if shift is None else 1)
    rng = as_generator(rng)
    w: Floats = np.zeros((replicates, d))
    pool: Floats = np.zeros((d, d + 1))
    made = []
    for t in range(1, generations + 1):
        if t == 1 or design == "fresh":
            factor = bartlett_factor(T, d, replicates, rng=rng)
        labeller = w + np.asarray(off, dtype=float) * (t == when)
        equations = normal_equations(factor, labeller, noise=noise, rng=rng)
        made.append(equations)
        pool = pool + equations
        w = np.linalg.solve(pool[..., :-1], pool[..., -1:])[..., 0]
    batches = np.stack(made, axis=1)
    return Lineage(batches[..., :-1], batches[..., -1], np.zeros(d))


def fits(lineage: Lineage) -> Floats:
    """The least-squares fit of every generation to all batches so far.

    Parameters
    ----------
    lineage : Lineage
        As from `simulate_lineage` or `summarise`.

    Returns
    -------
    ndarray, (..., generations, d)

    Examples
    --------
    >>> fits(Lineage(np.ones((2, 1, 1)), np.array([[1.0], [3.0]]), np.zeros(1)))[:, 0]
    array([1., 2.])
    """
    return _solve(lineage.gram.cumsum(axis=-3), lineage.moment.cumsum(axis=-2))


def erase_each(lineage: Lineage) -> Floats:
    """Today's fit without the rows of generation i; the later labels stay as they are.

    Parameters
    ----------
    lineage : Lineage
        As from `simulate_lineage` or `summarise`.

    Returns
    -------
    ndarray, (..., generations, d)
        Entry i − 1 leaves generation i out.

    Raises
    ------
    ValueError
        If there is a single generation.

    Examples
    --------
    >>> erase_each(Lineage(np.ones((2, 1, 1)), np.array([[1.0], [3.0]]), np.zeros(1)))[:, 0]
    array([3., 1.])
    """
    _several(lineage)
    gram = lineage.gram.sum(axis=-3, keepdims=True) - lineage.gram
    return _solve(gram, lineage.moment.sum(axis=-2, keepdims=True) - lineage.moment)


def never_made_each(lineage: Lineage) -> Floats:
    """Today's fit had generation i never been made: all later labels follow, noise unchanged.

    Every other batch keeps its rows and the noise of its labels, but is labelled by the fits
    there would have been; without generation 1 the truth labels generation 2.

    Parameters
    ----------
    lineage : Lineage
        As from `simulate_lineage` or `summarise`.

    Returns
    -------
    ndarray, (..., generations, d)

    Raises
    ------
    ValueError
        If there is a single generation.

    Examples
    --------
    >>> never_made_each(Lineage(np.ones((2, 1, 1)), np.array([[1.0], [3.0]]), np.zeros(1)))[:, 0]
    array([2., 1.])
    """
    _several(lineage)
    pool, before, noise = lineage.gram.cumsum(axis=-3), *_history(lineage)
    without = before.copy()
    for i in range(noise.shape[-2] - 1):
        steps = _solve(
            pool[..., i + 1 :, :, :] - lineage.gram[..., i : i + 1, :, :], noise[..., i + 1 :, :]
        )
        without[..., i, :] += steps.sum(axis=-2)
    return without


def relabel_each(lineage: Lineage) -> Floats:
    """Today's fit had the labels of generation i carried no noise: all later labels follow.

    Parameters
    ----------
    lineage : Lineage
        As from `simulate_lineage` or `summarise`.

    Returns
    -------
    ndarray, (..., generations, d)

    Examples
    --------
    >>> relabel_each(Lineage(np.ones((2, 1, 1)), np.array([[1.0], [3.0]]), np.zeros(1)))[:, 0]
    array([1., 1.])
    """
    _, noise = _history(lineage)
    steps = _solve(lineage.gram.cumsum(axis=-3), noise)
    return fits(lineage)[..., -1:, :] - steps


def _history(lineage: Lineage) -> tuple[Floats, Floats]:
    """The labeller of each batch, and Xᵀε of its labels' noise ε."""
    before = np.roll(fits(lineage), 1, axis=-2)
    before[..., 0, :] = lineage.truth
    noise = lineage.moment - (lineage.gram @ before[..., None])[..., 0]
    return before, noise


def _solve(gram: Floats, moment: Floats) -> Floats:
    return np.linalg.solve(gram, moment[..., None])[..., 0]


def _several(lineage: Lineage) -> None:
    if lineage.moment.shape[-2] < 2:
        raise ValueError("lineage must have at least 2 generations to leave one out, got 1")
