"""TinyStories, the text of the published experiments: short stories in the words of a child."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collapse_lib._files import (
    DataUnavailable,
    cache_folder,
    contents_checked,
    fetch,
    find,
    missing,
)
from collapse_lib._types import StrPath
from collapse_lib.deep.corpus import Corpus, corpus_of

__all__ = ["tiny_stories"]

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
        As of `read_corpus`; whole stories are held out.

    Returns
    -------
    Corpus

    Raises
    ------
    DataUnavailable
        If the file is missing, broken, other than it should be, or out of reach. Says which,
        and the way out.
    ValueError
        If an option is out of range.

    References
    ----------
    Eldan and Li, "TinyStories: How Small Can Language Models Be and Still Speak Coherent
    English?", arXiv 2305.07759; licence CDLA-Sharing-1.0.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / NAME).write_text("Once upon a time")
    ...     tiny_stories(folder=folder)
    Traceback (most recent call last):
        ...
    collapse_lib._files.DataUnavailable: ... is not the file it should be ...
    """
    path = find([NAME], "tinystories", folder)
    if path is None:
        if not download:
            raise missing([NAME], "tinystories", folder)
        target = Path(folder) if folder else cache_folder() / "tinystories"
        path = fetch(NAME, ADDRESSES, SHA256, target)
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {error.strerror}.") from None
    if not contents:
        raise DataUnavailable(f"{path} is empty: delete it and get it anew.")
    stories = contents_checked(contents, SHA256, path).decode("utf-8").split(END)
    one_paragraph_each = "\n\n".join(" ".join(story.split()) for story in stories)
    return corpus_of(one_paragraph_each, source=str(path), **options)
