"""Measure how long every chapter runs, and write it where the book says so.

    python -m tools.times [files]   run notebooks, store their times, then do what `stamp` does
    python -m tools.times stamp     write the stored times and the reading times into the chapters

Without files: every notebook in ``chapters/``. The record is ``chapters/data/run-times.json``:
the page of run times is made from it, and the first lines of each chapter agree with it.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebooks import CHAPTERS, execute, read, reading_minutes, store

RECORD = CHAPTERS / "data" / "run-times.json"
PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn", "torch")
STATED = re.compile(r"about \d+ minutes? to read; the notebook runs in about \d+ seconds?")


def machine() -> dict:
    """Return what the times depend on: the processor, its cores, the system and the versions."""
    listing = Path("/proc/cpuinfo")
    text = listing.read_text(encoding="utf-8") if listing.exists() else ""
    named = re.search(r"^model name\s*: (.+)$", text, flags=re.MULTILINE)
    return {
        "processor": named[1] if named else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def measure(path: Path) -> dict:
    """Run a notebook in a fresh kernel, discard its outputs and return what it took.

    Seconds on the clock; seconds of the kernel and its workers, which other work on the machine
    changes less; how many processes wanted a core when it began; the day.
    """
    notebook = read(path)
    load = round(os.getloadavg()[0], 1)
    clock, spent = time.perf_counter(), _seconds_of_children()
    execute(notebook, path.parent)
    return {
        "wall_seconds": round(time.perf_counter() - clock, 1),
        "cpu_seconds": round(_seconds_of_children() - spent, 1),
        "load": load,
        "date": datetime.date.today().isoformat(),
    }


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def stated_seconds(times: dict) -> int:
    """Return the run time that a chapter states: what it takes on a machine that is not busy.

    That is the clock's time, or the processor's where other work held the clock up: a notebook
    computes on one core at a time for most of its run.

    >>> stated_seconds({"wall_seconds": 171.2, "cpu_seconds": 198.0})
    170
    >>> stated_seconds({"wall_seconds": 90.2, "cpu_seconds": 38.4})
    38
    """
    seconds = min(times["wall_seconds"], times["cpu_seconds"])
    return int(max(1, round(seconds, -1) if seconds >= 100 else round(seconds)))


def stamped(notebook: NotebookNode, times: dict) -> NotebookNode:
    """Return the notebook with its reading time and its run time brought up to date."""
    notebook = nbformat.from_dict(notebook)
    first = notebook.cells[0]
    minutes, seconds = reading_minutes(notebook), stated_seconds(times)
    first.source = STATED.sub(
        f"about {minutes} minute{'s' * (minutes > 1)} to read; "
        f"the notebook runs in about {seconds} second{'s' * (seconds > 1)}",
        first.source,
        count=1,
    )
    return notebook


def stamp(record: dict) -> None:
    """Write the times of the record into the first lines of the chapters that state them."""
    for name, times in record["notebooks"].items():
        path = CHAPTERS / f"{name}.ipynb"
        store(path, stamped(read(path), times))


def main() -> int:
    arguments = sys.argv[1:]
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    if arguments == ["stamp"]:
        stamp(record)
        return 0
    paths = [Path(name) for name in arguments] or sorted(CHAPTERS.glob("*.ipynb"))
    if missing := [str(path) for path in paths if not path.is_file()]:
        sys.exit(f"no such notebook: {', '.join(missing)}")
    here = machine()
    if arguments and record and record["machine"] != here:
        sys.exit("the record is of another machine or environment: measure every notebook here")
    notebooks = record["notebooks"] if arguments and record else {}
    for path in paths:
        notebooks[path.stem] = measure(path)
        print(f"{path.name}: {notebooks[path.stem]}", flush=True)
        record = {"machine": here, "notebooks": dict(sorted(notebooks.items()))}
        text = json.dumps(record, indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n", encoding="utf-8")
    stamp(record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
