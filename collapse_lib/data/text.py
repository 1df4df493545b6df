"""Real text as word counts, and n-gram models that rewrite it.

The text that ships with Python (the help topics of `pydoc`) needs no download; any
text file of the reader's own works the same way. It differs between versions of
Python: compute with it, never hard-code a number from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collapse_lib._types import Ints, Rng, StrPath
from collapse_lib.checks import as_generator, whole_number

__all__ = [
    "Text",
    "TextTrajectory",
    "contents",
    "ngram_index",
    "ngram_walk",
    "offspring",
    "read",
    "rewrite",
    "words",
]

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Text:
    """A text as word numbers.

    Attributes
    ----------
    tokens : ndarray of int, (length,)
        The text, one number a word.
    vocabulary : tuple of str
        The words, most frequent first, so that number 0 is the commonest.
    counts : ndarray of int, (types,)
        Occurrences of each word.
    """

    tokens: Ints
    vocabulary: tuple[str, ...]
    counts: Ints


def words(text: str) -> list[str]:
    """Split a text into lower-case words.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> words("Don't panic: it's 42 o'clock!")
    ["don't", 'panic', "it's", "o'clock"]
    """
    return WORD.findall(text.lower())


def read(path: StrPath | None = None) -> Text:
    """Read a text and number its words.

    Parameters
    ----------
    path : str or path-like, optional
        A UTF-8 text file; by default the help topics that ship with Python.

    Returns
    -------
    Text

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read as UTF-8 text, or holds no words.

    Examples
    --------
    >>> text = read()
    >>> len(text.tokens) == text.counts.sum()
    np.True_
    >>> text.vocabulary[0]
    'the'
    """
    return number_words(contents(path), source="path" if path is None else f"path {str(path)!r}")


def number_words(text: str, *, source: str = "text") -> Text:
    """Number the words of a string, commonest first (ties alphabetically).

    Raises
    ------
    ValueError
        If ``text`` holds no words.

    Examples
    --------
    >>> number_words("to be or not to be").counts
    array([2, 2, 1, 1])
    """
    found = words(text)
    if not found:
        raise ValueError(f"{source} must hold at least one word, got a text without any")
    types, token, count = np.unique(found, return_inverse=True, return_counts=True)
    by_frequency = np.argsort(-count, kind="stable")
    rank = np.empty_like(by_frequency)
    rank[by_frequency] = np.arange(len(types))
    return Text(rank[token], tuple(str(w) for w in types[by_frequency]), count[by_frequency])


def contents(path: StrPath | None = None) -> str:
    """Return the text of a file, or of the help topics that ship with Python.

    Parameters
    ----------
    path : str or path-like, optional
        A UTF-8 text file.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read as UTF-8 text.

    Examples
    --------
    >>> "assert" in contents()
    True
    """
    if path is None:
        from pydoc_data import topics

        return "\n".join(topics.topics[name] for name in sorted(topics.topics))
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a text file, got {str(path)!r}, which is not there"
        )
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"path must name a readable UTF-8 text file, got {str(path)!r}: {error}"
        ) from None


@dataclass(frozen=True)
class NGramIndex:
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


def ngram_index(tokens: Ints, order: int) -> NGramIndex:
    """Index a circular text for `ngram_walk`.

    Parameters
    ----------
    tokens : ndarray of int, (length,)
    order : int
        1 for single words, 2 for bigrams, and so on.

    Returns
    -------
    NGramIndex

    Raises
    ------
    ValueError
        If ``order`` is below 1 or not shorter than the text.

    Examples
    --------
    >>> ngram_index(np.array([0, 1, 0, 2]), order=2).size  # followers of 0, of 1, of 2
    array([2, 1, 1])
    """
    tokens = np.asarray(tokens)
    order = whole_number("order", order, minimum=1)
    if order >= len(tokens):
        raise ValueError(f"order must be less than the text's {len(tokens)} words, got {order}")
    key = _context_keys(tokens, order)
    positions = np.argsort(key, kind="stable")
    starts = np.append(True, np.diff(key[positions]) != 0)
    context = np.empty_like(positions)
    context[positions] = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    return NGramIndex(context, positions, first, np.diff(first, append=len(tokens)))


def _context_keys(tokens: Ints, order: int) -> Ints:
    """One number for each position, the same where the order − 1 words before it are the same."""
    types = int(tokens.max()) + 1
    key, keys = np.zeros(len(tokens), dtype=np.int64), 1
    for back in range(order - 1, 0, -1):
        if keys * types >= 2**63:  # would not fit: number the contexts so far afresh
            key = np.unique(key, return_inverse=True)[1]
            keys = int(key.max()) + 1
        key = key * types + np.roll(tokens, back)
        keys *= types
    return key


def ngram_walk(index: NGramIndex, *, walkers: int = 256, rng: Rng = None) -> Ints:
    """Write a new text of the same length by walking through the old one.

    A step looks up the context it is in, picks one of its occurrences uniformly, and
    copies the word found there: maximum-likelihood n-gram sampling.

    Parameters
    ----------
    index : NGramIndex
    walkers : int
        The new text is this many independent walks, each from a uniform position,
        laid end to end; 1 is a single walk. Many are faster.
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
    >>> tokens[ngram_walk(ngram_index(tokens, order=2), walkers=1, rng=4)]
    array([0, 1, 3, 0, 1, 3])
    """
    rng = as_generator(rng)
    length = len(index.context)
    walkers = min(whole_number("walkers", walkers, minimum=1), length)
    steps = -(-length // walkers)
    uniform = rng.random((steps, walkers))
    visited = np.empty((steps, walkers), dtype=np.int64)
    at = rng.integers(length, size=walkers)
    for step in range(steps):
        visited[step] = at
        following = index.context[(at + 1) % length]
        occurrence = (uniform[step] * index.size[following]).astype(np.int64)
        at = index.positions[index.first[following] + occurrence]
    return visited.T.reshape(-1)[:length]


def offspring(positions: Ints) -> Ints:
    """Number of times each old position was copied, (length,).

    Parameters
    ----------
    positions : ndarray of int, (length,)
        As from `ngram_walk`.

    Returns
    -------
    ndarray of int, (length,)

    Examples
    --------
    >>> offspring(np.array([0, 0, 2]))
    array([2, 0, 1])
    """
    return np.bincount(positions, minlength=len(positions))


@dataclass(frozen=True)
class TextTrajectory:
    """Word counts of a text and of its rewritings.

    Attributes
    ----------
    counts : ndarray of int, (generations + 1, types)
        Index 0 is the text itself.
    forgetting_time : ndarray of int, (types,)
        First generation without the word; ``generations + 1`` where it lasted.
    order : int
        Of the n-gram model.
    """

    counts: Ints
    forgetting_time: Ints
    order: int


def rewrite(
    tokens: Ints, generations: int, *, order: int, walkers: int = 256, rng: Rng = None
) -> TextTrajectory:
    """Let an n-gram model rewrite a text again and again, each time trained on the last result.

    Parameters
    ----------
    tokens : ndarray of int, (length,)
        Word numbers, as in `Text`.
    generations : int
    order : int
    walkers : int
        As in `ngram_walk`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    TextTrajectory

    Examples
    --------
    >>> history = rewrite(number_words("to be or not to be").tokens, 20, order=1, rng=2)
    >>> history.counts.sum(axis=1).max(), (history.counts[-1] > 0).sum()
    (np.int64(6), np.int64(1))
    """
    tokens, rng = np.asarray(tokens), as_generator(rng)
    generations = whole_number("generations", generations)
    order = whole_number("order", order, minimum=1)
    if order >= len(tokens):
        raise ValueError(f"order must be less than the text's {len(tokens)} words, got {order}")
    types = int(tokens.max()) + 1
    counts = np.empty((generations + 1, types), dtype=np.int64)
    counts[0] = np.bincount(tokens, minlength=types)
    for t in range(1, generations + 1):
        tokens = tokens[ngram_walk(ngram_index(tokens, order), walkers=walkers, rng=rng)]
        counts[t] = np.bincount(tokens, minlength=types)
    return TextTrajectory(counts, (counts > 0).sum(axis=0), order)
