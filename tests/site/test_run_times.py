"""The page of run times covers every notebook, and the chapters say what it says."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

from tools import times

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_ext"))

import run_times

PATHS = sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.fixture(scope="module")
def record():
    return json.loads(times.RECORD.read_text(encoding="utf-8"))


def test_every_notebook_has_a_row(record):
    assert set(record["notebooks"]) == {path.stem for path in PATHS}, "`make times` measures them"


def test_every_row_is_a_measurement(record):
    for name, row in record["notebooks"].items():
        assert row["wall_seconds"] > 0 and row["cpu_seconds"] > 0, name
        # Nobody works longer than all cores together.
        assert row["cpu_seconds"] <= row["wall_seconds"] * record["machine"]["cores"] * 1.05, name
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"]), name


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_chapter_states_its_measured_run_time(record, path):
    first = nbformat.read(path, as_version=4).cells[0].source
    stated = re.search(r"the notebook runs in about (\d+) second", first)
    if path.stem == "index":
        assert not stated
        return
    assert stated, f"{path.name} does not say how long it runs"
    measured = times.stated_seconds(record["notebooks"][path.stem])
    assert int(stated[1]) == measured, "`.venv/bin/python -m tools.times stamp` writes it"


def test_stamping_changes_the_two_numbers_alone():
    source = (
        "# A\n- **It takes** about 9 minutes to read; the notebook runs in about 1 second.\nEnd"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)])
    notebook.cells.append(nbformat.v4.new_markdown_cell("word " * 585))
    row = {"wall_seconds": 170.0, "cpu_seconds": 42.4}
    stamped = times.stamped(notebook, row)
    assert stamped.cells[0].source == (
        "# A\n- **It takes** about 3 minutes to read; the notebook runs in about 42 seconds.\nEnd"
    )
    assert notebook.cells[0].source == source


@pytest.mark.parametrize(("load", "words"), [(0.4, "Nothing else"), (7.5, "up to 7.5 processes")])
def test_the_page_says_whether_the_machine_was_busy(load, words):
    record = {"machine": {"cores": 2}, "notebooks": {"a": {"load": 0.1}, "b": {"load": load}}}
    assert words in run_times.load_in_words(record)
