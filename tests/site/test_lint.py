"""The code is laid out as ruff lays it out, and has none of the faults that ruff knows."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ruff(*arguments):
    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_nothing_is_found(command):
    told = ruff(*command, "--quiet", ".")
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_planted_fault_is_found(tmp_path):
    (tmp_path / "room.py").write_text("import os\nx = [i for i in range(3)]\n", encoding="utf-8")
    told = ruff("check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path))
    assert "F401" in told.stdout and "C416" in told.stdout and told.returncode != 0
