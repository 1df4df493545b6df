"""The ledger: every claim that a notebook of the book has checked, in one table a chapter.

A claim's record rides in its cell's stored output as `MIME`. The directive ``{claims-ledger}``
reads the records of every notebook in the table of contents; the build also writes them, each with
its papers, to ``claims.json`` beside the pages. ``ledger.js`` lets a reader choose rows by paper,
chapter and kind, which a row and its section carry as classes and as a name; without it, all show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from claims_papers import linked_claims, papers_of
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from collapse_lib.book.claims import KINDS, MIME, SIGN, Claim, Rival

PAPERS = "chapters/papers"
COLUMNS = (
    "Claim",
    "Result and source",
    "Kind",
    "Theory",
    "Measured ± s.e.",
    "z",
    "Rival, rejected",
    "its z",
)

logger = logging.getLogger(__name__)


def notebooks_in_order(env: BuildEnvironment) -> list[str]:
    """Return the document names of the notebooks, in the order of the table of contents."""
    site_map = env.config.external_site_map

    def walk(docname: str) -> Iterator[str]:
        yield docname
        for child in site_map[docname].child_files():
            yield from walk(child)

    return [name for name in walk(site_map.root.docname) if _path(env, name).suffix == ".ipynb"]


def _path(env: BuildEnvironment, docname: str) -> Path:
    return Path(env.doc2path(docname))


def records_of(path: Path) -> list[dict]:
    """Return the records of the claims in a notebook's stored outputs.

    Parameters
    ----------
    path : Path
        A notebook file.

    Returns
    -------
    list of dict
        In the order of the cells. Each has the fields id, chapter, result, source, statement,
        kind, theory, measured, stderr, z and rival (name, value, z).
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return [record for output in outputs for record in output.get("data", {}).get(MIME, [])]


def ledger(env: BuildEnvironment) -> dict[str, list[dict]]:
    """Return the records of every chapter that has some, by document name, in book order."""
    chapters = {name: records_of(_path(env, name)) for name in notebooks_in_order(env)}
    return {name: records for name, records in chapters.items() if records}


def papers(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return the papers of every claim, as the page *Paper by paper* has them, by its id."""
    page = _path(env, PAPERS).read_text(encoding="utf-8")
    return papers_of((record for records in ledger(env).values() for record in records), page)


class ClaimsLedger(SphinxDirective):
    """``{claims-ledger}``: a section for each chapter, with a table of its claims."""

    def run(self) -> list[nodes.Node]:
        for docname in notebooks_in_order(self.env):
            # Read this page again when one of the notebooks changes.
            self.env.note_dependency(str(_path(self.env, docname)))
        self.env.note_dependency(str(Path(self.env.srcdir, self.config.external_toc_path)))
        self.env.note_dependency(str(_path(self.env, PAPERS)))
        chapters, self.papers = ledger(self.env), papers(self.env)
        self._warn_of_bad_names(chapters)
        sections = [self._section(*chapter) for chapter in chapters.items()]
        return [self._summary(chapters), self._choices(chapters), *sections]

    def _warn_of_bad_names(self, chapters: dict[str, list[dict]]) -> None:
        for name in (name for name, found in self.papers.items() if not found):
            logger.warning("claim %s goes back to nothing on the page %s", name, PAPERS)
        seen: set[str] = set()
        for docname, records in chapters.items():
            for record in records:
                if record["chapter"] != Path(docname).name:
                    logger.warning("claim %s stands in chapter %s", record["id"], docname)
                if record["id"] in seen:
                    logger.warning("two claims are called %s", record["id"])
                seen.add(record["id"])

    def _summary(self, chapters: dict[str, list[dict]]) -> nodes.paragraph:
        claims = _counted(sum(map(len, chapters.values())), "claim")
        where = _counted(len(chapters), "chapter")
        home = "../" * self.env.docname.count("/")
        return nodes.paragraph(
            "",
            f"The ledger holds {claims} from {where}. The same records as data: ",
            nodes.reference("", "claims.json", refuri=f"{home}claims.json"),
            nodes.Text("."),
        )

    def _choices(self, chapters: dict[str, list[dict]]) -> nodes.raw:
        """Return the form that chooses rows; hidden until its script is there."""
        used = {name for found in self.papers.values() for name in found}
        page = _path(self.env, PAPERS).read_text(encoding="utf-8")
        kinds = {record["kind"] for records in chapters.values() for record in records}
        options = {
            "paper": [(_paper_class(name), name) for name in linked_claims(page) if name in used],
            "chapter": [
                (_section_name(docname), _title(_path(self.env, docname))) for docname in chapters
            ],
            "kind": [(_kind_class(kind), kind) for kind in KINDS if kind in kinds],
        }
        selects = "".join(
            f'<label>{name.capitalize()} <select name="{name}"><option value="">all</option>'
            + "".join(f'<option value="{value}">{escape(text)}</option>' for value, text in choices)
            + "</select></label>"
            for name, choices in options.items()
        )
        return nodes.raw(
            "",
            f'<form class="ledger-choices" aria-label="Choose claims" hidden>{selects}'
            '<button type="reset">Show all</button>'
            '<p><span role="status"></span>. <a href="">Link to this choice</a></p></form>',
            format="html",
        )

    def _section(self, docname: str, records: list[dict]) -> nodes.section:
        page = self.env.app.builder.get_relative_uri(self.env.docname, docname)
        title = _title(_path(self.env, docname))
        section = nodes.section(ids=[_section_name(docname)], names=[title])
        section += nodes.title(title, title)
        section += _table([self._row(record, page) for record in records])
        return section

    def _row(self, record: dict, page: str) -> nodes.row:
        classes = [_kind_class(record["kind"]), *map(_paper_class, self.papers[record["id"]])]
        return nodes.row("", *_entries(record, page), classes=classes)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _title(path: Path) -> str:
    """Return the first heading of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = (line for cell in cells for line in "".join(cell["source"]).splitlines())
    return next((line[2:].strip() for line in lines if line.startswith("# ")), path.stem)


def _section_name(docname: str) -> str:
    return f"claims-of-{Path(docname).name}"


def _kind_class(kind: str) -> str:
    return f"kind-{kind}"


def _paper_class(name: str) -> str:
    return f"paper-{nodes.make_id(name)}"


def _entries(record: dict, page: str) -> list[nodes.entry]:
    """Return the cells of a claim's row; its statement links to where the claim is checked."""
    made = Claim(**{**record, "rival": Rival(**record["rival"])})
    link = nodes.reference("", made.statement, refuri=f"{page}#claim-{made.id}", internal=True)
    claim = [nodes.paragraph("", "", link), nodes.paragraph("", made.id)]
    theory, measured, z, rival, rival_z = made.shown()
    texts = [
        f"{made.result}: {made.source}",
        made.kind,
        SIGN.get(made.kind, "") + theory,
        measured,
        z,
        f"{made.rival.name}: {rival}",
        rival_z,
    ]
    return [nodes.entry("", *claim), *map(_entry, texts)]


def _entry(text: str) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", text))


def _table(rows: list[nodes.row]) -> nodes.table:
    group = nodes.tgroup(cols=len(COLUMNS))
    group += [nodes.colspec(colwidth=1) for _ in COLUMNS]
    group += nodes.thead("", nodes.row("", *map(_entry, COLUMNS)))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=["claims-ledger", "colwidths-auto"])


def write_json(app: Sphinx, exception: Exception | None) -> None:
    """Write every record, with its papers, to ``claims.json`` beside the pages."""
    if exception or app.builder.format != "html":
        return
    found = papers(app.env)
    records = [
        {**record, "papers": found[record["id"]]}
        for records in ledger(app.env).values()
        for record in records
    ]
    text = json.dumps(records, indent=1, ensure_ascii=False)
    Path(app.outdir, "claims.json").write_text(text + "\n", encoding="utf-8")


def add_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load the script of the form on the page that has the form."""
    if doctree is not None and any(
        "ledger-choices" in raw.astext() for raw in doctree.findall(nodes.raw)
    ):
        app.add_js_file("ledger.js", defer="defer")


def setup(app: Sphinx) -> dict:
    app.add_directive("claims-ledger", ClaimsLedger)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_json)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
