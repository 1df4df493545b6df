"""Build the book twice from the same commit, and compare every published byte.

    python -m tools.twice

The two builds differ in what must not matter: folder, clock, hash seed, language and time zone.
"""

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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="twice") as scratch:
        pages = [build(Path(scratch, name), each) for name, each in SURROUNDINGS.items()]
        compared = subprocess.run(["diff", "--recursive", "--brief", *pages], check=False)
    if compared.returncode == 0:
        print("the same bytes in two builds")
    sys.exit(compared.returncode)
