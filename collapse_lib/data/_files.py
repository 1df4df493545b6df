"""Data files: where they are looked for, and how they are fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from collapse_lib._types import StrPath

__all__ = ["DataUnavailable", "cache_folder", "contents_checked", "fetch", "find", "places"]

VARIABLE = "COLLAPSE_DATA"


class DataUnavailable(FileNotFoundError, ValueError):
    """A data file is missing, broken or out of reach; says which, where, and the way out."""


def cache_folder() -> Path:
    """The folder that downloads are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "collapse-lib"


def places(subject: str, folder: StrPath | None = None) -> list[Path]:
    """The folders in which files of a subject are looked for, in order.

    Parameters
    ----------
    subject : str
        A subfolder of this name is looked in as well.
    folder : path, optional
        Looked in before the one that the environment variable COLLAPSE_DATA names.

    Examples
    --------
    >>> places("mnist", "mine")[:2] == [Path("mine"), Path("mine/mnist")]
    True
    """
    named = [folder, os.environ.get(VARIABLE)]
    bases = [Path(base).expanduser() for base in named if base]
    return [place for base in bases for place in (base, base / subject)] + [
        cache_folder() / subject
    ]


def find(names: Sequence[str], subject: str, folder: StrPath | None = None) -> Path | None:
    """The first file of one of these names, place by place; None if there is none."""
    for place in places(subject, folder):
        for name in names:
            if (place / name).is_file():
                return place / name
    return None


def missing(names: Sequence[str], subject: str, folder: StrPath | None = None) -> DataUnavailable:
    """The error for a file that was not found."""
    looked = ", ".join(str(place) for place in places(subject, folder))
    return DataUnavailable(
        f"{' or '.join(names)} is not in {looked}: put it into the folder that the environment "
        f"variable {VARIABLE} names, or pass download=True to fetch it."
    )


def fetch(name: str, addresses: Iterable[str], sha256: str, folder: StrPath) -> Path:
    """Download a file into a folder, from the first address that has it.

    Parameters
    ----------
    name : str
    addresses : sequence of str
        Of folders that hold the file, tried in order.
    sha256 : str
        Its checksum. Only a file that has it is put into the folder.
    folder : path

    Returns
    -------
    Path

    Raises
    ------
    DataUnavailable
        If no address gives the file, or one gives another.
    """
    try:
        import pooch
    except ModuleNotFoundError:
        raise DataUnavailable(
            f"{name} cannot be downloaded without the package pooch: `pip install pooch`, "
            f"or put the file into {folder}."
        ) from None
    pooch.get_logger().setLevel("WARNING")
    loader = pooch.HTTPDownloader(timeout=30)
    reasons = []
    for address in addresses:
        try:
            return Path(
                pooch.retrieve(address + name, "sha256:" + sha256, name, folder, downloader=loader)
            )
        except (OSError, ValueError) as error:  # requests raises subclasses of OSError
            reasons.append(f"{address} ({_reason(error)})")
    raise DataUnavailable(
        f"{name} could not be downloaded from {' or '.join(reasons)}: try again later, or put "
        f"the file into {folder}."
    )


# What the errors of a download say, and what a reader needs to know.
REASONS = {
    "hash": "its file is cut short or another one: wrong checksum",
    "IncompleteRead": "the connection broke off",
    "refused": "connection refused",
    "timed out": "no answer",
    "resolve": "no network, or no such host",
    "unreachable": "no network",
}


def _reason(error: Exception) -> str:
    text = str(error)
    known = [reason for word, reason in REASONS.items() if word in text]
    return known[0] if known else text.partition("\n")[0]


def contents_checked(contents: bytes, sha256: str, path: StrPath) -> bytes:
    """Return the contents of a file if they have this checksum.

    Raises
    ------
    DataUnavailable
        If not.
    """
    found = hashlib.sha256(contents).hexdigest()
    if found != sha256:
        raise DataUnavailable(
            f"{path} is not the file it should be (checksum {found[:12]}…, want {sha256[:12]}…): "
            "delete it and get it anew."
        )
    return contents
