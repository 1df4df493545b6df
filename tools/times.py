"""Measure how long every chapter runs, and write it where the book says so.

    python -m tools.times         run every notebook, store its time, then do what `stamp` does
    python -m tools.times stamp   write the stored times and the reading times into the chapters

The page of run times is made from the record, and the first lines of each chapter agree with it.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebooks import CHAPTERS, execute, plural, read, reading_minutes, store

RECORD = CHAPTERS / "data" / "run-times.json"
PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn", "torch")
STATED = re.compile(r"about \d+ minutes? to read; the notebook runs in about \d+ seconds?")


def machine() -> dict:
    """Return what the times depend on: the processor, its cores, the system and the versions."""
    listing = Path("/proc/cpuinfo")
    named = listing.exists() and re.search(r"model name\s*: (.+)", listing.read_text("utf-8"))
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

    The processor's seconds are those of the kernel and its workers; the load is that at the start.
    """
    load = os.getloadavg()[0]
    start = os.times()
    execute(read(path), path.parent)
    _, _, user, system, wall = (b - a for a, b in zip(start, os.times(), strict=True))
    return {
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(user + system, 1),
        "load": round(load, 1),
        "date": datetime.date.today().isoformat(),
    }


def stated_seconds(times: dict) -> int:
    """Return the run time that a chapter states: the processor's where others held the clock up.

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
    minutes = plural(reading_minutes(notebook), "minute")
    seconds = plural(stated_seconds(times), "second")
    words = f"about {minutes} to read; the notebook runs in about {seconds}"
    first.source = STATED.sub(words, first.source, count=1)
    return notebook


if __name__ == "__main__":
    if sys.argv[1:] != ["stamp"]:
        record = {"machine": machine(), "notebooks": {}}
        for path in sorted(CHAPTERS.glob("*.ipynb")):
            record["notebooks"][path.stem] = measure(path)
            print(f"{path.name}: {record['notebooks'][path.stem]}", flush=True)
        text = json.dumps(record, indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n", encoding="utf-8")
    for name, times in json.loads(RECORD.read_text(encoding="utf-8"))["notebooks"].items():
        path = CHAPTERS / f"{name}.ipynb"
        store(path, stamped(read(path), times))
