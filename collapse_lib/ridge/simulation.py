"""Ridge regression on synthetic labels: simulators that are exact in law.

A T × d Gaussian design X = ZΣ^{1/2} enters a ridge fit only through XᵀX and XᵀE. Write
Z = QR with orthonormal columns in Q. The Bartlett factor R, of min(T, d) rows, has known
entries, and g = QᵀE is standard normal. So XᵀX = Σ^{1/2}RᵀRΣ^{1/2} and XᵀE = Σ^{1/2}Rᵀg, and
no design is ever drawn: the cost does not depend on T.

Conventions as in `spectrum`: eigenbasis of Σ, penalty λ of (Σ̂ + λ)⁻¹XᵀY/T. Rows and
generations are whole numbers here, and no eigenvalue has a multiplicity.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._draws import bartlett_factor, chunks
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, positive, whole_number, whole_numbers
from collapse_lib.ridge.spectrum import REAL_LABELS, Ridge, RidgeTerms, Teacher, like_spectrum

__all__ = [
    "bartlett_factor",
    "simulate_mixed",
    "simulate_ridge",
    "simulate_ridge_loop",
    "simulate_terms",
]

AT_ONCE = 2**21  # numbers in the factors drawn together: 16 megabytes


def simulate_ridge(
    student: Ridge, teacher: Teacher = REAL_LABELS, *, replicates: int = 1, rng: Rng = None
) -> Floats:
    """Draw the excess risk of a ridge fit to a teacher's labels.

    Parameters
    ----------
    student : Ridge
    teacher : Teacher
        With at least d rows, if there are generations. By default the labels are real.
    replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates,) or (replicates, penalties)
        The penalties of one replicate see the same data.

    Examples
    --------
    >>> student = Ridge([1, 0.5], [1, 1], rows=20, penalty=[0.01, 0.1])
    >>> simulate_ridge(student, Teacher(generations=3, rows=10), replicates=5, rng=1).shape
    (5, 2)
    """
    rows, replicates, rng = _checked(student, replicates, rng)
    spectrum, truth, penalties = student.spectrum, student.truth, np.ravel(student.penalty)
    risk = np.empty((replicates, len(penalties)))
    for part in chunks(replicates, len(spectrum) ** 2, at_once=AT_ONCE):
        size = part.stop - part.start
        labeller = truth + _teacher_errors(spectrum, teacher, size, rng)
        factor = bartlett_factor(rows, len(spectrum), size, rng=rng)
        g = student.noise * rng.standard_normal(factor.shape[:2])
        for k, penalty in enumerate(penalties):
            w = student.shrink * _fit(factor * np.sqrt(spectrum), labeller, g, penalty * rows)
            risk[part, k] = (w - truth) ** 2 @ spectrum
    return risk[:, 0] if np.ndim(student.penalty) == 0 else risk


def simulate_terms(
    student: Ridge, teacher: Teacher = REAL_LABELS, *, replicates: int = 1, rng: Rng = None
) -> RidgeTerms:
    """Draw designs, and return the expected excess risk given each, term by term.

    Averaging over noise and teachers exactly leaves little spread, so that few replicates
    measure the risk well. The teachers enter by `Teacher.error`, their mean square error in
    theory: to test that too, draw them with `simulate_ridge`.

    Parameters
    ----------
    student, teacher, replicates, rng
        As in `simulate_ridge`; the teacher's rows above d + 1.

    Returns
    -------
    RidgeTerms
        Each of shape (replicates,) or (replicates, penalties).

    Examples
    --------
    >>> student, teacher = Ridge([1, 0.5], [1, 1], rows=200), Teacher(generations=3, rows=10)
    >>> terms = simulate_terms(student, teacher, replicates=2, rng=1)
    >>> terms.toll.round(3), terms.bias.round(3)
    (array([0.857, 0.857]), array([0., 0.]))
    """
    rows, replicates, rng = _checked(student, replicates, rng)
    _chain(teacher, len(student.spectrum))
    root, penalties = np.sqrt(student.spectrum), np.ravel(student.penalty)
    error = teacher.error(student.dimension)
    terms = np.empty((3, replicates, len(penalties)))
    for part in chunks(replicates, len(root) ** 2, at_once=AT_ONCE):
        factor = bartlett_factor(rows, len(root), part.stop - part.start, rng=rng)
        for k, penalty in enumerate(penalties):
            a = factor * root
            h = student.shrink * root[:, None] * _label_filter(a, penalty * rows)
            lost = root * student.truth - np.einsum("rij,rj->ri", h, a @ student.truth)
            bias, variance = (lost**2).sum(axis=1), student.noise**2 * (h**2).sum(axis=(1, 2))
            fake = ((h @ factor) ** 2).sum(axis=(1, 2))
            terms[:, part, k] = bias, variance, error * fake
    return RidgeTerms(*(terms[..., 0] if np.ndim(student.penalty) == 0 else terms))


def simulate_mixed(
    student: Ridge, synthetic: int, *, error: ArrayLike, replicates: int = 1, rng: Rng = None
) -> RidgeTerms:
    """Ridge on real and synthetic rows together: the expected excess risk given the designs.

    Parameters
    ----------
    student : Ridge
        With one penalty, above 0 unless there are d rows. Its rows are the real and the
        synthetic ones together; their labels have the same noise.
    synthetic : int
        Synthetic rows; there is at least one of each kind. Their labels come from w₀ + δ, δ
        centred and independent of all else.
    error : array_like, (d,)
        Diagonal of the covariance of δ, which must be diagonal.
    replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    RidgeTerms
        Each of shape (replicates,); the toll is that of δ.

    Examples
    --------
    >>> student = Ridge([1, 0.5], [1, 1], rows=10, penalty=0.1)
    >>> simulate_mixed(student, 5, error=[1, 1], replicates=3, rng=1).toll.shape
    (3,)
    """
    rows, replicates, rng = _checked(student, replicates, rng)
    spectrum, truth, d = student.spectrum, student.truth, len(student.spectrum)
    penalty = positive("penalty", student.penalty, zero=True)
    synthetic = int(whole_numbers("synthetic", synthetic, minimum=1, maximum=rows - 1))
    error = like_spectrum("error", error, spectrum, minimum=0)
    if penalty == 0 and rows < d:
        raise ValueError(f"penalty must be above 0 with fewer than d = {d} rows, got {penalty!r}")
    root, terms = np.sqrt(spectrum), np.empty((3, replicates))
    for part in chunks(replicates, d**2, at_once=AT_ONCE):
        size = part.stop - part.start
        real, fake = (
            bartlett_factor(T, d, size, rng=rng) * root for T in (rows - synthetic, synthetic)
        )
        fake_gram = fake.transpose(0, 2, 1) @ fake
        gram = real.transpose(0, 2, 1) @ real + fake_gram
        h = student.shrink * root[:, None] * np.linalg.inv(gram + penalty * rows * np.eye(d))
        lost = penalty * rows * (h @ truth) + (1 - student.shrink) * root * truth
        variance = student.noise**2 * ((h @ gram) * h).sum(axis=(1, 2))
        toll = ((h @ fake_gram) ** 2 @ error).sum(axis=1)
        terms[:, part] = (lost**2).sum(axis=1), variance, toll
    return RidgeTerms(*terms)


def simulate_ridge_loop(
    student: Ridge, generations: int, *, replicates: int = 1, rng: Rng = None
) -> Floats:
    """Draw a loop that fits by ridge in every generation, each to fresh rows.

    Parameters
    ----------
    student : Ridge
        Every fit, with one penalty.
    generations : int
    replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates, generations + 1)
        Excess risk; entry 0, the truth, is 0.

    Examples
    --------
    >>> student = Ridge([1, 0.5], [1, 1], rows=20, penalty=0.1)
    >>> simulate_ridge_loop(student, 4, replicates=5, rng=1).shape
    (5, 5)
    """
    rows, replicates, rng = _checked(student, replicates, rng)
    spectrum, truth = student.spectrum, student.truth
    penalty = positive("penalty", student.penalty, zero=True)
    generations = whole_number("generations", generations)
    risk = np.zeros((replicates, generations + 1))
    for part in chunks(replicates, len(spectrum) ** 2, at_once=AT_ONCE):
        size = part.stop - part.start
        w = np.broadcast_to(truth, (size, len(truth)))
        for t in range(1, generations + 1):
            factor = bartlett_factor(rows, len(spectrum), size, rng=rng)
            g = student.noise * rng.standard_normal(factor.shape[:2])
            w = student.shrink * _fit(factor * np.sqrt(spectrum), w, g, penalty * rows)
            risk[part, t] = (w - truth) ** 2 @ spectrum
    return risk


def _teacher_errors(
    spectrum: Floats, teacher: Teacher, replicates: int, rng: np.random.Generator
) -> Floats:
    """Draw what the chain of fits adds to the truth, (replicates, d).

    One fit adds σ₀Σ^{-1/2}g/√χ²_{T₀−d+1}. Given the χ² a sum of such terms is Gaussian.
    """
    generations, rows = _chain(teacher, len(spectrum))
    draws = generations if teacher.design == "fresh" else min(generations, 1)
    inverse = (1 / rng.chisquare(rows - len(spectrum) + 1, size=(replicates, draws))).sum(axis=1)
    if teacher.design == "frozen":
        inverse *= generations
    g = rng.standard_normal((replicates, len(spectrum)))
    total: Floats = teacher.noise * np.sqrt(inverse)[:, None] * g / np.sqrt(spectrum)
    return total


def _chain(teacher: Teacher, d: int) -> tuple[int, int]:
    """The teacher's generations and rows as whole numbers; d rows if there are no generations."""
    generations = whole_number("generations", teacher.generations)
    if not generations:
        return 0, d
    return generations, whole_number("the teacher's rows", teacher.rows, minimum=d)


def _checked(student: Ridge, replicates: int, rng: Rng) -> tuple[int, int, np.random.Generator]:
    """Rows and replicates as whole numbers, and a generator."""
    if (student.often != 1).any():
        raise ValueError(f"multiplicities must be 1 in a simulation, got {student.multiplicities}")
    rows = whole_number("rows", student.rows, minimum=1)
    return rows, whole_number("replicates", replicates, minimum=1), as_generator(rng)


def _fit(a: Floats, labeller: Floats, g: Floats, ridge: float) -> Floats:
    """Ridge fit to the labels a·labeller + g, (replicates, d); ``ridge`` is λT."""
    target = np.einsum("rij,rj->ri", a, labeller) + g
    if ridge == 0 and a.shape[1] == a.shape[2]:
        return labeller + np.linalg.solve(a, g[..., None])[..., 0]
    solved = np.linalg.solve(_gram(a, ridge), target[..., None])[..., 0]
    weights: Floats = np.einsum("rij,ri->rj", a, solved)
    return weights


def _label_filter(a: Floats, ridge: float) -> Floats:
    """What maps labels to the fit: Aᵀ(AAᵀ + λT)⁻¹, (replicates, d, rank)."""
    if ridge == 0 and a.shape[1] == a.shape[2]:
        return np.linalg.inv(a)
    return np.linalg.solve(_gram(a, ridge), a).transpose(0, 2, 1)


def _gram(a: Floats, ridge: float) -> Floats:
    return a @ a.transpose(0, 2, 1) + ridge * np.eye(a.shape[1])
