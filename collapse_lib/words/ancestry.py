"""Words traced backwards: the coalescent dual of multinomial (Wright–Fisher) sampling.

Each of the n tokens of generation t picks a uniform parent among the n tokens of
generation t − 1. Followed backwards, n tokens have A₁ distinct parents, those have A₂
distinct parents, and so on: throw A balls into n boxes and count the boxes hit. All
that a word's fate needs is that one chain, whatever the word frequencies are.

The proofs are in the chapter *Forgetting time*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import probabilities, whole_number

__all__ = [
    "CollapseTime",
    "ancestor_distribution",
    "collapse_time",
    "expected_vocabulary",
    "kingman_survival",
    "word_gone_probability",
]

LARGEST_CHAIN = 8192  # (n+1)² doubles: half a gigabyte


@dataclass(frozen=True)
class CollapseTime:
    """Expected number of fits until one word is left.

    Attributes
    ----------
    exact : float
        From the ancestor chain.
    diffusion : float
        Large-n value 2nΣ(1 − p) ln(1/(1 − p)), between 2n(1 − Σp²) and 2n.
    """

    exact: float
    diffusion: float


def _transitions(n: int) -> Floats:
    """Chance, at (a, b), that a balls thrown into n boxes hit b different boxes.

    Ball by ball: the next ball hits an old box with chance b/n, a new one with (n − b)/n.
    """
    n = whole_number("n", n, minimum=1)
    if n > LARGEST_CHAIN:
        raise ValueError(f"n must be at most {LARGEST_CHAIN} for the exact chain, got {n}")
    share_hit = np.arange(n + 1) / n
    table = np.zeros((n + 1, n + 1))
    table[0, 0] = 1.0
    for a in range(n):
        table[a + 1] = table[a] * share_hit
        table[a + 1, 1:] += table[a, :-1] * (1 - share_hit[:-1])
    return table


def ancestor_distribution(n: int, generations: int) -> Floats:
    """Law of the number of ancestors, for 0 … ``generations`` generations back.

    Parameters
    ----------
    n : int
        Draws per generation, from 1 to 8192.
    generations : int

    Returns
    -------
    ndarray, (generations + 1, n + 1)
        Row t is the law of A_t; A₀ = n.

    Examples
    --------
    >>> ancestor_distribution(3, 1)[1].round(4)
    array([0.    , 0.1111, 0.6667, 0.2222])
    """
    step = _transitions(n)
    law = np.zeros((whole_number("generations", generations) + 1, len(step)))
    law[0, -1] = 1.0
    for t in range(1, len(law)):
        law[t] = law[t - 1] @ step
    return law


def word_gone_probability(truth: ArrayLike, n: int, generations: int) -> Floats:
    """Chance that each word is missing from each fit, E(1 − p)^{A_{t−1}}.

    Parameters
    ----------
    truth : array_like, (words,)
        Probabilities p.
    n : int
        Draws per generation.
    generations : int

    Returns
    -------
    ndarray, (generations + 1, words)
        Row 0, the truth, is 1 only for words with p = 0.

    Examples
    --------
    >>> word_gone_probability([0.5, 0.5], n=2, generations=1)[1]
    array([0.25, 0.25])
    """
    p = probabilities("truth", truth)
    generations = whole_number("generations", generations)
    at_truth: Floats = (p == 0).astype(float)[None]
    if generations == 0:
        return at_truth
    law = ancestor_distribution(n, generations - 1)
    powers = (1 - p) ** np.arange(law.shape[1])[:, None]
    return np.vstack([at_truth, law @ powers])


def expected_vocabulary(truth: ArrayLike, n: int, generations: int) -> Floats:
    """Expected number of different words in each fit, exact for multinomial sampling.

    Parameters
    ----------
    truth : array_like, (words,)
    n, generations : int
        As in `word_gone_probability`.

    Returns
    -------
    ndarray, (generations + 1,)

    Examples
    --------
    >>> expected_vocabulary([0.5, 0.5], n=2, generations=1)
    array([2. , 1.5])
    """
    words: Floats = (1 - word_gone_probability(truth, n, generations)).sum(axis=1)
    return words


def collapse_time(truth: ArrayLike, n: int) -> CollapseTime:
    """Expected number of fits until a single word is left.

    Parameters
    ----------
    truth : array_like, (words,)
        Probabilities p.
    n : int
        Draws per generation, from 2 to 8192.

    Returns
    -------
    CollapseTime

    Notes
    -----
    P(T > t) = E h(A_{t−1}) with h(a) = 1 − Σp^a, so E T = 1 + u(n), where u solves
    u(a) = h(a) + Σ_b P(a → b) u(b), u(1) = 0: one triangular system.

    References
    ----------
    Seddik et al., arXiv 2404.05090, fully synthetic setting, give n ≲ E T ≲ n². The limit is
    classical (Baxter, Blythe and McKane, Mathematical Biosciences 209, 2007); the chapter
    *Forgetting time* proves it with a bound for every n.

    Examples
    --------
    >>> result = collapse_time([0.1, 0.9], n=200)
    >>> round(result.exact, 1), round(result.diffusion, 1)
    (128.2, 130.0)
    """
    p = probabilities("truth", truth)
    n = whole_number("n", n, minimum=2)
    if p.max() == 1:
        return CollapseTime(exact=0.0, diffusion=0.0)
    step = _transitions(n)[2:, 2:]
    undecided = np.array([1 - np.sum(p**a) for a in range(2, n + 1)])
    waiting = solve_triangular(np.eye(n - 1) - step, undecided, lower=True)
    return CollapseTime(
        exact=1 + float(waiting[-1]),
        diffusion=float(-2 * n * np.sum((1 - p) * np.log1p(-p))),
    )


def kingman_survival(x: ArrayLike) -> Floats:
    """Chance that Kingman's coalescent needs longer than x, in units of n generations.

    Parameters
    ----------
    x : float or array_like
        Times, more than 0.

    Returns
    -------
    float or ndarray, the shape of ``x``
        P(Σ_{k≥2} Exp(k(k−1)/2) > x) = Σ_{k≥2} (−1)^k (2k − 1) e^{−k(k−1)x/2}: the law of
        T/n when every word is rare and n is large.

    References
    ----------
    Kingman, *The coalescent*, Stochastic Processes and their Applications 13 (1982).

    Examples
    --------
    >>> kingman_survival([0.5, 2.0]).round(4)
    array([0.9975, 0.3937])
    """
    x = np.asarray(x, dtype=float)
    if not (x > 0).all():
        raise ValueError(f"x must be more than 0, got {x.min()}")
    x = x.clip(0.01)  # below it the answer is 1 to machine precision
    k = np.arange(2, 400)
    terms = (-1.0) ** k * (2 * k - 1) * np.exp(-k * (k - 1) * x[..., None] / 2)
    chance: Floats = np.clip(terms.sum(axis=-1), 0.0, 1.0)
    return chance
