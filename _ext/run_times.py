"""The page of run times: a table made from the record that ``make times`` writes."""

import json

from docutils import nodes
from parts import SAFE, link, path_of, row, table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.notebooks import plural, read, reading_minutes, title
from tools.times import RECORD

COLUMNS = ("Chapter", "Minutes to read", "Seconds on the clock", "Seconds of processor", "Day")
SECONDS = ("wall_seconds", "cpu_seconds")


def machine_in_words(machine: dict) -> str:
    """Return what the times were measured on, as two sentences."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"The machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB "
        f"of memory, {machine['system']}, no GPU used. Python {machine['python']}, {packages}; "
        f"{plural(machine['threads'], 'arithmetic thread')}."
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
        self.env.note_dependency(str(RECORD))
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        measured = {f"chapters/{name}": times for name, times in record["notebooks"].items()}
        in_order = sorted(measured, key=list(self.config.external_site_map).index)
        rows = [self._row(docname, measured[docname]) for docname in in_order]
        totals = [f"{sum(times[key] for times in measured.values()):.0f}" for key in SECONDS]
        rows.append(row(["All notebooks", "", *totals, ""]))
        words = f"{machine_in_words(record['machine'])} {load_in_words(record)}"
        return [nodes.paragraph("", words), table(COLUMNS, rows, "run-times")]

    def _row(self, docname: str, times: dict) -> nodes.row:
        notebook = read(path_of(self.env, docname, watch=True))
        seconds = (f"{times[key]:.0f}" for key in SECONDS)
        page = link(self.env, docname, title(notebook))
        return row([page, str(reading_minutes(notebook)), *seconds, times["date"]])


def setup(app: Sphinx) -> dict:
    app.add_directive("run-times", RunTimes)
    return SAFE
