"""Real text as word counts.

The text that ships with Python (the help topics of `pydoc`) needs no download; any
text file of the reader's own works the same way. It differs between versions of
Python: compute with it, never hard-code a number from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collapse_lib._types import Ints, StrPath

__all__ = ["Text", "contents", "read"]

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Text:
    """A text as word numbers.

    Attributes
    ----------
    tokens : ndarray of int, (length,)
        The text, one number per word.
    vocabulary : tuple of str
        The words, most frequent first, so that number 0 is the commonest.
    counts : ndarray of int, (types,)
        Occurrences of each word.
    """

    tokens: Ints
    vocabulary: tuple[str, ...]
    counts: Ints


def read(path: StrPath | None = None) -> Text:
    """Read a text and number its words.

    Parameters
    ----------
    path : str or path-like, optional
        A UTF-8 text file; by default the help topics that ship with Python.

    Returns
    -------
    Text

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


def words(text: str) -> list[str]:
    """Split a text into lower-case words.

    Examples
    --------
    >>> words("Don't panic: it's 42 o'clock!")
    ["don't", 'panic', "it's", "o'clock"]
    """
    return WORD.findall(text.lower())


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
