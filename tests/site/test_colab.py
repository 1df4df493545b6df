"""The tool behind `make colab`: what it puts into a notebook, what it calls a fault.

The runs here use the tests' own Python, where the library is: nothing is installed.
"""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import colab
from tools.notebooks import dumps, normalise
from tools.repository import setup_cell

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "file:///somewhere/book@0123456"

FIGURE = """\
from collapse_lib.book import explore
from tools.live_sliders import move_every_slider
def draw(ax, n):
    ax.plot([0, 1], [0, n])
    ax.set(xlim=(0, 1), ylim=(0, 9))
figure = explore(draw, alt="A line.", say="The slope is {n}.".format, n=[1, 5, 9])
figure._repr_mimebundle_()
"""
DEAF = "figure._shown.children[1].unobserve_all()\n"


def printing(source, stored):
    return new_code_cell(source, outputs=[new_output("stream", name="stdout", text=stored)])


def notebook(*cells):
    return normalise(new_notebook(cells=[new_code_cell(setup_cell()), *cells]))


def test_the_setup_cell_gets_the_address_and_the_last_cell_expects_the_figures():
    html = new_output("display_data", data={"text/html": f"{colab.EXPLORER}></div>"})
    stored = notebook(new_code_cell("1", outputs=[html]), new_code_cell("2", outputs=[html, html]))
    opened = colab.as_opened(stored, ADDRESS)
    assert f'REPOSITORY = "{ADDRESS}"' in opened.cells[0].source
    assert [cell.source for cell in opened.cells[1:-1]] == ["1", "2"]
    assert opened.cells[-1].outputs[0].text == "3\n"
    assert stored.cells[0].source == setup_cell()
    dumps(opened)


def test_cells_that_vary_with_the_interpreter_are_counted():
    table = new_output("display_data", data={"text/html": '<span class="varies">3</span> words'})
    claims = new_output("display_data", data={"application/x+json": [{"varies": True}]})
    fixed = new_output("display_data", data={"application/x+json": [{"varies": False}]})
    cells = [new_code_cell("0", outputs=[each]) for each in (table, claims, fixed)]
    assert colab.varying_cells(notebook(*cells, printing("1", "⟦7⟧ words"))) == 3


@pytest.fixture(scope="module")
def report():
    cells = [
        printing("print(1)", "1\n"),
        printing("print(2)", "3\n"),
        new_code_cell("1 / 0"),
        new_code_cell("import os; assert os.listdir() == ['small.ipynb']"),
    ]
    return colab.run(dumps(notebook(*cells)), "small.ipynb", ADDRESS, Path(sys.executable))


def test_a_run_names_the_cell_that_fails_and_the_cell_that_differs(report):
    (failed,), (different,) = report.failed, report.different
    assert failed.startswith("Cell 3") and "ZeroDivisionError" in failed
    assert different.startswith("Cell 2")
    assert not report.passed


def test_the_table_counts_them(report):
    last = colab.table([report]).splitlines()[-1]
    assert last.split() == ["0", "of", "1", "pass", "6", f"{report.seconds:.1f}", *"0110"]


@pytest.mark.parametrize(("broken", "says"), [("", "(1, 1)"), (DEAF, "the figure stays as it was")])
def test_sliders_are_moved_between_the_stored_values(broken, says):
    """In a process of its own: the function moves every live figure that it finds."""
    code = FIGURE + broken + "print(move_every_slider())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert says in done.stdout + done.stderr


def test_every_notebook_without_networks_is_taken():
    taken = {
        path.name
        for path in (ROOT / "chapters").glob("*.ipynb")
        if not colab.needs_gpu(nbformat.read(path, as_version=4))
    }
    left = {path.name for path in (ROOT / "chapters").glob("*.ipynb")} - taken
    assert left == {"vae.ipynb", "language-model.ipynb", "diffusion.ipynb"}
