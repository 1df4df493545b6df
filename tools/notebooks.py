"""Keep every notebook in one normal form, so that running it again changes no byte.

    python -m tools.notebooks run  [files]   run in place, then write in normal form
    python -m tools.notebooks fmt  [files]   write in normal form, outputs as they are
    python -m tools.notebooks quiz [files]   run the cells tagged quiz alone, then as above

Without files: every notebook in ``chapters/``.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"

PYTHON = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
NOTEBOOK_METADATA = {"accelerator", "colab", "mystnb"}
CELL_METADATA = {"mystnb", "tags"}
# The source of a quiz holds its answers: Colab and JupyterLab fold it, each by its own mark.
QUIZ = "quiz"
QUIZ_METADATA = {"cellView": "form", "jupyter": {"source_hidden": True}}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SVG = "image/svg+xml"
SVG_DATE = re.compile(r"\s*<metadata>.*?</metadata>", flags=re.DOTALL)
# The file that the kernel keeps a cell in.
KERNEL_FILE = re.compile(r"\S*/ipykernel_\d+/\d+\.py")
READING_WORDS_PER_MINUTE = 200


def numbered_chapters() -> list[str]:
    """Return the names of the numbered chapters, in the order of the book."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    files = (c["file"] for part in parts if part.get("numbered") for c in part["chapters"])
    return [Path(file).name for file in files]


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with everything removed that differs from run to run.

    What remains: whitelisted metadata, a unique id for each cell, execution counts 1, 2, 3, ...,
    merged streams, no widget state, no temporary path. The notebook given is left as it was.
    """
    notebook = nbformat.from_dict(notebook)
    kept = {k: v for k, v in notebook.metadata.items() if k in NOTEBOOK_METADATA}
    notebook.metadata = nbformat.from_dict(PYTHON | kept)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken: set[str] = set()
    count = 0
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
            | (QUIZ_METADATA if is_quiz(cell) else {})
        )
        cell.id = _unique_id(cell, taken)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            # nbval takes a cell without a count for one that was never run.
            count += bool(cell.source)
            cell.execution_count = count if cell.source else None
            cell.outputs = _normal_outputs(cell.outputs, cell.execution_count)
    return notebook


def is_quiz(cell: NotebookNode) -> bool:
    """Return whether a cell asks the self-check questions of its chapter."""
    return QUIZ in cell.metadata.get("tags", [])


def _unique_id(cell: NotebookNode, taken: set[str]) -> str:
    """Return the cell's own id, or one made of its content where it has none of its own."""
    name, attempt = cell.get("id") or "", 0
    while not name or name in taken:
        text = f"{attempt}{cell.cell_type}{cell.source}"
        name, attempt = hashlib.sha256(text.encode()).hexdigest()[:8], attempt + 1
    taken.add(name)
    return name


def _normal_outputs(outputs: list[NotebookNode], count: int | None) -> list[NotebookNode]:
    normal: list[NotebookNode] = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if output.output_type == "stream":
            output.text = KERNEL_FILE.sub("<cell>", output.text)
            if normal and normal[-1].get("name") == output.name:
                normal[-1].text += output.text
                continue
        if output.output_type == "execute_result":
            output.execution_count = count
        if "metadata" in output:
            output.metadata = NotebookNode()
        if "data" in output:
            # A view names a widget that lives in one kernel only; the html beside it is for all.
            output.data.pop(WIDGET_VIEW, None)
            if SVG in output.data:
                output.data[SVG] = SVG_DATE.sub("", output.data[SVG])
        normal.append(output)
    return normal


def dumps(notebook: NotebookNode) -> str:
    """Return the text of a notebook file: canonical JSON that ends in one newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell, in place, in a kernel of this Python started in `folder`."""
    # Silences a debugger's warning when the kernel starts.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    with tempfile.TemporaryDirectory(prefix="kernel") as sockets:
        # Unix sockets: the default TCP ports make the kernel print a warning.
        manager = {"transport": "ipc", "ip": str(Path(sockets, "k"))}
        NotebookClient(
            notebook,
            timeout=1200,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            store_widget_state=False,
            config=Config({"KernelManager": manager}),
        ).execute()


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def title(notebook: NotebookNode) -> str:
    """Return the heading that a notebook begins with."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def reading_minutes(notebook: NotebookNode) -> int:
    """Return how long the prose and the code take to read, in whole minutes."""
    words = sum(len(cell.source.split()) for cell in notebook.cells)
    return max(1, round(words / READING_WORDS_PER_MINUTE))


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def run(path: Path, *, quiz: bool = False) -> None:
    """Run a notebook in place and store it; only its `quiz`, which needs no other cell, if asked."""
    notebook = read(path)
    cells = [cell for cell in notebook.cells if is_quiz(cell) or not quiz]
    start = time.perf_counter()
    try:
        execute(nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata), path.parent)
    except CellExecutionError as error:
        sys.exit(f"{path.name}: a cell failed; the file is as it was.\n{error}")
    print(f"{path.name}: ran in {time.perf_counter() - start:.1f} s")
    store(path, notebook)


def store(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook in normal form where that differs from what is there."""
    text = dumps(normalise(notebook))
    if path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: rewritten")


if __name__ == "__main__":
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("command", choices=["run", "fmt", "quiz"])
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    for path in options.files or sorted(CHAPTERS.glob("*.ipynb")):
        if options.command == "fmt":
            store(path, read(path))
        else:
            run(path, quiz=options.command == "quiz")
