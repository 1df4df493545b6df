"""What the book says in words, and rules for it: spelling, repetition, length, headings, acronyms.

`pieces` takes the text of the chapters and pages apart; each rule returns what it finds there.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]

LONGEST = 45  # words between two stops

# Words that say nothing, or that make a reader feel slow.
EMPTY = "very|clearly|obviously|simply|trivially|easy to see|note that|in order to"

# Acronyms that are names, or better known than their words.
NAMES = {"CC", "BY", "CPU", "GPU", "MIT", "MNIST", "PDF", "UA", "UTF"}

TITLES = {"Model Collapse from First Principles"}

# American spellings that are another word in British English too: a story has no floors here, a
# program runs on a computer, a practice is a noun, biased is spelled so in statistics.
ALSO_BRITISH = {"biased", "focused", "practice", "program", "programs", "stories", "story"}


# Where a run of prose stands, and its text.
Piece = tuple[str, str]


def pieces() -> Iterator[Piece]:
    """Every text cell of the chapters, the pages without code, and those for maintainers."""
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                yield (path.name, cell.source)
            shown = cell.metadata.get("mystnb", {})
            yield (path.name, shown.get("figure", {}).get("caption", ""))
            yield (path.name, shown.get("image", {}).get("alt", ""))
    for path in [*sorted((ROOT / "chapters").glob("*.md")), *sorted(ROOT.glob("*.md"))]:
        yield (path.name, path.read_text(encoding="utf-8"))


def remarks(path: Path) -> Iterator[Piece]:
    """The docstrings and comments of a Python file, without doctests and without types."""
    source = path.read_text(encoding="utf-8")
    place = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            doc = (ast.get_docstring(node) or "").partition("Examples\n----")[0]
            yield (place, re.sub(r"(?m)^[\w, *]+ : .*$", "", doc))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            yield (place, token.string)


def plain(text: str) -> str:
    """Text without code, addresses, marks and options; a formula becomes the word X."""
    text = re.sub(r"(?ms)^[ ]*(`{3,}|~{3,}).*?^[ ]*\1", "", text)
    text = re.sub(r"(?s)\$\$.*?\$\$(\s*\([\w-]+\))?", "\n\nX\n\n", text)
    text = re.sub(r"\{[\w:-]+\}`[^`]*`|`[^`]*`|\$[^$\n]+\$", "X", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"https?://\S+|<[^>]+>", "", text)
    return re.sub(r"(?m)^[ ]*:\w+:.*$|^[ ]*:{3,}.*$", "\n", text)


def body(text: str) -> str:
    """Plain text without headings and tables."""
    return re.sub(r"(?m)^#+ .*$|^\|.*$", "\n\n", plain(text))


def american(text: str) -> list[str]:
    """Words in American spelling, with the British one."""
    untitled = re.sub(r'"[A-Z][^"]*"', "", plain(text))  # a title keeps its author's spelling
    words = re.findall(r"[A-Za-z]+", untitled)
    return [f"{word} ({BRITISH[word.lower()]})" for word in words if word.lower() in BRITISH]


# The British spelling of each American word, from codespell's list of the reverse.
LIST = files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt"
BRITISH = {
    american.strip().lower(): british
    for british, several in re.findall(r"(?m)^(.*)->(.*)$", LIST.read_text("utf-8"))
    for american in several.split(",")
    if american.strip().lower() not in ALSO_BRITISH
}


def repeated(text: str) -> list[str]:
    """Words that stand twice in a row."""
    found = re.finditer(r"\b([A-Za-z]{2,})[ \n]+\1\b", body(text))
    return [" ".join(match[0].split()) for match in found]


def empty(text: str) -> list[str]:
    """Words that say nothing."""
    return re.findall(rf"(?i)\b({EMPTY})\b", body(text))


def long_sentences(text: str) -> list[str]:
    """Runs of more than `LONGEST` words without a stop, a colon or a semicolon."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n\s*(?=[-*] |\d+\. )", body(text)):
        for sentence in re.split(r"(?<=[.?!:;])[\"”’)*]*\s+", " ".join(paragraph.split())):
            words = re.findall(r"[\w’'–-]+", sentence)
            if len(words) > LONGEST:
                found.append(f"{len(words)} words: {' '.join(words[:6])} …")
    return found


def title_case(text: str) -> list[str]:
    r"""Headings with capitals inside, other than names that the text itself writes so."""
    names = set(re.findall(r"(?<=[a-z,*\[(“—–] )[(\[*“]*([A-ZÀ-Þ]\w+)", body(text)))
    found = []
    for heading in re.findall(r"(?m)^#+ (?:[^\n]* \d{4}: )?(.*)$", plain(text)):  # no authors
        words = re.findall(r"(?<=[\w,] )[A-ZÀ-Þ][a-zà-ÿ]+", re.sub(r"\*[^*]*\*", "", heading))
        if heading not in TITLES and set(words) - names:
            found.append(heading)
    return found


def unexplained(text: str) -> list[str]:
    """Acronyms whose words the text does not give: ``words in full (WIF)``."""
    words = body(text)
    used = set(re.findall(r"\b([A-Z]{2,})s?\b", words)) - NAMES
    return [each for each in sorted(used) if not re.search(rf"\(\**{each}\**\)", words)]
