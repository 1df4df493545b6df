"""What several extensions of the book share: notebooks, tables, and the book's own tools."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from sphinx.environment import BuildEnvironment

# A console script such as jupyter-book does not look for modules in the folder it is called in.
sys.path.append(str(Path(__file__).resolve().parents[1]))

Cell = str | nodes.Element
SAFE = {"parallel_read_safe": True, "parallel_write_safe": True}


def table(head: Sequence[str], rows: Iterable[nodes.row], name: str) -> nodes.table:
    """Return a table of the class `name`."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += [nodes.thead("", row(head)), nodes.tbody("", *rows)]
    return nodes.table("", group, classes=[name, "colwidths-auto"])


def row(cells: Iterable[Cell | Sequence[Cell]], **attributes) -> nodes.row:
    """Return a row of a table; each paragraph of a cell is a text or a link."""
    entries = []
    for cell in cells:
        inside = [cell] if isinstance(cell, Cell) else cell
        texts = (nodes.Text(each) if isinstance(each, str) else each for each in inside)
        entries.append(nodes.entry("", *(nodes.paragraph("", "", text) for text in texts)))
    return nodes.row("", *entries, **attributes)


def link(
    env: BuildEnvironment, docname: str, text: str, place: str = "", **more
) -> nodes.reference:
    """Return a link to a page, or to a place on it such as ``#claim-D3``."""
    page = env.app.builder.get_relative_uri(env.docname, docname)
    return nodes.reference("", text, refuri=page + place, internal=True, **more)


def path_of(env: BuildEnvironment, docname: str, *, watch: bool = False) -> Path:
    """Return a page's file; to `watch` it is to read the present page again when it changes."""
    path = Path(env.doc2path(docname))
    if watch:
        env.note_dependency(str(path))
    return path
