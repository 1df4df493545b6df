"""Linear regression that trains on its own labels: simulators exact in law.

Least squares asks two things of T rows: XᵀX and Xᵀy. If the rows are Gaussian, the first is
RᵀR with a triangular R of independent normal and chi entries (Bartlett's factor), and given it
the noise part of the second is Rᵀg with standard normal g. So d(d+1)/2 numbers per generation
replace T·d. Under replace the risk alone is a Markov chain of three numbers per generation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor, chunks
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import array, as_generator, one_of, positive, whole_number
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    FreshReal,
    LastK,
    Policy,
    Replace,
    policy_named,
)
from collapse_lib.regression.theory import DESIGNS

__all__ = ["RegressionTrajectory", "normal_equations", "simulate"]

AT_ONCE = 2**14  # numbers drawn together: 128 kilobytes an array, which stays in cache
RANK_TOLERANCE = 1e-12  # eigenvalues of XᵀX below this share of the largest are rounding


@dataclass(frozen=True)
class RegressionTrajectory:
    """The excess risk of every replicate in every generation.

    Attributes
    ----------
    risk : ndarray, (replicates, generations + 1)
        ‖ŵ_t − w₀‖² in the metric of the covariance; index 0 is the truth, whose risk is 0.
    policy : Policy
    """

    risk: Floats
    policy: Policy


def simulate(
    d: int,
    T: int,
    *,
    generations: int,
    replicates: int = 1,
    policy: Policy | str = "replace",
    design: str = "fresh",
    covariance: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    noise: float = 1.0,
    rng: Rng = None,
) -> RegressionTrajectory:
    """Simulate least squares on its own labels, exactly in law.

    Parameters
    ----------
    d, T : int
        Features, new synthetic rows per generation (LastK: T // k). With fewer independent
        rows than features the fit is the one of least norm.
    generations, replicates : int
    policy : Policy or str
        Replace, Accumulate, AccumulateSubsample, FreshReal or LastK with ``reuse``, or a name.
    design : {"fresh", "frozen"}
        Whether each generation draws its rows anew, or labels the same rows again.
    covariance : array_like, (d,), optional
        Variances of the features along the axes of their covariance, above 0; ones by default.
    truth : array_like, (d,), optional
        The true weights w₀ along the same axes; zeros by default. They matter only where
        fits interpolate.
    noise : float
    rng : int, numpy.random.Generator or None

    Returns
    -------
    RegressionTrajectory

    References
    ----------
    Dohmatob, Feng & Kempe, arXiv 2402.07712 (replace); Gerstgrasser, Schaeffer et al., arXiv
    2404.01413 (accumulate); Kazdan, Schaeffer et al., arXiv 2410.16713 (subsample); M. S.
    Bartlett, Proc. R. Soc. Edinburgh 53 (1933) (the factor of a Wishart matrix).

    Examples
    --------
    >>> from collapse_lib.regression import accumulate_risk
    >>> run = simulate(5, 20, generations=4, replicates=20_000, policy="accumulate", rng=1)
    >>> run.risk.shape, bool(abs(run.risk[:, 4].mean() - accumulate_risk(5, 20, 4)) < 0.01)
    ((20000, 5), True)
    """
    d, T = whole_number("d", d, minimum=1), whole_number("T", T, minimum=1)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    is_frozen = one_of("design", design, DESIGNS) == "frozen"
    policy, batch = policy_named(policy), T
    advance, numbers = _refit, d * (d + 1)
    match policy:
        case Replace() if T >= d and not is_frozen:
            advance, numbers = _replace, 1
        case AccumulateSubsample():
            advance, numbers = _subsample, d * T * (1 if is_frozen else max(generations, 1))
        case LastK(k=k, reuse=True):
            batch = whole_number("T", T, minimum=k) // k
        case Replace() | Accumulate() | FreshReal():
            pass
        case _:
            raise ValueError(
                "policy must be Replace, Accumulate, AccumulateSubsample, FreshReal or LastK with "
                f"reuse=True, got {policy!r}"
            )
    variances = _per_feature("covariance", covariance, np.ones(d))
    if not (variances > 0).all():
        raise ValueError(f"covariance must be above 0, got {variances.min()}")
    start = _per_feature("truth", truth, np.zeros(d))
    noise = positive("noise", noise, zero=True)
    scale = np.sqrt(variances)
    loop = _Loop(d, batch, policy, scale, start, noise, is_frozen, as_generator(rng))
    risk = np.zeros((replicates, generations + 1))
    for part in chunks(replicates, numbers, at_once=AT_ONCE):
        advance(loop, risk[part])
    return RegressionTrajectory(risk, policy)


def normal_equations(factor: Floats, teacher: Floats, *, noise: float, rng: Rng = None) -> Floats:
    """Draw the normal equations [XᵀX | Xᵀy] of rows that a teacher has labelled.

    Parameters
    ----------
    factor : ndarray, (replicates, r, d)
        R with RᵀR = XᵀX.
    teacher : ndarray, (replicates, d)
        Weights that label the rows.
    noise : float
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates, d, d + 1)

    Examples
    --------
    >>> normal_equations(np.eye(2)[None], np.array([[3.0, 4.0]]), noise=0)
    array([[[1., 0., 3.],
            [0., 1., 4.]]])
    """
    clean = (factor @ teacher[..., None])[..., 0]
    error = as_generator(rng).standard_normal(clean.shape)
    labels = clean + positive("noise", noise, zero=True) * error
    equations: Floats = factor.mT @ np.concatenate([factor, labels[..., None]], axis=2)
    return equations


@dataclass(frozen=True)
class _Loop:
    """What every generation of a run has in common."""

    d: int
    T: int
    policy: Policy
    scale: Floats  # standard deviations of the features
    truth: Floats
    noise: float
    is_frozen: bool
    rng: np.random.Generator

    def designs(self, rows: int, replicates: int) -> Iterator[Floats]:
        """Yield the factor of each generation's design: a new one, or the same again if frozen."""
        factor = None
        while True:
            if factor is None or not self.is_frozen:
                factor = bartlett_factor(rows, self.d, replicates, rng=self.rng) * self.scale
            yield factor

    def label(self, factor: Floats, w: Floats) -> Floats:
        return normal_equations(factor, w, noise=self.noise, rng=self.rng)

    def risk_of(self, w: Floats) -> Floats:
        risk: Floats = ((self.scale * (w - self.truth)) ** 2).sum(axis=1)
        return risk


def _replace(loop: _Loop, risk: Floats) -> None:
    """The chain (√r + c Z)² + c² χ²_{d−1}, c² = noise²/χ²_{T−d+1}: a multivariate t increment."""
    d, T, rng, newest = loop.d, loop.T, loop.rng, risk[:, 0]
    for t in range(1, risk.shape[1]):
        c = loop.noise / np.sqrt(2 * rng.standard_gamma((T - d + 1) / 2, size=newest.shape))
        along = np.sqrt(newest) + c * rng.standard_normal(newest.shape)
        newest = along**2 + 2 * c**2 * rng.standard_gamma((d - 1) / 2, size=newest.shape)
        risk[:, t] = newest


def _refit(loop: _Loop, risk: Floats) -> None:
    """Solve the normal equations of whatever rows the policy keeps."""
    d, T, policy, replicates = loop.d, loop.T, loop.policy, len(risk)
    w = truth = np.broadcast_to(loop.truth, (replicates, d))
    designs = loop.designs(T, replicates)
    real_designs = loop.designs(policy.real if isinstance(policy, FreshReal) else 0, replicates)
    window: deque[Floats] = deque(maxlen=policy.k if isinstance(policy, LastK) else 0)
    pool: Floats = np.zeros((d, d + 1))
    for t in range(1, risk.shape[1]):
        batches = 1 if loop.is_frozen else t  # copies of a row count once
        if t == 1 and isinstance(policy, FreshReal):
            pool, rows = loop.label(next(real_designs), truth), policy.real
        else:
            made = loop.label(next(designs), w)
            match policy:
                case Accumulate():
                    pool, rows = pool + made, batches * T
                case LastK(k=k):
                    window.append(made)
                    pool, rows = np.sum(window, axis=0), min(batches, k) * T
                case FreshReal(real=real):
                    pool, rows = made + loop.label(next(real_designs), truth), T + real
                case _:
                    pool, rows = made, T
        w = _least_norm(pool, is_full_rank=rows >= d)
        risk[:, t] = loop.risk_of(w)


def _subsample(loop: _Loop, risk: Floats) -> None:
    """Keep every row, and fit T of them drawn without replacement."""
    T, rng, replicates = loop.T, loop.rng, len(risk)
    w = np.broadcast_to(loop.truth, (replicates, loop.d))
    x, y = np.empty((replicates, 0, loop.d)), np.empty((replicates, 0, 1))
    for t in range(1, risk.shape[1]):
        if t == 1 or not loop.is_frozen:
            new = rng.standard_normal((replicates, T, loop.d)) * loop.scale
            x = np.concatenate([x, new], axis=1)
        noise = loop.noise * rng.standard_normal((replicates, T, 1))
        y = np.concatenate([y, new @ w[..., None] + noise], axis=1)
        pick = rng.random(y.shape[:2]).argpartition(T - 1, axis=1)[:, :T, None]
        labels = np.take_along_axis(y, pick, axis=1)
        rows = np.take_along_axis(x, pick % x.shape[1], axis=1)
        equations = rows.mT @ np.concatenate([rows, labels], axis=2)
        w = _least_norm(equations, is_full_rank=T >= loop.d and not loop.is_frozen)
        risk[:, t] = loop.risk_of(w)


def _least_norm(equations: Floats, *, is_full_rank: bool) -> Floats:
    """The solution of least norm of the normal equations [A | b], one for each replicate."""
    gram, moment = equations[..., :-1], equations[..., -1:]
    if is_full_rank:
        return np.linalg.solve(gram, moment)[..., 0]
    return (np.linalg.pinv(gram, rcond=RANK_TOLERANCE, hermitian=True) @ moment)[..., 0]


def _per_feature(name: str, values: ArrayLike | None, default: Floats) -> Floats:
    if values is None:
        return default
    values = array(name, values, ndim=1)
    if values.shape != default.shape:
        raise ValueError(f"{name} must be {len(default)} numbers, got {len(values)}")
    return values
