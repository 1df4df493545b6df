"""Run the chapters as a reader does who opens them in Colab.

    python -m tools.colab path/to/python [chapters/a.ipynb ...]

The Python is one of an environment with Colab's packages (``environments/colab.txt``) and
without the library. Each notebook of the last commit is put into a folder that holds nothing
else, with the address of this repository in its setup cell, and runs there from the top: the
setup cell installs the library of that commit from ``git+file://``. nbval compares each output
with the stored one, by the rules of ``make test``. A last cell, added here, moves every slider
of the live figures. Without files: every notebook that needs no GPU.
"""

from __future__ import annotations

import inspect
import json
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
# Where the library comes from, as pip noted it when the setup cell installed it.
INSTALLED_COMMIT = """\
import json
from importlib.metadata import distribution
print(json.loads(distribution("collapse-lib").read_text("direct_url.json"))["vcs_info"]["commit_id"])
"""
# nbval by the rules of `make test`, but for the kernel.
NBVAL = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
NBVAL += ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "-p", "chapters.conftest"]
NBVAL += ["--nbval", f"--nbval-kernel-name={KERNEL}", "--nbval-cell-timeout=1200"]
NBVAL += ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg"), "--tb=short"]


def git(*arguments: str) -> str:
    """Return what a git command of this checkout prints."""
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
    ).stdout


def needs_gpu(notebook: NotebookNode) -> bool:
    """Return whether Colab is asked to open the notebook on a machine with a GPU."""
    return notebook.metadata.get("accelerator") == "GPU"


def as_opened(notebook: NotebookNode, address: str) -> NotebookNode:
    """Return the notebook with the address in its setup cell and a last cell that moves sliders.

    The last cell stores what it must print: the number of figures whose page is stored.
    """
    notebook = nbformat.from_dict(notebook)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source = repository.setup_cell(address)
    # pip says there that it installed something, and the stored cell found the library in place.
    setup.metadata["tags"] = [*setup.metadata.get("tags", []), "nbval-ignore-output"]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    figures = sum(EXPLORER in output.get("data", {}).get("text/html", "") for output in outputs)
    source = inspect.getsource(move_every_slider) + "\n\nprint(move_every_slider()[0])"
    printed = new_output("stream", name="stdout", text=f"{figures}\n")
    count = 1 + max(cell.get("execution_count") or 0 for cell in notebook.cells)
    notebook.cells.append(new_code_cell(source, outputs=[printed], execution_count=count))
    return notebook


def move_every_slider():
    """Move each slider of each interactive figure shown here to a value that no page stores.

    Returns the number of figures and of sliders. The function is copied, as text, into a notebook
    that runs where the book's tools are not: it imports what it needs.
    """
    import gc

    from collapse_lib.book.explorer import Explorer

    figures = [thing for thing in gc.get_objects() if type(thing) is Explorer]
    shown = [figure for figure in figures if hasattr(figure, "_shown")]
    moved = 0
    for figure in shown:
        picture, *sliders, sentence = figure._shown.children
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
    """Run a stored notebook in a folder of its own; return what failed or differs, if anything.

    Its setup cell installs the library from the address, after ``git+``, into the environment of
    that Python, which must not hold the library yet.
    """
    with tempfile.TemporaryDirectory(prefix="colab") as folder:
        path = Path(folder, "content", name)
        path.parent.mkdir()
        path.write_text(dumps(as_opened(notebook, address)), encoding="utf-8")
        done = subprocess.run(
            [*NBVAL, str(path)],
            cwd=ROOT,
            env=os.environ | {"JUPYTER_PATH": str(kernel(Path(folder, "jupyter"), python))},
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout + done.stderr if done.returncode else ""


def kernel(folder: Path, python: Path) -> Path:
    """Describe a kernel of that Python in a Jupyter folder and return the folder."""
    place = folder / "kernels" / KERNEL
    place.mkdir(parents=True)
    start = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    # Nothing of this checkout may be imported.
    specification = {"argv": start, "display_name": KERNEL, "language": "python"}
    specification["env"] = {"PYTHONPATH": ""}
    (place / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    return folder


def main() -> int:
    python, *files = sys.argv[1:]
    commit = git("rev-parse", "HEAD").strip()
    failed = []
    for file in files or git("ls-files", "chapters/*.ipynb").split():
        notebook = nbformat.reads(git("show", f"{commit}:{file}"), as_version=4)
        if needs_gpu(notebook):
            continue
        pip = [python, "-m", "pip", "-qq", "uninstall", "--yes", "collapse-lib"]
        subprocess.run(pip, check=True)
        found = run(notebook, Path(file).name, f"{ROOT.as_uri()}@{commit}", Path(python))
        asked = [python, "-c", INSTALLED_COMMIT]
        installed = subprocess.run(asked, capture_output=True, text=True, cwd="/", check=False)
        if installed.stdout.strip() != commit:
            found += f"the library is not of commit {commit}\n"
        print(f"{found}{file}: {'FAILED' if found else 'passed'}", flush=True)
        failed += [file] if found else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
