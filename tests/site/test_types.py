"""The library's types hold, and whoever installs it can rely on them."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def mypy(*arguments):
    """Return what mypy complains of; it keeps what it has read in `.mypy_cache`."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_type_holds():
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_function_without_types_is_found(tmp_path):
    room = tmp_path / "room.py"
    room.write_text("def bare(x):\n    return x\n")
    done = mypy(str(room))
    assert done.returncode == 1
    assert "room.py:1: error: Function is missing a type annotation" in done.stdout


def test_whoever_installs_the_library_gets_its_types():
    assert files("collapse_lib").joinpath("py.typed").is_file()


def test_what_is_ignored_says_why():
    """A `type: ignore` names the kind of error, and a comment stands above it."""
    for path in sorted((ROOT / "collapse_lib").rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[1:], 2):
            if "type: ignore" in line:
                told = "type: ignore[" in line and lines[number - 2].lstrip().startswith("#")
                assert told, f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
