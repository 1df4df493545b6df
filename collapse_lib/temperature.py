"""Sampling at a temperature: the loop without chance.

At temperature θ a model with probabilities p is sampled from B(p) ∝ p^{1/θ}. With a
fraction f of real data the loop is p' = (1 − f) B(p) + f p₀. Without real data its iterate is
p₀^{θ^{−t}}, normalised. The states in which it can rest are in `tempered_states`.

The proofs are in the chapter *Closed loops*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import positive, probabilities, shares, whole_number

__all__ = [
    "iterate",
    "temper",
    "temperature_threshold",
    "tempered",
]


def temper(p: ArrayLike, temperature: float) -> Floats:
    """Sharpen (θ < 1) or flatten (θ > 1) probabilities: B(p) ∝ p^{1/θ}.

    Parameters
    ----------
    p : array_like, (..., words)
        Probabilities, or any non-negative weights; each row must have a positive one.
    temperature : float
        Above 0.

    Returns
    -------
    ndarray, (..., words)
        Rows sum to 1; words of probability 0 keep it.

    Raises
    ------
    ValueError
        If ``temperature`` is not above 0, or a row of ``p`` is not weights.

    References
    ----------
    Marchi et al., arXiv 2404.02325.

    Examples
    --------
    >>> temper([0.8, 0.2], 0.5).round(4)
    array([0.9412, 0.0588])
    """
    temperature = positive("temperature", temperature)
    p = np.asarray(p, dtype=float)
    if not (np.isfinite(p).all() and (p >= 0).all() and (p.max(axis=-1) > 0).all()):
        raise ValueError(f"p must be non-negative with a positive sum in each row, got {p}")
    return raise_to(p, 1 / temperature)


def raise_to(p: Floats, power: float) -> Floats:
    """Return p^power with each row normalised, without checks."""
    raised = (p / p.max(axis=-1, keepdims=True)) ** power
    normed: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return normed


def tempered(p0: ArrayLike, temperature: float, generations: int) -> Floats:
    """Return the loop without chance and without real data, p_t ∝ p₀^{θ^{−t}}.

    Parameters
    ----------
    p0 : array_like, (words,)
    temperature : float
    generations : int

    Returns
    -------
    ndarray, (generations + 1, words)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> tempered([0.5, 0.3, 0.2], 0.5, 2).round(3)
    array([[0.5  , 0.3  , 0.2  ],
           [0.658, 0.237, 0.105],
           [0.866, 0.112, 0.022]])
    """
    p0 = probabilities("p0", p0)
    temperature = positive("temperature", temperature)
    t = np.arange(whole_number("generations", generations) + 1.0)
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(p0 / p0.max())
        power = np.exp(np.minimum(-t * np.log(temperature), 700.0))
    raised = np.zeros((len(t), len(p0)))
    alive = p0 > 0
    raised[:, alive] = np.exp(power[:, None] * logs[alive])
    models: Floats = raised / raised.sum(axis=1, keepdims=True)
    return models


def iterate(
    p0: ArrayLike,
    generations: int,
    *,
    temperature: float,
    real_fraction: ArrayLike = 0.0,
    start: ArrayLike | None = None,
) -> Floats:
    """Run the loop without chance, p' = (1 − f) B(p) + f p₀.

    Parameters
    ----------
    p0 : array_like, (words,)
        The real distribution.
    generations : int
    temperature : float
    real_fraction : float or array_like, (generations,)
        f, from 0 to 1, one for all generations or one for each.
    start : array_like, (words,), optional
        The first model; by default p₀.

    Returns
    -------
    ndarray, (generations + 1, words)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> iterate([0.5, 0.5], 3, temperature=0.5, real_fraction=0.6, start=[0.7, 0.3]).round(3)[-1]
    array([0.579, 0.421])
    """
    p0 = probabilities("p0", p0)
    p = p0 if start is None else first_model(start, p0)
    power = 1 / positive("temperature", temperature)
    generations = whole_number("generations", generations)
    models = [p]
    for f in shares("real_fraction", real_fraction, (generations,)):
        models.append((1 - f) * raise_to(models[-1], power) + f * p0)
    return np.array(models)


def first_model(start: ArrayLike, p0: Floats) -> Floats:
    """Return ``start`` as a probability vector over the words of ``p0``.

    Raises
    ------
    ValueError
        If it is none, or its length differs.
    """
    p = probabilities("start", start)
    if len(p) != len(p0):
        raise ValueError(f"start must have {len(p0)} words like p0, got {len(p)}")
    return p


def temperature_threshold(temperature: float) -> float:
    """Real fraction above which the uniform distribution is stable: 1 − θ.

    Negative for θ > 1: then it is stable without real data.

    Parameters
    ----------
    temperature : float
        θ, above 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``temperature`` is not a finite number above 0.

    References
    ----------
    Derived in the chapter *Closed loops*: a small deviation is multiplied by (1 − f)/θ.

    Examples
    --------
    >>> round(temperature_threshold(0.9), 3)
    0.1
    """
    return 1 - positive("temperature", temperature)
