"""What each generation's data contributed to today's fit, from sufficient statistics alone.

A least-squares loop that keeps everything is a list of XᵀX and Xᵀy, one per generation. To
leave a generation out is to subtract one entry of the list. What is subtracted depends on what
is asked: its rows (`Lineage.erase_each`), its rows and all that later generations learnt from
them (`Lineage.never_made_each`), or only the noise of its labels (`Lineage.relabel_each`).

The closed forms are expectations over isotropic Gaussian rows, T ≥ d + 2 per generation; a
frozen design labels the same rows again in every generation. A generation is counted from 1.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import array, as_generator, one_of, positive, whole_number, whole_numbers
from collapse_lib.regression.simulation import normal_equations
from collapse_lib.regression.theory import DESIGNS, one_fit_risk
from collapse_lib.repair._risks import toll

__all__ = ["Lineage", "erased_risk", "noise_contribution", "simulate", "summarise"]


@dataclass(frozen=True)
class Lineage:
    """The sufficient statistics of every generation's batch; leading axes are replicates.

    Its methods return fits, (..., generations, d). Those that leave something out of each
    generation in turn have in entry i − 1 today's fit without that of generation i.

    Attributes
    ----------
    gram : ndarray, (..., generations, d, d)
        XᵀX of each batch; the sum of the first i must be invertible for every i.
    moment : ndarray, (..., generations, d)
        Xᵀy of each batch. The labels y of batch i were made by the fit to all batches before
        it, those of the first by ``truth``, each with noise.
    truth : ndarray, (..., d) or (d,)

    Examples
    --------
    >>> lineage = Lineage(np.ones((2, 1, 1)), np.array([[1.0], [3.0]]), np.zeros(1))
    >>> lineage.fits()[:, 0], lineage.erase_each()[:, 0]
    (array([1., 2.]), array([3., 1.]))
    >>> lineage.never_made_each()[:, 0], lineage.relabel_each()[:, 0]
    (array([2., 1.]), array([1., 1.]))
    """

    gram: Floats
    moment: Floats
    truth: Floats

    def fits(self) -> Floats:
        """The least-squares fit of every generation to all batches so far."""
        return _solve(self.gram.cumsum(axis=-3), self.moment.cumsum(axis=-2))

    def erase_each(self) -> Floats:
        """Leave out the rows of a generation; the later labels stay as they are."""
        self._check_several()
        gram = self.gram.sum(axis=-3, keepdims=True) - self.gram
        return _solve(gram, self.moment.sum(axis=-2, keepdims=True) - self.moment)

    def never_made_each(self) -> Floats:
        """Leave out a generation from the start.

        Every other batch keeps its rows and the noise of its labels, but is labelled by the
        fits there would have been; without generation 1 the truth labels generation 2.
        """
        self._check_several()
        pool, without, noise = self.gram.cumsum(axis=-3), self._labellers(), self._noise()
        for i in range(noise.shape[-2] - 1):
            later = pool[..., i + 1 :, :, :] - self.gram[..., i : i + 1, :, :]
            without[..., i, :] += _solve(later, noise[..., i + 1 :, :]).sum(axis=-2)
        return without

    def relabel_each(self) -> Floats:
        """Leave out the noise in a generation's labels; all later labels follow."""
        return self.fits()[..., -1:, :] - _solve(self.gram.cumsum(axis=-3), self._noise())

    def _labellers(self) -> Floats:
        before = np.roll(self.fits(), 1, axis=-2)
        before[..., 0, :] = self.truth
        return before

    def _noise(self) -> Floats:
        """Xᵀε of the noise ε in each batch's labels."""
        return self.moment - (self.gram @ self._labellers()[..., None])[..., 0]

    def _check_several(self) -> None:
        if self.moment.shape[-2] < 2:
            raise ValueError("lineage must have at least 2 generations to leave one out, got 1")


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

    Examples
    --------
    >>> summarise(np.ones((2, 3, 1)), np.ones((2, 3)), [1.0]).moment
    array([[3.],
           [3.]])
    """
    x, y, truth = array("x", x), array("y", y), array("truth", truth)
    if x.ndim < 3 or y.shape != x.shape[:-1] or truth.shape[-1:] != x.shape[-1:]:
        raise ValueError(
            "x, y and truth must have shapes (..., generations, T, d), (..., generations, T) and "
            f"(d,), got {x.shape}, {y.shape} and {truth.shape}"
        )
    return Lineage(x.mT @ x, (x.mT @ y[..., None])[..., 0], truth)


def simulate(
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
        Standard normal features, rows per generation, T ≥ d.
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
    >>> lineage = simulate(2, 10, generations=5, replicates=3, rng=1)
    >>> lineage.gram.shape, lineage.moment.shape
    ((3, 5, 2, 2), (3, 5, 2))
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d)
    generations = whole_number("generations", generations, minimum=1)
    replicates = whole_number("replicates", replicates, minimum=1)
    is_frozen = one_of("design", design, DESIGNS) == "frozen"
    noise, rng = positive("noise", noise, zero=True), as_generator(rng)
    when, off = (0, [0.0]) if shift is None else shift
    when, off = whole_number("shift", when, minimum=int(shift is not None)), array("shift", off)
    w: Floats = np.zeros((replicates, d))
    pool: Floats = np.zeros((d, d + 1))
    made: list[Floats] = []
    for t in range(1, generations + 1):
        if t == 1 or not is_frozen:
            factor = bartlett_factor(T, d, replicates, rng=rng)
        labeller = w + off * (t == when)
        made.append(normal_equations(factor, labeller, noise=noise, rng=rng))
        pool = pool + made[-1]
        w = _solve(pool[..., :-1], pool[..., -1])
    batches = np.stack(made, axis=1)
    return Lineage(batches[..., :-1], batches[..., -1], np.zeros(d))


def noise_contribution(
    d: int, T: int, generation: ArrayLike, *, design: str = "fresh", noise: float = 1.0
) -> FloatOrArray:
    """Expected part of today's risk that is due to the noise in one generation's labels.

    The parts of the generations 1 … t add up to the risk of generation t.

    Parameters
    ----------
    d, T : int
    generation : int or array_like of int
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
    first, i = toll(d, T, noise=noise), whole_numbers("generation", generation, minimum=1)
    if one_of("design", design, DESIGNS) == "frozen":
        return first / i**2
    parts = [one_fit_risk(d, k * T, noise=noise) / k for k in i.ravel().tolist()]
    return np.reshape(parts, i.shape)[()]


def erased_risk(
    d: int, T: int, generations: int, generation: ArrayLike, *, noise: float = 1.0
) -> FloatOrArray:
    """Expected risk of today's fit after the rows of one generation are erased; frozen design.

    Parameters
    ----------
    d, T : int
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
    t = whole_number("generations", generations, minimum=2)
    i = whole_numbers("generation", generation, minimum=1, maximum=t)
    squares = np.concatenate([[0], np.cumsum(1 / np.arange(1, t + 1.0) ** 2)])
    own, later = (t - i) / ((t - 1) * i), t / (t - 1)
    parts = squares[i - 1] + own**2 + later**2 * (squares[t] - squares[i])
    risk: FloatOrArray = toll(d, T, noise=noise) * parts
    return risk


def _solve(gram: Floats, moment: Floats) -> Floats:
    return np.linalg.solve(gram, moment[..., None])[..., 0]
