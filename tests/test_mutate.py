"""The mutation tester itself: it finds what no test notices, and only that."""

import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

from tools import mutate
from tools.mutants import mutants

ROOT = Path(__file__).resolve().parents[1]

FORMULAS = '''
SIDES = 4
LOUD = 7


def larger(a, b):
    return a if a > b else b


def perimeter(side):
    """
    >>> perimeter(3)
    12
    """
    return SIDES * side


def halvings(n):
    steps = 0
    while n > 1:
        n //= 2
        steps += 1
    return steps


def untested(x):
    return x + 5


def noise(rng):
    return LOUD + rng.normal() / 3
'''
TESTS = """
from small import halvings, larger


def test_larger():
    assert larger(1, 2) == larger(2, 1) == 2


def test_halvings():
    assert halvings(8) == 3 and halvings(9) == 3
"""
SCRIPT = """
from pathlib import Path
from tools.mutate import Room, judge

room = Room("small", [Path("test_small.py").resolve()])
survivors = judge([room], patience=0.5, folder=Path())
print(len(room.mutants), *survivors["small"], sep="\\n")
"""


def test_it_finds_what_no_test_notices(tmp_path):
    (tmp_path / "small.py").write_text(FORMULAS, encoding="utf-8")
    (tmp_path / "test_small.py").write_text(TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    score, count, *survivors = done.stdout.splitlines()
    assert "noise" not in done.stdout and "LOUD" not in done.stdout  # a simulator is no formula
    untested = [name for name in survivors if name.startswith("untested")]
    # x − 5, x + 6, x + 4, x + 0 and 1 % more
    assert len(untested) == 5
    # a > b or a ≥ b: the larger of equals is either of them
    assert set(survivors) - set(untested) == {
        "larger: return a if a > b else b → return a if a >= b else b"
    }
    assert f"{int(count) - 6} of {int(count):5} killed" in score and int(count) > 20


def verdict(survivors, accepted, count=100):
    room = SimpleNamespace(name="house.room", mutants=[None] * count)
    return mutate.report([room], {"house.room": survivors}, accepted)


def test_a_survivor_must_be_listed_and_what_is_listed_survive(capsys):
    accepted = {"room": [{"mutants": ["f: 1 → 2"], "reason": "the same number"}]}
    assert verdict(["f: 1 → 2"], accepted)
    assert not verdict(["f: 1 → 2", "f: 1 → 0"], accepted)
    assert "survives, and is not listed: room.f: 1 → 0" in capsys.readouterr().out
    assert not verdict([], accepted)
    assert "listed, but does not survive: room.f: 1 → 2" in capsys.readouterr().out
    assert not verdict(["f: 1 → 2"], accepted, count=19)  # 18 of 19 are fewer than 95 %


def test_every_listed_survivor_is_a_mutant_of_today_and_has_a_reason():
    accepted = tomllib.loads(mutate.ACCEPTED.read_text(encoding="utf-8"))
    for room, entries in accepted.items():
        source = (ROOT / "collapse_lib" / f"{room}.py").read_text(encoding="utf-8")
        names = {mutant.name for mutant in mutants(source)}
        for entry in entries:
            assert len(entry["reason"]) > 20, entry
            assert set(entry["mutants"]) <= names, set(entry["mutants"]) - names
