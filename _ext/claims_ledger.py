"""The ledger: every claim that a notebook of the book has checked, in one table per chapter.

The directive ``{claims-ledger}`` reads the claims' records from the stored outputs of every
notebook in the table of contents; the build also writes them, each with its papers, to
``claims.json``. ``ledger.js`` lets a reader choose rows by paper, chapter and kind, which a row and
its section carry as classes and as a name; without it, all show.

The role ``{claim}`error-degradation.R1-fresh``` is a link to where a claim is checked, called
*R1-fresh*; ``{claim}`measured <error-degradation.R1-fresh>``` has words of its own. A claim that
no notebook makes is a warning, and so stops the build.
"""

import json
from html import escape
from pathlib import Path

from claims_papers import linked_claims, papers_of
from docutils import nodes
from parts import SAFE, link, path_of, row, table
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import ReferenceRole, SphinxDirective

from collapse_lib.book.claims import KINDS, MIME, SIGN, Claim, Rival
from tools.notebooks import plural, read, title

LEDGER, PAPERS = "chapters/claims", "chapters/papers"
COLUMNS = ("Claim", "Result and source", "Kind", "Theory", "Measured ± s.e.", "z")
COLUMNS += ("Rival, rejected", "its z")


def records_of(path: Path) -> list[dict]:
    """Return the records of the claims in a notebook's stored outputs, in the order of the cells."""
    outputs = (output for cell in read(path).cells for output in cell.get("outputs", []))
    return [record for output in outputs for record in output.get("data", {}).get(MIME, [])]


def ledger(env: BuildEnvironment, *, watch: bool = False) -> dict[str, list[dict]]:
    """Return the records of every chapter that has some, by document name, in book order."""
    paths = {name: path_of(env, name) for name in env.config.external_site_map}
    notebooks = [name for name, path in paths.items() if path.suffix == ".ipynb"]
    chapters = {name: records_of(path_of(env, name, watch=watch)) for name in notebooks}
    return {name: records for name, records in chapters.items() if records}


def page_of_papers(env: BuildEnvironment) -> str:
    return path_of(env, PAPERS).read_text(encoding="utf-8")


def records_with_papers(env: BuildEnvironment) -> list[dict]:
    """Return every record, and under ``papers`` those of the page *Paper by paper*."""
    records = [record for records in ledger(env).values() for record in records]
    found = papers_of(records, page_of_papers(env))
    return [{**record, "papers": found[record["id"]]} for record in records]


class ClaimsLedger(SphinxDirective):
    """``{claims-ledger}``: a section for each chapter, with a table of its claims."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir, self.config.external_toc_path)))
        path_of(self.env, PAPERS, watch=True)
        chapters = ledger(self.env, watch=True)
        self.papers = {each["id"]: each["papers"] for each in records_with_papers(self.env)}
        sections = [self._section(*chapter) for chapter in chapters.items()]
        return [self._summary(chapters), self._choices(chapters), *sections]

    def _summary(self, chapters: dict[str, list[dict]]) -> nodes.paragraph:
        claims = plural(sum(map(len, chapters.values())), "claim")
        where = plural(len(chapters), "chapter")
        words = f"The ledger holds {claims} from {where}. The same records as data: "
        file = nodes.reference("", "claims.json", refuri="../claims.json")
        return nodes.paragraph("", words, file, nodes.Text("."))

    def _choices(self, chapters: dict[str, list[dict]]) -> nodes.raw:
        """Return the form that chooses rows; hidden until its script is there."""
        used = {name for found in self.papers.values() for name in found}
        papers = [name for name in linked_claims(page_of_papers(self.env)) if name in used]
        kinds = {record["kind"] for records in chapters.values() for record in records}
        options = {
            "paper": [(_paper_class(name), name) for name in papers],
            "chapter": [(_section_name(name), self._title(name)) for name in chapters],
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

    def _title(self, docname: str) -> str:
        return title(read(path_of(self.env, docname)))

    def _section(self, docname: str, records: list[dict]) -> nodes.section:
        heading = self._title(docname)
        section = nodes.section(ids=[_section_name(docname)], names=[heading])
        section += nodes.title(heading, heading)
        rows = [self._row(record, docname) for record in records]
        section += table(COLUMNS, rows, "claims-ledger")
        return section

    def _row(self, record: dict, docname: str) -> nodes.row:
        """Return a claim's row; its statement links to where the claim is checked."""
        made = Claim(**{**record, "rival": Rival(**record["rival"])})
        theory, measured, z, rival, rival_z = made.shown()
        cells = [
            [link(self.env, docname, made.statement, f"#claim-{made.id}"), made.id],
            f"{made.result}: {made.source}",
            made.kind,
            SIGN.get(made.kind, "") + theory,
            measured,
            z,
            f"{made.rival.name} ({made.rival.why}): {rival}",
            rival_z,
        ]
        classes = [_kind_class(made.kind), *map(_paper_class, self.papers[made.id])]
        return row(cells, classes=classes)


def _section_name(docname: str) -> str:
    return f"claims-of-{Path(docname).name}"


def _kind_class(kind: str) -> str:
    return f"kind-{kind}"


def _paper_class(name: str) -> str:
    return f"paper-{nodes.make_id(name)}"


class ClaimLink(ReferenceRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if "claims" not in self.env.temp_data:  # read once per page
            self.env.temp_data["claims"] = {
                record["id"]: (docname, record)
                for docname, records in ledger(self.env, watch=True).items()
                for record in records
            }
        docname, record = self.env.temp_data["claims"].get(self.target, ("", {}))
        if not record:
            message = f"no notebook makes the claim {self.target!r}"
            warning = self.inliner.reporter.warning(message, line=self.lineno)
            return [nodes.Text(self.title)], [warning]
        name = record["id"].partition(".")[2]
        short = name if name.startswith(record["result"]) else f"{record['result']}-{name}"
        text = self.title if self.has_explicit_title else short
        place = f"#claim-{self.target}"
        return [link(self.env, docname, text, place, reftitle=record["statement"])], []


def write_json(app: Sphinx, exception: Exception | None) -> None:
    """Write every record, with its papers, to ``claims.json`` beside the pages."""
    if exception or app.builder.format != "html":
        return
    text = json.dumps(records_with_papers(app.env), indent=1, ensure_ascii=False)
    Path(app.outdir, "claims.json").write_text(text + "\n", encoding="utf-8")


def add_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load the script of the form on the page that has the form."""
    if pagename == LEDGER:
        app.add_js_file("ledger.js", defer="defer")


def setup(app: Sphinx) -> dict:
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_role("claim", ClaimLink())
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_json)
    return SAFE
