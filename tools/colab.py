"""Run the chapters as a reader does who opens them in Colab.

    python -m tools.colab path/to/python [chapters/a.ipynb ...]

The Python is one of an environment with Colab's packages (``environments/colab.txt``), without
the library. Each notebook of the last commit, in a folder that holds nothing else, gets this
repository's address into its setup cell, which then installs the library of that commit, and a
last cell that moves every slider. nbval compares each output with the stored one. Without files:
every notebook that needs no GPU.
"""

import inspect
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools import repository
from tools.notebooks import dumps

ROOT = Path(__file__).resolve().parents[1]
KERNEL = "colab"
EXPLORER = '<div class="cl-explorer"'
# nbval by the rules of `make test`, but for the kernel.
NBVAL = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-o", "addopts=", "--tb=short"]
NBVAL += ["-q", "-p", "no:cacheprovider", "-p", "chapters.conftest", "--nbval"]
NBVAL += [f"--nbval-kernel-name={KERNEL}", "--nbval-cell-timeout=1200"]
NBVAL += ["--nbval-sanitize-with=tests/nbval_sanitize.cfg"]


def told(command: list[str | Path]) -> str:
    """Return what a command prints that is run in this checkout."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def needs_gpu(notebook: NotebookNode) -> bool:
    """Return whether Colab is asked to open the notebook on a machine with a GPU."""
    return notebook.metadata.get("accelerator") == "GPU"


def as_opened(notebook: NotebookNode, address: str) -> NotebookNode:
    """Return the notebook with the address in its setup cell and a last cell that moves sliders."""
    notebook = nbformat.from_dict(notebook)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source = repository.setup_cell(address)
    # pip says there that it installed something, and the stored cell found the library in place.
    setup.metadata["tags"] = [*setup.metadata.get("tags", []), "nbval-ignore-output"]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    figures = sum(EXPLORER in output.get("data", {}).get("text/html", "") for output in outputs)
    source = inspect.getsource(move_every_slider) + "\n\nprint(move_every_slider()[0])"
    # What the last cell must print: the number of figures whose page is stored.
    printed = new_output("stream", name="stdout", text=f"{figures}\n")
    count = 1 + max(cell.get("execution_count") or 0 for cell in notebook.cells)
    notebook.cells.append(new_code_cell(source, outputs=[printed], execution_count=count))
    return notebook


def move_every_slider():
    """Move each slider of each figure to a value that no page stores; count figures and sliders.

    The function is copied, as text, into a notebook: it imports what it needs.
    """
    import gc

    from collapse_lib.book.explorer import Explorer

    figures = [thing for thing in gc.get_objects() if type(thing) is Explorer]
    shown = [figure for figure in figures if hasattr(figure, "_shown")]
    moved = 0
    for figure in shown:
        picture, *sliders, _, sentence = figure._shown.children
        for stored, slider in zip(figure.grid.values(), sliders, strict=True):
            before, start = picture.value, slider.value
            if hasattr(slider, "options"):
                offered = [value for _, value in slider.options]
            else:
                steps = round((slider.max - slider.min) / slider.step)
                offered = [slider.min + k * slider.step for k in range(steps + 1)]
            # A slider over words, or over neighbouring numbers, has no value between.
            between = [value for value in offered if value not in stored] or offered
            slider.value = max(between, key=lambda value: offered.index(value) * (value != start))
            name = f"{slider.description} = {slider.value} after {start}"
            assert picture.value != before, f"the figure stays as it was at {name}"
            assert "<svg" in picture.value and sentence.value, f"nothing is shown at {name}"
            slider.value = start
            assert picture.value == before, f"the figure does not come back from {name}"
            moved += 1
    return len(shown), moved


def run(notebook: NotebookNode, name: str, address: str, python: Path) -> str:
    """Run a stored notebook in a folder of its own; return what failed or differs, if anything."""
    with tempfile.TemporaryDirectory(prefix="colab") as folder:
        path = Path(folder, "content", name)
        path.parent.mkdir()
        path.write_text(dumps(as_opened(notebook, address)), encoding="utf-8")
        kernel = [python, "-m", "ipykernel", "install", "--prefix", folder, "--name", KERNEL]
        # Nothing of this checkout may be imported.
        told([*kernel, "--env", "PYTHONPATH", ""])
        environment = os.environ | {"JUPYTER_PATH": f"{folder}/share/jupyter"}
        done = subprocess.run(
            [*NBVAL, path], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    return done.stdout + done.stderr if done.returncode else ""


if __name__ == "__main__":
    python, *files = sys.argv[1:]
    commit = told(["git", "rev-parse", "HEAD"]).strip()
    # -I: a leftover in this folder says nothing of what is installed there.
    pip = [python, "-I", "-m", "pip", "-qq"]
    failed = 0
    for file in files or told(["git", "ls-files", "chapters/*.ipynb"]).split():
        notebook = nbformat.reads(told(["git", "show", f"{commit}:{file}"]), as_version=4)
        if needs_gpu(notebook):
            continue
        told([*pip, "uninstall", "--yes", "collapse-lib"])
        found = run(notebook, Path(file).name, f"{ROOT.as_uri()}@{commit}", Path(python))
        if f"@{commit}" not in told([*pip, "freeze"]):
            found += f"the library is not of commit {commit}\n"
        print(f"{found}{file}: {'FAILED' if found else 'passed'}", flush=True)
        failed += bool(found)
    sys.exit(failed > 0)
