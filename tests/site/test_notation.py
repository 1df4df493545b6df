"""Every symbol that a chapter uses stands on the page *Notation*.

Proofs and exercises are left out: their letters are introduced and dropped on the spot.
"""

import collections
import re
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import numbered_chapters

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "chapters" / "notation.md").read_text(encoding="utf-8")
CHAPTERS = numbered_chapters()
COMMON = ("Everywhere", "Usual letters")
# A symbol that stands in so many formulas of a chapter must be explained.
OFTEN = 3

GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|"
    "tau|phi|varphi|chi|psi|omega|ell|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega"
)
WORDS = re.compile(r"\\(text|mathrm|operatorname|begin|end|label)\*?\{[^}]*\}")
DRESSED = r"\\(?:mathcal|mathbb|hat|bar|tilde|underline)\s*\{?\\?[A-Za-z]+\}?"
SYMBOL = re.compile(rf"{DRESSED}|\\(?:{GREEK})(?![a-z])|(?<![\\a-zA-Z])[A-Za-z](?![a-zA-Z])")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)


def symbols(text):
    """The letters in each formula of a MyST text, dressed ones such as a hat over w as one."""
    formulas = (display or inline for display, inline in FORMULA.findall(text))
    return [set(SYMBOL.findall(WORDS.sub(" ", formula))) for formula in formulas]


def without_proofs(text):
    """The text up to its exercises, without what stands in a proof."""
    text = text.partition("\n## Exercises")[0]
    return re.sub(r"^(:{3,})\{prf:proof\}.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def sections(page):
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def unexplained(text, *tables):
    """Symbols that stand in at least `OFTEN` formulas of the text and in none of the tables."""
    listed = set().union(*symbols("\n".join(tables)))
    count = collections.Counter(symbol for found in symbols(text) for symbol in found)
    return sorted(s for s, times in count.items() if times >= OFTEN and s not in listed)


def chapter(name):
    notebook = nbformat.read(ROOT / "chapters" / f"{name}.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_symbol_of_a_chapter_is_explained(name):
    text = chapter(name)
    title = re.search(r"^# (.*)$", text, re.MULTILINE)[1]
    own = f"In *{title}*"
    assert own in sections(PAGE), f"no table {own!r}"
    tables = [sections(PAGE)[heading] for heading in (*COMMON, own)]
    missing = unexplained(without_proofs(text), *tables)
    assert not missing, f"not in the tables {COMMON} or {own!r}: {missing}"


def test_an_unexplained_symbol_is_noticed():
    text = r"$a + \hat w$, $a\hat w$ and $$ a = \hat w $$ and $\mathrm{abc}$"
    assert unexplained(text, "$a$") == [r"\hat w"]
    assert unexplained(text, r"$a$, $\hat w$") == []
    assert unexplained(text + " $w$ $w$", r"$a$, $\hat w$") == []


def test_proofs_and_exercises_are_left_out():
    text = "$a$\n:::{prf:proof}\n$b$\n:::\n$c$\n\n## Exercises\n$d$"
    assert symbols(without_proofs(text)) == [{"a"}, {"c"}]
