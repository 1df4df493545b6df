"""The page of run times: a table made from the record that ``make times`` writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# A console script such as jupyter-book does not look for modules in the folder it is called in.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from tools.notebooks import reading_minutes

RECORD = Path("chapters", "data", "run-times.json")
COLUMNS = ("Chapter", "Minutes to read", "Seconds on the clock", "Seconds of processor", "Day")


def machine_in_words(machine: dict) -> str:
    """Return what the times were measured on, as two sentences."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    threads = "thread" if machine["threads"] == 1 else "threads"
    return (
        f"The machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB "
        f"of memory, {machine['system']}, no GPU used. Python {machine['python']}, {packages}; "
        f"{machine['threads']} arithmetic {threads}."
    )


def load_in_words(record: dict) -> str:
    """Return how busy the machine was, since the clock's times depend on it."""
    busiest = max(times["load"] for times in record["notebooks"].values())
    cores = record["machine"]["cores"]
    if busiest < cores:
        return f"Nothing else of weight ran on it: at most {busiest} processes for {cores} cores."
    return (
        f"The machine was busy: up to {busiest} processes shared its {cores} cores, so the clock "
        f"ran on while a notebook waited. Trust the seconds of processor."
    )


class RunTimes(SphinxDirective):
    """``{run-times}``: the machine in words, and a table with a row for each notebook."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / RECORD))
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
        rows = [self._row(root, name, times) for name, times in record["notebooks"].items()]
        rows.sort(key=self._place)
        measured = record["notebooks"].values()
        totals = [sum(times[key] for times in measured) for key in ("wall_seconds", "cpu_seconds")]
        rows.append(["", "All notebooks", "", *(f"{total:.0f}" for total in totals), ""])
        body = [[self._first(name, title), *map(_entry, rest)] for name, title, *rest in rows]
        words = f"{machine_in_words(record['machine'])} {load_in_words(record)}"
        return [nodes.paragraph("", words), _table(body)]

    def _row(self, root: Path, name: str, times: dict) -> list[str]:
        path = root / "chapters" / f"{name}.ipynb"
        self.env.note_dependency(str(path))
        notebook = nbformat.read(path, as_version=4)
        title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
        seconds = (f"{times[key]:.0f}" for key in ("wall_seconds", "cpu_seconds"))
        return [name, title, str(reading_minutes(notebook)), *seconds, times["date"]]

    def _place(self, row: list[str]) -> int:
        """Return where a chapter stands in the table of contents."""
        return list(self.env.config.external_site_map).index(f"chapters/{row[0]}")

    def _first(self, name: str, title: str) -> nodes.entry:
        if not name:
            return _entry(title)
        page = self.env.app.builder.get_relative_uri(self.env.docname, f"chapters/{name}")
        link = nodes.reference("", title, refuri=page, internal=True)
        return nodes.entry("", nodes.paragraph("", "", link))


def _entry(text: str) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", text))


def _table(rows: list[list[nodes.entry]]) -> nodes.table:
    group = nodes.tgroup(cols=len(COLUMNS))
    group += [nodes.colspec(colwidth=1) for _ in COLUMNS]
    group += nodes.thead("", nodes.row("", *map(_entry, COLUMNS)))
    group += nodes.tbody("", *(nodes.row("", *entries) for entries in rows))
    return nodes.table("", group, classes=["run-times", "colwidths-auto"])


def setup(app: Sphinx) -> dict:
    app.add_directive("run-times", RunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
