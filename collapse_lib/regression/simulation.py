"""Linear regression that trains on its own labels: simulators exact in law.

Least squares asks two things of T rows: XᵀX and Xᵀy. If the rows are Gaussian, the first is
RᵀR with a triangular R of independent normal and chi entries (Bartlett's factor), and given it
the noise part of the second is Rᵀg with standard normal g. So d(d+1)/2 numbers a generation
replace T·d. Under replace the risk alone is a Markov chain of three numbers a generation.

The closed forms it is compared with live in `regression_theory` and `regression_mixed`
and can be had from here too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, one_of, positive, whole_number
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    FreshReal,
    LastK,
    Policy,
    Replace,
    policy_named,
)
from collapse_lib.regression.mixed import (
    fresh_real_contraction,
    fresh_real_risk,
    optimal_real_weight,
)
from collapse_lib.regression.theory import (
    DESIGNS,
    accumulate_bound,
    accumulate_limit,
    accumulate_risk,
    accumulate_subsample_risk,
    effective_rows,
    one_fit_risk,
    replace_risk,
    replace_sd,
)

__all__ = [
    "RegressionTrajectory",
    "accumulate_bound",
    "accumulate_limit",
    "accumulate_risk",
    "accumulate_subsample_risk",
    "effective_rows",
    "fresh_real_contraction",
    "fresh_real_risk",
    "one_fit_risk",
    "optimal_real_weight",
    "refit_risk",
    "replace_risk",
    "replace_sd",
    "simulate",
]

CHUNK = 2**14  # numbers drawn together: 128 kilobytes an array, which stays in cache
RANK_TOLERANCE = 1e-12  # eigenvalues of XᵀX below this share of the largest are rounding
POLICIES = ("replace", "accumulate", "accumulate-subsample", "fresh-real", "partly-real")
REUSED = "last-k with reuse=True"


@dataclass(frozen=True)
class RegressionTrajectory:
    """The excess risk of every replicate in every generation.

    Attributes
    ----------
    risk : ndarray, (replicates, generations + 1)
        ‖ŵ_t − w₀‖² in the metric of the covariance; index 0 is the truth, whose risk is 0.
    d, T : int
        Features, new synthetic rows a generation.
    policy : Policy
    design : str
    """

    risk: Floats
    d: int
    T: int
    policy: Policy
    design: str

    @property
    def replicates(self) -> int:
        return self.risk.shape[0]


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
        Features, new synthetic rows a generation (LastK: T // k). With fewer independent rows
        than features the fit is the one of least norm.
    generations : int
        Number of fits.
    replicates : int
        Independent runs.
    policy : Policy or str
        Replace, Accumulate, AccumulateSubsample, FreshReal, PartlyReal or LastK with
        ``reuse``, or a name.
    design : {"fresh", "frozen"}
        Whether each generation draws its rows anew, or labels the same rows again.
    covariance : array_like, (d,), optional
        Variances of the features along the axes of their covariance; ones by default.
    truth : array_like, (d,), optional
        The true weights w₀ along the same axes; zeros by default. They matter only where
        fits interpolate.
    noise : float
        Standard deviation of the labels' noise.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    RegressionTrajectory

    Raises
    ------
    ValueError
        If an argument is out of range, or no simulator is known for the policy.

    References
    ----------
    Dohmatob, Feng & Kempe, arXiv 2402.07712 (replace); Gerstgrasser, Schaeffer et al., arXiv
    2404.01413 (accumulate); Kazdan, Schaeffer et al., arXiv 2410.16713 (subsample); M. S.
    Bartlett, Proc. R. Soc. Edinburgh 53 (1933) (the factor of a Wishart matrix).

    Examples
    --------
    >>> run = simulate(5, 20, generations=4, replicates=20_000, policy="accumulate", rng=1)
    >>> run.risk.shape, bool(abs(run.risk[:, 4].mean() - accumulate_risk(5, 20, 4)) < 0.01)
    ((20000, 5), True)
    """
    d, T = whole_number("d", d, minimum=1), whole_number("T", T, minimum=1)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    policy = policy_named(policy)
    reused = policy if isinstance(policy, LastK) and policy.reuse else None
    one_of("policy", REUSED if reused else policy.name, (*POLICIES, REUSED))
    if reused:
        whole_number("T", T, minimum=reused.k)
    one_of("design", design, DESIGNS)
    scale = np.sqrt(_along_axes("covariance", covariance, d, default=1.0, minimum=0))
    start = _along_axes("truth", truth, d, default=0.0)
    noise = positive("noise", noise, zero=True)
    batch = T // reused.k if reused else T
    loop = _Loop(d, batch, policy, scale, start, noise, design == "frozen", as_generator(rng))
    if isinstance(policy, Replace) and T >= d and not loop.frozen:
        advance, numbers = _replace, 1
    elif isinstance(policy, AccumulateSubsample):
        advance, numbers = _subsample, d * T * (1 if loop.frozen else max(generations, 1))
    else:
        advance, numbers = _refit, d * (d + 1)
    risk = np.zeros((replicates, generations + 1))
    rows = max(1, CHUNK // numbers)
    for first in range(0, replicates, rows):
        advance(loop, risk[first : first + rows])
    return RegressionTrajectory(risk, d, T, policy, design)


def refit_risk(risk: ArrayLike, d: int, T: int, *, noise: float = 1.0, rng: Rng = None) -> Floats:
    """Draw the risk of one more least-squares fit, on labels of a model with a known risk.

    The new error is the old one plus a spherical one, and only the angle between them
    matters: one normal and two chi-square draws a fit, whatever d and T.

    Parameters
    ----------
    risk : float or array_like
        Excess risk of the model that labels the rows.
    d, T : int
        Features and rows, T ≥ d.
    noise : float
        Standard deviation of the labels' noise.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, the shape of ``risk``

    Examples
    --------
    >>> after = refit_risk(np.full(100_000, 2.0), d=10, T=111, rng=1)
    >>> bool(abs(after.mean() - (2 + one_fit_risk(10, 111))) < 0.005)
    True
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d)
    noise = positive("noise", noise, zero=True)
    risk = np.asarray(risk, dtype=float)
    if not (risk >= 0).all() or not np.isfinite(risk).all():
        raise ValueError(f"risk must be finite and at least 0, got {risk.min()}")
    return _one_step(risk, d, T, noise, as_generator(rng))


@dataclass(frozen=True)
class _Loop:
    """What every generation of a run has in common."""

    d: int
    T: int
    policy: Policy
    scale: Floats  # standard deviations of the features
    truth: Floats
    noise: float
    frozen: bool
    rng: np.random.Generator

    def factor(self, rows: int, replicates: int) -> Floats:
        """The triangular (or trapezoidal) factor R of a fresh design's XᵀX = RᵀR."""
        return bartlett_factor(rows, self.d, replicates, rng=self.rng) * self.scale

    def designs(self, rows: int, replicates: int) -> Iterator[Floats]:
        """Yield one factor a generation: a new one, or the same again if frozen."""
        factor = self.factor(rows, replicates)
        while True:
            yield factor
            if not self.frozen:
                factor = self.factor(rows, replicates)

    def independent_rows(self, t: int, real_rows: int) -> int:
        """Rows of generation t's training set that are not copies of each other."""
        if isinstance(self.policy, Accumulate | LastK) and not self.frozen:
            return min(t, getattr(self.policy, "k", t)) * self.T
        if real_rows:
            return real_rows + (self.T if t > 1 else 0)
        return self.T

    def equations(self, factor: Floats, w: Floats) -> Floats:
        """The normal equations [XᵀX | Xᵀy] of rows that model w has labelled."""
        noise = self.noise * self.rng.standard_normal(factor.shape[:2])
        labels = (factor @ w[..., None])[..., 0] + noise
        equations: Floats = factor.mT @ np.concatenate([factor, labels[..., None]], axis=2)
        return equations

    def risk_of(self, w: Floats) -> Floats:
        risk: Floats = ((self.scale * (w - self.truth)) ** 2).sum(axis=1)
        return risk


def _one_step(risk: Floats, d: int, T: int, noise: float, rng: np.random.Generator) -> Floats:
    """(r + c Z)² + c² χ²_{d−1} with c² = noise²/χ²_{T−d+1}: the multivariate t increment."""
    c = noise / np.sqrt(2 * rng.standard_gamma((T - d + 1) / 2, size=risk.shape))
    along = np.sqrt(risk) + c * rng.standard_normal(risk.shape)
    return along**2 + 2 * c**2 * rng.standard_gamma((d - 1) / 2, size=risk.shape)


def _replace(loop: _Loop, risk: Floats) -> None:
    newest = risk[:, 0]
    for t in range(1, risk.shape[1]):
        newest = _one_step(newest, loop.d, loop.T, loop.noise, loop.rng)
        risk[:, t] = newest


def _refit(loop: _Loop, risk: Floats) -> None:
    """Solve the normal equations of whatever rows the policy keeps."""
    d, T, policy, replicates = loop.d, loop.T, loop.policy, len(risk)
    real_rows = getattr(policy, "real", 0)
    made_designs, real_designs = (loop.designs(rows, replicates) for rows in (T, real_rows))
    w = truth = np.broadcast_to(loop.truth, (replicates, d))
    window: deque[Floats] = deque(maxlen=getattr(policy, "k", 1))
    real: Floats = np.zeros((d, d + 1))
    pool = real
    for t in range(1, risk.shape[1]):
        if t == 1 and real_rows:
            pool = real = loop.equations(next(real_designs), truth)
        else:
            made = loop.equations(next(made_designs), w)
            if isinstance(policy, FreshReal):
                real = loop.equations(next(real_designs), truth)
            window.append(made)
            pool = (pool if isinstance(policy, Accumulate) else real) + reduce(add, window)
        w = _least_norm(pool, is_full_rank=loop.independent_rows(t, real_rows) >= d)
        risk[:, t] = loop.risk_of(w)


def _subsample(loop: _Loop, risk: Floats) -> None:
    """Keep every row, and fit T of them drawn without replacement."""
    T, replicates = loop.T, len(risk)
    w = np.broadcast_to(loop.truth, (replicates, loop.d))
    x, y = np.empty((replicates, 0, loop.d)), np.empty((replicates, 0, 1))
    for t in range(1, risk.shape[1]):
        if t == 1 or not loop.frozen:
            new = loop.rng.standard_normal((replicates, T, loop.d)) * loop.scale
            x = np.concatenate([x, new], axis=1)
        noise = loop.noise * loop.rng.standard_normal((replicates, T, 1))
        y = np.concatenate([y, new @ w[..., None] + noise], axis=1)
        pick = loop.rng.random(y.shape[:2]).argpartition(T - 1, axis=1)[:, :T, None]
        labels = np.take_along_axis(y, pick, axis=1)
        rows = np.take_along_axis(x, pick % x.shape[1], axis=1)
        equations = rows.mT @ np.concatenate([rows, labels], axis=2)
        w = _least_norm(equations, is_full_rank=T >= loop.d and not loop.frozen)
        risk[:, t] = loop.risk_of(w)


def _least_norm(equations: Floats, *, is_full_rank: bool) -> Floats:
    """The solution of least norm of the normal equations [A | b], one for each replicate."""
    gram, moment = equations[..., :-1], equations[..., -1:]
    if is_full_rank:
        return np.linalg.solve(gram, moment)[..., 0]
    return (np.linalg.pinv(gram, rcond=RANK_TOLERANCE, hermitian=True) @ moment)[..., 0]


def _along_axes(
    name: str, values: ArrayLike | None, d: int, *, default: float, minimum: float = -np.inf
) -> Floats:
    values = np.full(d, default) if values is None else np.asarray(values, dtype=float)
    if values.shape != (d,) or not np.isfinite(values).all() or (values < minimum).any():
        floor = "" if minimum == -np.inf else f", at least {minimum}"
        raise ValueError(f"{name} must be {d} finite numbers{floor}, got {values}")
    return values
