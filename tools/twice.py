"""Build the book twice from the same commit, and compare every published byte.

    python -m tools.twice

The two builds differ in what must not matter: folder, clock, hash seed, language and time zone.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SURROUNDINGS = {
    "a": {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    "other-folder/b": {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
}


def build(folder: Path, surroundings: dict[str, str]) -> Path:
    """Build the book of the last commit in a new folder and return the folder of its pages."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    environment = {**os.environ, **surroundings, "PYTHONPATH": str(folder)}
    # A clock that others set would hide a date that the build writes.
    environment.pop("SOURCE_DATE_EPOCH", None)
    builder = Path(sys.executable).with_name("jupyter-book")
    command = [str(builder), "build", str(folder), "-W", "-n", "-q"]
    subprocess.run(command, check=True, env=environment, cwd=folder)
    return folder / "_build" / "html"


def differences(one: Path, other: Path) -> list[str]:
    """Return the files that only one of two folders has, or that differ, by name."""
    names = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        for folder in (one, other)
    ]
    common = sorted(names[0] & names[1])
    _, unequal, unread = filecmp.cmpfiles(one, other, common, shallow=False)
    return sorted(names[0] ^ names[1]) + unequal + unread


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="twice") as scratch:
        one, other = (build(Path(scratch, name), each) for name, each in SURROUNDINGS.items())
        unequal = differences(one, other)
        print(
            "\n".join(
                ["files that differ between two builds:", *unequal]
                if unequal
                else ["the same bytes in two builds"]
            )
        )
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
