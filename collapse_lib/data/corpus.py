"""Text as fixed-length rows of word numbers, split into training and test rows.

Paragraphs that occur twice are dropped before the split, so that no test row has been trained
on. Rare words are dropped rather than replaced by an *unknown* mark: at a low temperature such
a mark would swallow the text.

TinyStories, the text of the published experiments: short stories in the words of a child.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from collapse_lib._types import Ints, Rng, StrPath
from collapse_lib.checks import as_generator, share, whole_number
from collapse_lib.data import text
from collapse_lib.data._files import checked, located

__all__ = ["Corpus", "read_corpus", "tiny_stories"]

TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)?|[.,;:()]")
PROSE = re.compile(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}")  # three words in a row: no table, no code

MOST_WORDS = 2**15  # word numbers are int16


@dataclass(frozen=True)
class Corpus:
    """A text cut into rows.

    Attributes
    ----------
    train, test : ndarray of int16, (rows, length)
        Word numbers, 0 the commonest.
    vocabulary : tuple of str
    """

    train: Ints
    test: Ints
    vocabulary: tuple[str, ...]

    def words(self, row: Iterable[int]) -> str:
        """A row as readable text.

        Examples
        --------
        >>> Corpus(np.zeros((0, 2)), np.zeros((0, 2)), ("the", ",", "cat")).words([0, 2, 1, 0])
        'the cat, the'
        """
        spaced = " ".join(self.vocabulary[i] for i in row)
        return re.sub(r" ([.,;:)])", r"\1", spaced).replace("( ", "(")


def read_corpus(path: StrPath | None = None, **options: Any) -> Corpus:
    """Read a text file as training and test rows.

    Parameters
    ----------
    path : str or path-like, optional
        A UTF-8 text; by default the help topics that ship with Python.
    **options
        ``vocabulary``: words kept, the most frequent ones of the training part, by default 768
        and at most 32,768. ``length``: words per row, 32. ``test``: share of the paragraphs held
        out, 0.15. ``rows``: training rows kept at most, and test rows in proportion; by default
        all. ``rng`` chooses the paragraphs held out, by default always the same.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> topics = read_corpus()
    >>> topics.train.shape[1], len(topics.vocabulary)
    (32, 768)
    """
    return _corpus_of(text.contents(path), source=f"path {str(path)!r}", **options)


def _corpus_of(
    contents: str,
    *,
    vocabulary: int = 768,
    length: int = 32,
    test: float = 0.15,
    rows: int | None = None,
    rng: Rng = 0,
    source: str,
) -> Corpus:
    """Cut paragraphs, with empty lines between them; errors call the text ``source``."""
    vocabulary = whole_number("vocabulary", vocabulary, minimum=2)
    length = whole_number("length", length, minimum=1)
    test = share("test", test, zero=False)
    if vocabulary > MOST_WORDS:
        raise ValueError(f"vocabulary must be at most {MOST_WORDS}, got {vocabulary}")
    rows = None if rows is None else whole_number("rows", rows, minimum=1)
    found = [TOKEN.findall(part) for part in _paragraphs(contents)]
    order = as_generator(rng).permutation(len(found))
    held_out = int(len(found) * test)
    test_words = [word for i in order[:held_out] for word in found[i]]
    train_words = [word for i in order[held_out:] for word in found[i]]
    by_count = sorted(Counter(train_words).items(), key=lambda item: (-item[1], item[0]))
    kept = tuple(word for word, _ in by_count[:vocabulary])
    number = {word: i for i, word in enumerate(kept)}
    train, held = (_rows(part, number, length) for part in (train_words, test_words))
    if not (len(train) and len(held)):
        raise ValueError(
            f"{source} must hold at least {length} known words in each part, got "
            f"{len(train)} training and {len(held)} test rows"
        )
    if rows is not None:
        train, held = train[:rows], held[: max(1, round(rows * test / (1 - test)))]
    return Corpus(train, held, kept)


def _paragraphs(contents: str) -> list[str]:
    """Different paragraphs of prose, in lower case."""
    parts = dict.fromkeys(part.strip().lower() for part in re.split(r"\n\s*\n", contents))
    return [part for part in parts if PROSE.search(part)]


def _rows(words: list[str], number: dict[str, int], length: int) -> Ints:
    known = [number[word] for word in words if word in number]
    return np.array(known[: len(known) // length * length], dtype=np.int16).reshape(-1, length)


NAME = "TinyStories-valid.txt"  # 19 MB; the training part has 1.9 GB
ADDRESSES = tuple(
    f"https://huggingface.co/datasets/roneneldan/TinyStories/resolve/{revision}/"
    for revision in ("f54c09fd23315a6f9c86f9dc80f725de7d8f9c64", "main")
)
# As the host publishes it and several projects pin it; not computed from the file itself,
# which was out of reach when this was written.
SHA256 = "94e431816c4cce81ff71e4408ff8d3bda9a42e8d2663986697c3954288cb38b4"
END = "<|endoftext|>"


def tiny_stories(
    *, folder: StrPath | None = None, download: bool = False, **options: Any
) -> Corpus:
    """Read the validation part of TinyStories, some twenty thousand stories.

    Parameters
    ----------
    folder : path, optional
        Where the file is. It is looked for here, then in the folder that the environment
        variable COLLAPSE_DATA names, in a subfolder ``tinystories`` of either, and at last
        in the user's cache.
    download : bool
        Fetch the file if it is not found, into ``folder`` or else the user's cache.
    **options
        Those of `read_corpus`; whole stories are held out.

    Returns
    -------
    Corpus

    Raises
    ------
    DataUnavailable
        If the file is missing, broken, other than it should be, or out of reach.

    References
    ----------
    Eldan and Li, "TinyStories: How Small Can Language Models Be and Still Speak Coherent
    English?", arXiv 2305.07759; licence CDLA-Sharing-1.0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / NAME).write_text("Once upon a time")
    ...     tiny_stories(folder=folder)
    Traceback (most recent call last):
        ...
    collapse_lib.data._files.DataUnavailable: ... is not the file it should be ...
    """
    path = located([NAME], "tinystories", (ADDRESSES, SHA256), folder, download)
    stories = checked(path.read_bytes(), SHA256, path).decode("utf-8").split(END)
    one_paragraph_each = "\n\n".join(" ".join(story.split()) for story in stories)
    return _corpus_of(one_paragraph_each, source=str(path), **options)
