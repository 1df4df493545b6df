"""Two pages made from the boxes of the chapters: a cheat sheet, and a map of what rests on what.

``{cheat-sheet}`` repeats every theorem's statement, with links and the calls of the library that
follow it. ``{results-map}`` draws an arc from each result to those that its statement or proof
refers to, and lists them with the claims that were checked on the way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from docutils import nodes
from parts import SAFE, link, path_of, row, table
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx_proof.nodes import proof_node

from collapse_lib.book.claims import MIME
from tools.notebooks import read, title

BOXES = ("theorem", "lemma", "proposition", "corollary")
PLACES = ("cheat-sheet", "results-map")
ROW, WIDTH, MARGIN = 24, 640, 150
CALL = re.compile(
    r"\b((?:conservation|words|mixing|branching|ancestry|tempering|gaussian|kde|regression|ridge"
    r"|spectrum|scaling|detection|remedies|verification|attribution|unlearning|aggregates"
    r"|universality)\.(?!simulate|run|fit|theory\b)[a-z]\w+)\("
)


class place(nodes.General, nodes.Element):
    """Where a page made from all chapters is written once they have been read."""


@dataclass
class Result:
    """A boxed statement: what it says, where it stands, and what belongs to it."""

    docname: str
    label: str
    kind: str
    number: str
    title: str
    statement: nodes.Element
    rests_on: set[str] = field(default_factory=set)
    claims: list[dict] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.kind.capitalize()} {self.number}"


def results(env: BuildEnvironment) -> dict[str, Result]:
    """Return every boxed statement of the book by its label, in book order."""
    found: dict[str, Result] = {}
    for docname in chapters(env):
        mine = list(statements(env, docname))
        found |= {result.label: result for result in mine}
        add_cells(path_of(env, docname), {result.label: result for result in mine})
    # A reference to a formula of a statement is one to the statement.
    formulas = {
        formula["label"]: result.label
        for result in found.values()
        for formula in result.statement.findall(nodes.math_block)
        if formula.get("label")
    }
    for result in found.values():
        named = {formulas.get(name, name) for name in result.rests_on}
        result.rests_on = named & set(found) - {result.label}
    return found


def chapters(env: BuildEnvironment) -> list[str]:
    names = env.config.external_site_map
    return [name for name in names if path_of(env, name).suffix == ".ipynb"]


def statements(env: BuildEnvironment, docname: str) -> Iterator[Result]:
    """Yield the boxes of a chapter; a proof's references belong to the statement before it."""
    numbers = env.toc_fignumbers.get(docname, {})
    last = None
    for node in env.get_doctree(docname).findall(nodes.Element):
        if node.get("realtype") in BOXES:
            (number,) = (n[node["label"]] for n in numbers.values() if node["label"] in n)
            words = node[0].astext().strip().removeprefix("(").removesuffix(")")
            where = ".".join(map(str, number))
            kind, label = node["realtype"], node["label"]
            last = Result(docname, label, kind, where, words, node[1], set(targets(node)))
            yield last
        elif isinstance(node, proof_node) and last:
            last.rests_on |= set(targets(node))


def targets(node: nodes.Element) -> Iterator[str]:
    for reference in node.findall(pending_xref):
        yield str(reference.get("reftarget", "")).rpartition("#")[2]


def add_cells(path: Path, mine: dict[str, Result]) -> None:
    """Give a result the claims, and the calls of the library, up to the next result."""
    last = None
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            # A cell may state several results: what follows belongs to the last of them.
            labels = [name for name in re.findall(r":label: (\S+)", cell.source) if name in mine]
            last = mine[labels[-1]] if labels else last
        elif last:
            last.calls += [c for c in CALL.findall(cell.source) if c not in last.calls]
            outputs = (output.get("data", {}) for output in cell.get("outputs", []))
            last.claims += [record for data in outputs for record in data.get(MIME, [])]


def reference(env: BuildEnvironment, result: Result, text: str = "") -> nodes.reference:
    return link(env, result.docname, text or result.name, f"#{result.label}")


def cheat_sheet(env: BuildEnvironment, found: dict[str, Result]) -> list[nodes.Node]:
    """Return a section per chapter that lists its statements."""
    sections = []
    for docname in dict.fromkeys(result.docname for result in found.values()):
        heading = title(read(path_of(env, docname)))
        section = nodes.section(ids=[f"of-{Path(docname).name}"], classes=["cheat-sheet"])
        section += nodes.title("", heading)
        for result in (each for each in found.values() if each.docname == docname):
            item = nodes.container(classes=["cheat"])
            head = nodes.paragraph("", "", reference(env, result), nodes.Text(f" {result.title}"))
            item += [head, *(child.deepcopy() for child in result.statement.children)]
            for formula in item.findall(nodes.math_block):
                formula["ids"], formula["number"] = [], None
            for xref in list(item.findall(pending_xref)):
                to = found.get(str(xref.get("reftarget", "")).rpartition("#")[2])
                text = xref.astext()
                xref.parent.replace(xref, reference(env, to) if to else nodes.Text(text))
            if result.calls:
                calls = nodes.paragraph(classes=["cheat-calls"])
                for call in result.calls[:3]:
                    calls += [nodes.literal("", call), nodes.Text(" ")]
                item += calls
            section += item
        sections.append(section)
    return sections


def results_map(env: BuildEnvironment, found: dict[str, Result]) -> list[nodes.Node]:
    """Return a drawing of which result rests on which, and the same in a table."""
    used = {name for result in found.values() for name in result.rests_on}
    rows = []
    for result in found.values():
        before = [reference(env, found[name]) for name in found if name in result.rests_on]
        claims = [
            link(env, result.docname, record["id"].partition(".")[2], f"#claim-{record['id']}")
            for record in result.claims
        ]
        first = [reference(env, result), result.title]
        rows.append(row([first, before, claims], ids=[f"row-{result.label}"]))
    drawn = [each for each in found.values() if each.rests_on or each.label in used]
    picture = nodes.raw("", arcs(env, drawn), format="html")
    return [picture, table(("Result", "rests on", "claims checked with it"), rows, "results-map")]


def arcs(env: BuildEnvironment, drawn: list[Result]) -> str:
    """Return the drawing: one line of text per result, and arcs that lead upwards and down."""
    at = {result.label: ROW * (line + 1) for line, result in enumerate(drawn)}
    lines, curves = [], []
    for result in drawn:
        y = at[result.label]
        place = env.app.builder.get_relative_uri(env.docname, result.docname)
        text = escape(f"{result.name}  {result.title}")
        lines.append(
            f'<a href="{place}#{result.label}"><text x="{MARGIN + 10}" y="{y + 4}">{text}</text></a>'
        )
        lines.append(f'<circle cx="{MARGIN}" cy="{y}" r="3.5"/>')
        for name in sorted(result.rests_on, key=at.__getitem__):
            far = abs(at[name] - y)
            reach = min(MARGIN - 6, 12 + 0.22 * far)
            curves.append(
                f'<path d="M{MARGIN} {y}C{MARGIN - 1.33 * reach:.0f} {y} '
                f'{MARGIN - 1.33 * reach:.0f} {at[name]} {MARGIN} {at[name]}"/>'
            )
    height = ROW * (len(drawn) + 1)
    return (
        f'<svg class="results-arcs" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'aria-label="Results, and arcs between those that rest on each other">'
        f"{''.join(curves)}{''.join(lines)}</svg>"
    )


class Placed(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for docname in chapters(self.env):
            path_of(self.env, docname, watch=True)
        return [place(kind=self.name)]


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    makers = dict(zip(PLACES, (cheat_sheet, results_map), strict=True))
    for node in list(doctree.findall(place)):
        app.env.temp_data["docname"] = docname
        node.parent.replace(node, makers[node["kind"]](app.env, results(app.env)))


def setup(app: Sphinx) -> dict:
    app.add_node(place)
    for name in PLACES:
        app.add_directive(name, Placed)
    app.connect("doctree-resolved", fill)
    return SAFE
