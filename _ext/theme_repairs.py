"""Repairs of what extensions write into a page; what templates can repair is in ``templates/``."""

from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator
from sphinx_proof.nodes import proof_node

# sphinx-proof and sphinx-exercise give these names to every box of a page.
MEASURES_ALL = '"complete"===document.readyState?O():window.addEventListener("load",O)'
REPEATED_NAMES = {"proof", "proof-content", "exercise-content", "solution-content"}


class DropRepeatedNames(SphinxPostTransform):
    """Take names that stand on a page more than once off theorems, proofs and exercises."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for node in self.document.findall(nodes.Element):
            if REPEATED_NAMES & set(node.get("ids", ())):
                node["ids"] = [name for name in node["ids"] if name not in REPEATED_NAMES]


class EmphasiseProof(SphinxPostTransform):
    """Set the word “Proof.” apart from the sentence it is glued to."""

    default_priority = 900
    formats = ("html",)
    word = "Proof."

    def run(self, **kwargs) -> None:
        for proof in self.document.findall(proof_node):
            text = next(proof.findall(nodes.Text), None)
            if text is not None and text.startswith(self.word):
                rest = nodes.Text(text[len(self.word) :])
                text.parent.replace(text, [nodes.strong("", self.word), rest])


class OneFoldPerFigure(SphinxPostTransform):
    """Put folded code below what it makes, in one fold with the folded cells that prepare it."""

    default_priority = 198  # just before myst-nb folds each cell for itself
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for cell in list(self.document.findall(self._is_folded)):
            following = cell.next_node(descend=False, siblings=True)
            sources = [part for part in cell if part.get("nb_element") == "cell_code_source"]
            outputs = [part for part in cell if part not in sources]
            if not outputs and following is not None and self._is_folded(following):
                following[:0] = sources
                cell.parent.remove(cell)
                continue
            drawn = any(
                output.next_node(nodes.image) or "<svg" in output.astext() for output in outputs
            )
            show = "Code for this figure" if drawn else cell["prompt_show"]
            fold = HideCodeCellNode("", *sources, prompt_show=show, prompt_hide=cell["prompt_hide"])
            fold["classes"] = ["above-input"]
            cell.children = []
            cell.extend([*outputs, fold])
            del cell["hide_mode"]

    @staticmethod
    def _is_folded(node: nodes.Node) -> bool:
        return isinstance(node, nodes.container) and node.get("hide_mode") == "input"


def visit_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    """Write an entry of the bibliography as an item of its list: its own role is deprecated."""
    HTML5Translator.visit_citation(writer, node)
    writer.body[-1] = writer.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def visit_folded_code(writer: HTML5Translator, node: HideCodeCellNode) -> None:
    """Write the title of a folded cell, without a label that differs from what it shows."""
    start = len(writer.body)
    visit_HideCellInput(writer, node)
    written = "".join(writer.body[start:])
    writer.body[start:] = [written.replace(' aria-label="Toggle hidden content"', "")]


def lay_out_later(app: Sphinx, exception: Exception | None) -> None:
    """Take a measurement of every box, at the start, out of the theme's script: book.js waits."""
    if exception or app.builder.format != "html":
        return
    script = Path(app.outdir, "_static", "scripts", "pydata-sphinx-theme.js")
    text = script.read_text(encoding="utf-8")
    if MEASURES_ALL in text:
        script.write_text(text.replace(MEASURES_ALL, "0"), encoding="utf-8")
    elif not text.rstrip().splitlines()[0].endswith("0})();"):
        raise ExtensionError(f"the theme's script has changed: {MEASURES_ALL!r} is not in it")


def pages_to_write_again(app: Sphinx, env, added: set, changed: set, removed: set) -> set[str]:
    """Return every page where the style or an extension changed: Sphinx looks at texts only."""
    last_build = Path(app.doctreedir, "environment.pickle")
    if not last_build.exists():
        return set()
    look = (path for name in ("assets", "_ext") for path in Path(app.srcdir, name).rglob("*.*"))
    newer = any(path.stat().st_mtime >= last_build.stat().st_mtime for path in look)
    return set(env.found_docs) if newer else set()


def setup(app: Sphinx) -> dict:
    app.connect("env-get-outdated", pages_to_write_again)
    app.connect("build-finished", lay_out_later)
    app.add_post_transform(DropRepeatedNames)
    app.add_post_transform(EmphasiseProof)
    app.add_post_transform(OneFoldPerFigure)
    app.add_node(
        nodes.citation, override=True, html=(visit_citation, HTML5Translator.depart_citation)
    )
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded_code, depart_HideCellInput))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
