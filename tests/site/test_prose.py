"""The book's words: spelled right and in British English, no word twice, no sentence too long."""

import subprocess
import sys
from collections import defaultdict

import nbformat
import pytest

from tools import prose
from tools.prose import ROOT

PIECES = list(prose.pieces())
RULES = [prose.american, prose.repeated, prose.empty, prose.long_sentences]
# These look at a whole page.
PAGE_RULES = [prose.title_case, prose.unexplained]
FOLDERS = ["collapse_lib", "tools", "_ext", "tests", "benchmarks"]
PAGES = [
    "README.md",
    "MAINTAINING.md",
    "CITATION.cff",
    "references.bib",
    "Makefile",
    "requirements.txt",
]


def offenders(rule, pieces):
    return [f"{place}: {found}" for place, text in pieces for found in rule(text)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_words_of_the_book(rule):
    found = offenders(rule, PIECES)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", PAGE_RULES, ids=lambda rule: rule.__name__)
def test_the_words_of_each_page(rule):
    pages = defaultdict(list)
    for place, text in PIECES:
        pages[place].append(text)
    found = offenders(rule, [(place, "\n\n".join(texts)) for place, texts in pages.items()])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_words_of_the_code(folder):
    pieces = [
        each for path in sorted((ROOT / folder).rglob("*.py")) for each in prose.remarks(path)
    ]
    found = [each for rule in (prose.american, prose.repeated) for each in offenders(rule, pieces)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", [*RULES, *PAGE_RULES], ids=lambda rule: rule.__name__)
def test_a_planted_fault_is_found(rule):
    planted = {
        prose.american: "The color of it.",
        prose.repeated: "It is\nis so.",
        prose.empty: "This is very good.",
        prose.long_sentences: "and so on " * 16,
        prose.title_case: "## Why It Is So",
        prose.unexplained: "The ABC of it, where ABC (as it is called) stands alone.",
    }
    sound = (
        "## The loop of Gauss\n\nAs Gauss wrote, a colour is `color` at $very$ length (for him)."
    )
    assert len(rule(planted[rule])) == 1
    assert rule(sound) == []


def test_spelling(tmp_path):
    """codespell reads the sources as they are, and of a notebook its cells alone."""
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells)
        (tmp_path / f"{path.stem}.md").write_text(text, encoding="utf-8")
    pages = [path.name for path in (ROOT / "chapters").glob("*.md")]
    told = codespell(*FOLDERS, *PAGES, *(f"chapters/{page}" for page in pages), str(tmp_path))
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_misspelled_word_is_found(tmp_path):
    planted = "t" + "eh"  # not as one word: the test above reads this file
    (tmp_path / "page.md").write_text(f"All {planted} words.", encoding="utf-8")
    told = codespell(str(tmp_path))
    assert f"{planted} ==> the" in told.stdout and told.returncode != 0


def codespell(*paths):
    command = [sys.executable, "-m", "codespell_lib", *paths]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
