"""Data files: where they are looked for, how pooch fetches them, whether they are whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from collapse_lib._types import StrPath


class DataUnavailable(FileNotFoundError, ValueError):
    """A data file is missing, broken or out of reach; says which, where, and the way out."""


def located(
    names: Sequence[str],
    subject: str,
    source: tuple[Sequence[str], str],
    folder: StrPath | None,
    download: bool,
) -> Path:
    """The first file of one of these names, or the first name downloaded from its source.

    A source is some addresses and a checksum. The last place looked in keeps downloads.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "collapse-lib")
    named = [Path(base).expanduser() for base in (folder, os.environ.get("COLLAPSE_DATA")) if base]
    looked = [*(place for base in named for place in (base, base / subject)), cache / subject]
    for path in (place / name for place in looked for name in names):
        if path.is_file():
            return path
    if download:
        return _fetch(names[0], *source, Path(folder) if folder else looked[-1])
    raise DataUnavailable(
        f"{' or '.join(names)} is not in {', '.join(map(str, looked))}: put it into the folder "
        "that the environment variable COLLAPSE_DATA names, or pass download=True to fetch it."
    )


def _fetch(name: str, addresses: Sequence[str], sha256: str, folder: Path) -> Path:
    """Download a file with this checksum, from the first of the addresses that has it."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    loader, reasons = pooch.HTTPDownloader(timeout=30), []
    for url in (address + name for address in addresses):
        try:
            return Path(pooch.retrieve(url, "sha256:" + sha256, name, folder, downloader=loader))
        except (OSError, ValueError) as error:  # requests raises subclasses of OSError
            reasons.append(f"{url} ({str(error).splitlines()[0]})")
    raise DataUnavailable(
        f"{name} could not be downloaded from {' or '.join(reasons)}: try again later, or put "
        f"the file into {folder}."
    )


def checked(contents: bytes, sha256: str, path: Path) -> bytes:
    """Return the contents if they have this checksum."""
    found = hashlib.sha256(contents).hexdigest()
    if found == sha256:
        return contents
    want = f"checksum {found[:12]}…, want {sha256[:12]}…"
    raise DataUnavailable(
        f"{path} is not the file it should be ({want}): delete it and get it anew."
    )
