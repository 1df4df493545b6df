"""Plant small errors in the closed forms, one at a time, and ask the tests to notice.

    python -m tools.mutate [patterns]

Runs mutmut, as ``[tool.mutmut]`` in pyproject.toml says, on all formulas or on those that a
pattern such as ``"collapse_lib.words.branching*"`` names; lists the errors that no test noticed
(``mutmut show NAME`` prints one), and fails where fewer than `LEAST` of all were. pytest loads
this file as a plugin too: the quickest tests run first, so that most errors cost a moment.
"""

import json
import shutil
import sys
from pathlib import Path

LEAST = 0.95
RECORD = Path("mutants", "mutmut-cicd-stats.json")
DURATIONS = Path("mutmut-stats.json")
NOTICED = ("killed", "timeout", "segfault")
UNNOTICED = ("survived", "no_tests", "suspicious")


def pytest_collection_modifyitems(items):
    """Sort tests by the seconds that mutmut has measured; before it has, leave them."""
    if DURATIONS.exists():
        seconds = json.loads(DURATIONS.read_text(encoding="utf-8"))["duration_by_test"]
        items.sort(key=lambda item: (seconds.get(item.nodeid, 0), item.nodeid))


def pytest_runtest_setup(item):
    """Forget what the library caches: each test is to reach every formula that it rests on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("collapse_lib."):
            for thing in vars(module).values():
                getattr(thing, "cache_clear", lambda: None)()


def verdict(record):
    """Return one sentence on the errors noticed, and whether they are enough.

    >>> counts = {"killed": 8, "timeout": 1, "segfault": 0, "survived": 1}
    >>> verdict(counts | {"no_tests": 0, "suspicious": 0})
    ('9 of 10 errors noticed: 90.0%, wanted 95%', False)
    """
    found = sum(record[name] for name in NOTICED)
    planted = found + sum(record[name] for name in UNNOTICED)
    told = f"{found} of {planted} errors noticed: {found / planted:.1%}, wanted {LEAST:.0%}"
    return told, found >= LEAST * planted


if __name__ == "__main__":
    from mutmut.__main__ import cli
    from mutmut.mutation.mutators import mutation_operators, operator_string

    # Strings name arguments in errors, and policies: no formula.
    mutation_operators[:] = [each for each in mutation_operators if each[1] is not operator_string]
    shutil.rmtree("mutants", ignore_errors=True)
    for command in (["run", *sys.argv[1:]], ["results"], ["export-cicd-stats"]):
        cli(command, standalone_mode=False)
    told, enough = verdict(json.loads(RECORD.read_text(encoding="utf-8")))
    print(told)
    sys.exit(not enough)
