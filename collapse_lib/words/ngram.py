"""N-gram models that rewrite a text, each trained on what the last one wrote.

A text is an array of word numbers, as `collapse_lib.data.text` makes it, and is read in a
circle: the word after the last is the first.

The proofs are in the chapter *Forgetting time*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._types import ArrayLike, Ints, Rng
from collapse_lib.checks import as_generator, whole_number, whole_numbers

__all__ = ["Index", "Rewritings", "index", "rewrite", "walk"]


@dataclass(frozen=True)
class Index:
    """Positions of a circular text, grouped by the order − 1 words before each.

    Attributes
    ----------
    context : ndarray of int, (length,)
        Number of the context that precedes each position.
    positions : ndarray of int, (length,)
        All positions, sorted by context.
    first, size : ndarray of int, (contexts,)
        Where a context's positions start in ``positions``, and how many there are.
    """

    context: Ints
    positions: Ints
    first: Ints
    size: Ints


def index(tokens: ArrayLike, order: int) -> Index:
    """Index a circular text for `walk`.

    Parameters
    ----------
    tokens : array_like of int, (length,)
    order : int
        1 for single words, 2 for bigrams, and so on; less than the length.

    Returns
    -------
    Index

    Examples
    --------
    >>> index(np.array([0, 1, 0, 2]), order=2).size  # followers of 0, of 1, of 2
    array([2, 1, 1])
    """
    tokens, order = _tokens_and_order(tokens, order)
    if tokens.max() < 2**16:
        tokens = tokens.astype(np.uint16)  # sorted by digits, which is several times faster
    positions, starts = np.arange(len(tokens)), np.zeros(len(tokens), dtype=bool)
    starts[0] = True
    if order > 1:
        before = [np.roll(tokens, back) for back in range(1, order)]
        positions = np.lexsort(before)  # by the word furthest back, then by the next
        for word in before:
            starts[1:] |= np.diff(word[positions]) != 0
    context = np.empty_like(positions)
    context[positions] = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    return Index(context, positions, first, np.diff(first, append=len(tokens)))


def _tokens_and_order(tokens: ArrayLike, order: int) -> tuple[Ints, int]:
    tokens, order = whole_numbers("tokens", tokens), whole_number("order", order, minimum=1)
    if order >= len(tokens):
        raise ValueError(f"order must be less than the text's {len(tokens)} words, got {order}")
    return tokens, order


def walk(index: Index, *, walkers: int = 256, rng: Rng = None) -> Ints:
    """Write a new text of the same length by walking through the old one.

    A step looks up the context it is in, picks one of its occurrences uniformly, and
    copies the word found there: maximum-likelihood n-gram sampling.

    Parameters
    ----------
    index : Index
    walkers : int
        The new text is this many independent walks, each from a uniform position,
        laid end to end. Many are faster.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray of int, (length,)
        The positions copied; ``tokens[positions]`` is the new text.

    Notes
    -----
    Every old position is copied exactly once on average, at every order and for any
    number of walkers: a uniform position followed by a uniform occurrence of the
    next context is again a uniform position.

    References
    ----------
    Suresh et al., arXiv 2412.17646, experiments with unigram and bigram text.

    Examples
    --------
    >>> tokens = np.array([0, 1, 2, 0, 1, 3])
    >>> tokens[walk(index(tokens, order=2), walkers=1, rng=4)]
    array([3, 0, 1, 3, 0, 1])
    """
    rng = as_generator(rng)
    length = len(index.context)
    walkers = min(whole_number("walkers", walkers, minimum=1), length)
    steps = -(-length // walkers)
    uniform = rng.random((steps, walkers))
    # A position goes by its place in `positions`: after it come `size` places, from `first` on.
    following = np.roll(index.context, -1)[index.positions]
    first, size = index.first[following], index.size[following]
    visited = np.empty((steps, walkers), dtype=np.int64)
    at = rng.integers(length, size=walkers)
    for step in range(steps):
        visited[step] = at
        at = first[at] + (uniform[step] * size[at]).astype(np.int64)
    return index.positions[visited.T.reshape(-1)[:length]]


@dataclass(frozen=True)
class Rewritings:
    """Word counts of a text and of its rewritings.

    Attributes
    ----------
    counts : ndarray of int, (generations + 1, types)
        Index 0 is the text itself.
    forgetting_time : ndarray of int, (types,)
        First generation without the word; ``generations + 1`` where it lasted.
    """

    counts: Ints
    forgetting_time: Ints


def rewrite(
    tokens: ArrayLike, generations: int, *, order: int, walkers: int = 256, rng: Rng = None
) -> Rewritings:
    """Let an n-gram model rewrite a text again and again, each time trained on the last result.

    Parameters
    ----------
    tokens : array_like of int, (length,)
    generations : int
    order, walkers : int
        As in `index` and `walk`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Rewritings

    Examples
    --------
    >>> to_be_or_not_to_be = np.array([0, 1, 2, 3, 0, 1])
    >>> history = rewrite(to_be_or_not_to_be, 20, order=1, rng=2)
    >>> history.counts.sum(axis=1).max(), (history.counts[-1] > 0).sum()
    (np.int64(6), np.int64(1))
    """
    tokens, order = _tokens_and_order(tokens, order)
    generations, rng = whole_number("generations", generations), as_generator(rng)
    types = int(tokens.max()) + 1
    counts = np.empty((generations + 1, types), dtype=np.int64)
    counts[0] = np.bincount(tokens, minlength=types)
    for t in range(1, generations + 1):
        tokens = tokens[walk(index(tokens, order), walkers=walkers, rng=rng)]
        counts[t] = np.bincount(tokens, minlength=types)
    return Rewritings(counts, (counts > 0).sum(axis=0))
