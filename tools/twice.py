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
SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
)


def check_out(folder: Path) -> None:
    """Write the files of the last commit into a folder."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "HEAD"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    if archive.returncode:
        sys.exit("git could not give out the last commit")


def build(folder: Path, surroundings: dict[str, str]) -> Path:
    """Build the book of a checkout and return the folder of its pages."""
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
        pages = []
        for name, surroundings in zip(("a", "other-folder/b"), SURROUNDINGS, strict=True):
            folder = Path(scratch, name)
            folder.mkdir(parents=True)
            check_out(folder)
            pages.append(build(folder, surroundings))
        count = sum(path.is_file() for path in pages[0].rglob("*"))
        if unequal := differences(*pages):
            print(f"{len(unequal)} of {count} files differ between two builds of the same commit:")
            print("\n".join(f"  {name}" for name in unequal))
            return 1
        print(f"{count} files, the same bytes in two builds")
        return 0


if __name__ == "__main__":
    sys.exit(main())
