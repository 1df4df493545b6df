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

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools import repository
from tools.live_sliders import move_every_slider
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
NBVAL += ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg")]


@dataclass(frozen=True)
class Report:
    """What the run of one notebook showed.

    Attributes
    ----------
    cells : int
        The code cells, the setup cell and the added one included.
    seconds : float
        How long they ran, the installation of the library included.
    figures : int
        The interactive figures, whose every live slider was moved.
    varying : int
        The cells that hold text which is not compared, since it varies with the machine's Python.
    failed, different : list of str
        The cells that raised an error; those whose output is not the stored one.
    """

    name: str
    cells: int
    seconds: float
    figures: int
    varying: int
    failed: list[str]
    different: list[str]

    @property
    def passed(self) -> bool:
        return not (self.failed or self.different)


def git(*arguments: str) -> str:
    """Return what a git command of this checkout prints."""
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
    ).stdout


def installed_commit(python: Path) -> str:
    """Return the commit that the library of an environment was installed from, if any."""
    return subprocess.run(
        [str(python), "-c", INSTALLED_COMMIT], capture_output=True, text=True, cwd="/", check=False
    ).stdout.strip()


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
    source = inspect.getsource(move_every_slider) + "\n\nprint(move_every_slider()[0])"
    printed = new_output("stream", name="stdout", text=f"{figures(notebook)}\n")
    count = 1 + max(cell.get("execution_count") or 0 for cell in notebook.cells)
    notebook.cells.append(new_code_cell(source, outputs=[printed], execution_count=count))
    return notebook


def figures(notebook: NotebookNode) -> int:
    """Return the number of interactive figures among the stored outputs."""
    return sum(EXPLORER in html for _, html in _stored_texts(notebook))


def varying_cells(notebook: NotebookNode) -> int:
    """Return the number of cells with stored text that nbval is told not to compare."""
    marks = ('<span class="varies">', "⟦", "'varies': True")
    return len({at for at, text in _stored_texts(notebook) if any(mark in text for mark in marks)})


def _stored_texts(notebook: NotebookNode):
    for at, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            for text in [output.get("text", ""), *output.get("data", {}).values()]:
                yield at, str(text)


def run(text: str, name: str, address: str, python: Path) -> Report:
    """Run one notebook in a folder of its own and report.

    Parameters
    ----------
    text : str
        The notebook as it is stored.
    name : str
        Its file name.
    address : str
        What its setup cell installs the library from, after ``git+``.
    python : Path
        The Python of the environment, which must not hold the library.
    """
    notebook = as_opened(nbformat.reads(text, as_version=4), address)
    with tempfile.TemporaryDirectory(prefix="colab") as folder:
        home = Path(folder, "content")
        home.mkdir()
        path = home / name
        path.write_text(dumps(notebook), encoding="utf-8")
        environment = os.environ | {"JUPYTER_PATH": str(kernel(Path(folder, "jupyter"), python))}
        log = Path(folder, "cells.xml")
        done = subprocess.run(
            [*NBVAL, "--junitxml", str(log), str(path)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if not log.exists():
            raise RuntimeError(f"{name}: nbval did not run\n{done.stdout}{done.stderr}")
        cells = list(ElementTree.parse(log).iter("testcase"))
    failed, different = faults(cells)
    return Report(
        name=name,
        cells=len(cells),
        seconds=sum(float(cell.get("time")) for cell in cells),
        figures=figures(notebook),
        varying=varying_cells(notebook),
        failed=failed,
        different=different,
    )


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


def faults(cells: list[ElementTree.Element]) -> tuple[list[str], list[str]]:
    """Return the cells that raised an error and those whose output differs, with what was seen."""
    failed, different = [], []
    for cell in cells:
        for fault in cell.iter():
            if fault.tag in ("failure", "error"):
                seen = f"{cell.get('name')}\n{fault.text}"
                (different if "Cell outputs differ" in seen else failed).append(seen)
    return failed, different


def table(reports: list[Report]) -> str:
    """Return one line a notebook and a line of totals."""
    head = f"{'notebook':26}{'cells':>6}{'s':>8}{'figures':>9}{'failed':>8}{'differ':>8}{'vary':>6}"
    lines = [
        f"{r.name:26}{r.cells:6}{r.seconds:8.1f}{r.figures:9}"
        f"{len(r.failed):8}{len(r.different):8}{r.varying:6}"
        for r in [*reports, total(reports)]
    ]
    return "\n".join([head, *lines])


def total(reports: list[Report]) -> Report:
    """Return the sums over all notebooks."""
    return Report(
        name=f"{sum(r.passed for r in reports)} of {len(reports)} pass",
        cells=sum(r.cells for r in reports),
        seconds=sum(r.seconds for r in reports),
        figures=sum(r.figures for r in reports),
        varying=sum(r.varying for r in reports),
        failed=[fault for r in reports for fault in r.failed],
        different=[fault for r in reports for fault in r.different],
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=Path)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    commit = git("rev-parse", "HEAD").strip()
    address = f"{ROOT.as_uri()}@{commit}"
    files = options.files or git("ls-files", "chapters/*.ipynb").split()
    reports = []
    for file in files:
        text = git("show", f"{commit}:{file}")
        if needs_gpu(nbformat.reads(text, as_version=4)):
            continue
        pip = [str(options.python), "-m", "pip", "-qq", "uninstall", "--yes", "collapse-lib"]
        subprocess.run(pip, check=True)
        report = run(text, Path(file).name, address, options.python)
        if (installed := installed_commit(options.python)) != commit:
            report.failed.append(f"the library is of commit {installed or 'none'}, not {commit}")
        reports.append(report)
        print("\n".join([*report.failed, *report.different]), flush=True)
        print(f"{report.name}: {'passed' if report.passed else 'FAILED'}", flush=True)
    print(table(reports))
    return 0 if all(report.passed for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
