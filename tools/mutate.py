"""Mutation testing of the closed forms: does a test notice each small error in a formula?

    python -m tools.mutate [room …]

Every mutant (see `tools.mutants`) is planted in a forked process, in the functions that the
tests have already imported, and the tests that run the changed line are run there, quickest
first: the oracle tests that `JUDGES` names and the room's doctests. It is killed if one fails,
or takes far longer than it should. Mutants that survive must be listed, with the reason, in
`tools/mutation_survivors.toml`.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest

from tools.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = Path(__file__).with_name("mutation_survivors.toml")
LEAST_SHARE = 0.95
MEMORY = 4 * 2**30  # a mutant may ask for this much more than the tests do

EVERYWHERE = ["domains", "units"]  # test modules that judge every room
# room: the test modules, beside these and its own doctests, that judge it
JUDGES = {
    "conservation": ["conservation"],
    "branching": ["branching"],
    "ancestry": ["ancestry"],
    "categorical": ["categorical"],
    "gaussian_theory": ["gaussian"],
    "mixing": ["mixing"],
    "kernels": ["closed_loops"],
    "smoothing": ["closed_loops"],
    "temperature": ["closed_loops"],
    "tempered_states": ["closed_loops"],
    "tempered_words": ["closed_loops"],
    "softmax": ["softmax"],
    "calculators": ["mixing"],
    "regression_theory": ["regression"],
    "regression_mixed": ["regression"],
    "regression_calculators": ["regression_calculators"],
    "spectrum": ["spectrum"],
    "_spectra": ["spectrum", "ridge"],
    "ridge": ["ridge"],
    "mixed_rows": ["mixed_rows"],
    "scaling": ["scaling"],
    "kernel_ridge": ["kernel_ridge"],
    "remedies": ["remedies"],
    "verification": ["verification"],
    "detection": ["detection"],
    "attribution_theory": ["attribution"],
    "aggregates": ["aggregates"],
    "universality": ["universality"],
    "unlearning": ["unlearning"],
}


class Room:
    """A module whose formulas are judged.

    Attributes
    ----------
    name : str
        Its dotted name; ``module`` is the imported module, which the mutants change.
    judges : list of Path
        Files whose tests judge it, besides its own doctests.
    """

    def __init__(self, name: str, judges: list[Path]):
        self.name, self.judges = name, judges
        self.module = importlib.import_module(name)
        self.file = Path(self.module.__file__).resolve()
        self.mutants = mutants(self.file.read_text(encoding="utf-8"))

    def plant(self, mutant: Mutant):
        """Change the imported module in place, so that every importer has the mutant."""
        fresh = types.ModuleType(self.name)
        fresh.__file__ = str(self.file)
        exec(compile(mutant.plant(), str(self.file), "exec"), vars(fresh))  # noqa: S102
        for name, new in vars(fresh).items():
            old = getattr(self.module, name, None)
            if isinstance(new, int | float | tuple | np.ndarray):
                for module in list(sys.modules.values()):
                    if getattr(module, "__dict__", {}).get(name) is old:
                        setattr(module, name, new)
            elif isinstance(new, dict) and not name.startswith("__"):
                old.update(new)
            elif getattr(new, "__module__", None) == self.name:
                _transplant(old, new)


def _transplant(old, new):
    """Give ``old``, a function or a class, the code of ``new``."""
    if isinstance(new, type):
        for name, member in vars(new).items():
            _transplant(vars(old).get(name), member)
    new = inspect.unwrap(getattr(new, "fget", None) or getattr(new, "func", None) or new)
    old = inspect.unwrap(getattr(old, "fget", None) or getattr(old, "func", None) or old)
    if isinstance(new, types.FunctionType) and isinstance(old, types.FunctionType):
        old.__code__ = new.__code__
        old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


class Judge:
    """A pytest plugin that runs mutants, each in a process of its own, instead of the tests.

    Attributes
    ----------
    survivors : dict
        Names of the mutants that no test noticed, by room.
    """

    def __init__(self, rooms: list[Room], jobs: int, patience: float):
        self.rooms, self.jobs, self.patience = rooms, jobs, patience
        self.survivors = {room.name: [] for room in rooms}
        self.failed = False

    def pytest_runtest_logreport(self, report):
        self.failed |= report.failed

    def pytest_runtestloop(self, session):
        self.protocol = session.config.hook.pytest_runtest_protocol
        baseline = self._in_child(lambda: self._baseline(session.items))
        if isinstance(baseline, str):
            raise SystemExit(f"{baseline} fails without any mutant: mend it first")
        seconds, runs, imported = baseline
        for name in imported:  # once, here, instead of once in each fork
            importlib.import_module(name)
        running = {}
        for room in self.rooms:
            started, count = time.perf_counter(), len(room.mutants)
            for mutant in room.mutants:
                judges = [i for i in seconds if runs[i].get(room.name, set()) & mutant.lines]
                if not judges:  # what runs only when the room is imported
                    judges = [i for i in seconds if room.name in runs[i]]
                judges.sort(key=seconds.get)
                if len(running) == self.jobs:
                    self._settle(running)
                sys.stdout.flush()
                pid = os.fork()
                if not pid:
                    self._try(room, mutant, [(session.items[i], seconds[i]) for i in judges])
                running[pid] = room, mutant
            while running:
                self._settle(running)
            survived, spent = len(self.survivors[room.name]), time.perf_counter() - started
            print(f"{_score(room.name, count, survived)}  {spent:6.1f} s", flush=True)
        return True

    def _settle(self, running):
        """Wait for one process and note how it ended."""
        pid, status = os.wait()
        room, mutant = running.pop(pid)
        if status == 0:
            self.survivors[room.name].append(mutant.name)

    def _in_child(self, function):
        """What ``function`` returns in a forked process, whose other effects are lost."""
        with tempfile.TemporaryFile() as file:
            pid = os.fork()
            if not pid:
                pickle.dump(function(), file)
                file.flush()
                os._exit(0)
            os.waitpid(pid, 0)
            file.seek(0)
            return pickle.load(file)

    def _baseline(self, items):
        """Of each test: its seconds, and the lines it runs of each room; all that it imports."""
        self._silence()
        known, names = set(sys.modules), {str(room.file): room.name for room in self.rooms}
        seconds, runs = {}, {}
        for index, item in enumerate(items):
            lines = runs[index] = {}

            def trace(frame, event, _, lines=lines):
                name = names.get(frame.f_code.co_filename)
                if name:
                    lines.setdefault(name, set()).add(frame.f_lineno)
                    return trace
                return None

            _forget(self.rooms)
            started = time.process_time()
            sys.settrace(trace)
            self.protocol(item=item, nextitem=None)  # None: shared fixtures are made anew for each
            sys.settrace(None)
            seconds[index] = time.process_time() - started
            if self.failed:
                return item.nodeid
        # `__mp_main__` is what multiprocessing calls the main program, and no file.
        return seconds, runs, sorted(set(sys.modules) - known - {"__mp_main__"})

    def _try(self, room, mutant, tests):
        """End this process: with 0 if no test notices the mutant, which is planted here."""
        self.failed = True  # also if the planting itself raises an error
        try:
            self._silence()
            space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (space + MEMORY, -1))
            signal.setitimer(signal.ITIMER_REAL, 900)
            room.plant(mutant)
            _forget(self.rooms)
            self.failed = False
            for k, (item, seconds) in enumerate(tests):
                # of processor time, and its signal ends the process
                signal.setitimer(signal.ITIMER_PROF, self.patience + 5 * seconds)
                self.protocol(item=item, nextitem=tests[k + 1][0] if k + 1 < len(tests) else None)
                if self.failed:
                    break
        finally:
            os._exit(int(self.failed))

    def _silence(self):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)


def _forget(rooms):
    """Empty the rooms' caches."""
    for room in rooms:
        for value in vars(room.module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _score(name, count, survived):
    share = 1 - survived / count if count else 1.0
    return f"{name.rpartition('.')[2]:24}{count - survived:5} of {count:5} killed  {share:7.1%}"


def judge(
    rooms: list[Room], *, jobs: int = 2, patience: float = 5.0, folder: Path = ROOT
) -> dict[str, list[str]]:
    """Names of the mutants of each room that its tests do not notice.

    A test may take ``patience`` seconds more than five times what it takes without a mutant.
    """
    plugin = Judge(rooms, jobs, patience)
    files = dict.fromkeys(str(path) for room in rooms for path in [*room.judges, room.file])
    options = ["--rootdir", str(folder), "-c", os.devnull, "-p", "no:terminal", "-p", "no:nbval",
               "-p", "no:cacheprovider", "-p", "no:benchmark", "-s", "--doctest-modules",
               "--import-mode=importlib"]  # fmt: skip
    status = pytest.main([*options, *files], plugins=[plugin])
    if status != 0:
        raise SystemExit(f"pytest ended with status {status}")
    return plugin.survivors


def report(rooms: list[Room], survivors: dict, accepted: dict) -> bool:
    """Print the whole score and what is amiss; whether all is well."""
    count = sum(len(room.mutants) for room in rooms)
    print(_score("all", count, sum(map(len, survivors.values()))))
    well = sum(map(len, survivors.values())) <= (1 - LEAST_SHARE) * count
    for room in rooms:
        short = room.name.rpartition(".")[2]
        listed = {name for reason in accepted.get(short, []) for name in reason["mutants"]}
        for name in survivors[room.name]:
            if name not in listed:
                print(f"survives, and is not listed: {short}.{name}")
                well = False
        for name in sorted(listed - set(survivors[room.name])):
            print(f"listed, but does not survive: {short}.{name}")
            well = False
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", choices=[[], *JUDGES], default=[], metavar="room")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    rooms = [
        Room(
            f"collapse_lib.{name}",
            [ROOT / "tests" / f"test_{test}.py" for test in [*JUDGES[name], *EVERYWHERE]],
        )
        for name in options.rooms or JUDGES
    ]
    survivors = judge(rooms, jobs=options.jobs)
    sys.exit(not report(rooms, survivors, tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
