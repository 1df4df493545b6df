"""Every entry of the bibliography can be found by a number, and is cited by a chapter."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_ext"))

import offline

BIBLIOGRAPHY = (ROOT / "references.bib").read_text(encoding="utf-8")

DOI = re.compile(r"10\.\d{4,9}/\S+")
ARXIV = re.compile(r"\d{4}\.\d{4,5}")
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]*)`")


def entries(text):
    """The fields of each entry, by its key; the field ``type`` is what stands after the @."""
    found = {}
    for kind, key, body in re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", body, re.MULTILINE))
        found[key] = fields | {"type": kind}
    return found


def is_isbn(text):
    """Whether the check digit of an ISBN of ten characters is right."""
    digits = text.replace("-", "")
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0


def fault(fields):
    """What an entry lacks: a DOI or an arXiv number; a book may have an ISBN instead."""
    if "doi" in fields:
        return None if DOI.fullmatch(fields["doi"]) else f"no DOI: {fields['doi']!r}"
    if "eprint" in fields:
        arxiv = fields.get("archiveprefix") == "arXiv" and ARXIV.fullmatch(fields["eprint"])
        return None if arxiv else f"no arXiv number: {fields['eprint']!r}"
    if fields["type"] == "book" and "isbn" in fields:
        return None if is_isbn(fields["isbn"]) else f"no ISBN: {fields['isbn']!r}"
    return "neither DOI nor arXiv number" + (" nor ISBN" if fields["type"] == "book" else "")


def cited():
    """The keys that the notebooks cite; the page *Paper by paper* cites all of them anyway."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "chapters").glob("*.ipynb")]
    return {
        key.strip() for text in texts for keys in CITATION.findall(text) for key in keys.split(",")
    }


@pytest.mark.parametrize("key", entries(BIBLIOGRAPHY))
def test_an_entry_can_be_found_by_a_number(key):
    assert not fault(entries(BIBLIOGRAPHY)[key]), f"{key}: {fault(entries(BIBLIOGRAPHY)[key])}"


def test_every_entry_is_read():
    assert (
        len(entries(BIBLIOGRAPHY)) == BIBLIOGRAPHY.count("\n@") + BIBLIOGRAPHY.startswith("@") > 20
    )


def test_every_entry_is_cited_by_a_chapter():
    uncited = set(entries(BIBLIOGRAPHY)) - cited()
    assert not uncited, f"no chapter cites {sorted(uncited)}"


def test_every_citation_has_an_entry():
    unknown = cited() - set(entries(BIBLIOGRAPHY))
    assert not unknown, f"not in references.bib: {sorted(unknown)}"


def test_a_missing_number_is_noticed():
    assert not fault({"type": "article", "doi": "10.1016/0304-4149(82)90011-4"})
    assert not fault({"type": "misc", "eprint": "2404.01413", "archiveprefix": "arXiv"})
    assert not fault({"type": "book", "isbn": "0-412-24620-1"})
    assert fault({"type": "book", "isbn": "0-412-24620-2"})
    assert fault({"type": "article", "isbn": "0-412-24620-1"})
    assert fault({"type": "misc", "eprint": "2404.01413"})
    assert fault({"type": "misc", "title": "?"})


def test_the_entries_of_a_text():
    text = "@book{a,\n  title = {A {B} C},\n  year  = {1986},\n}\n\n@misc{b,\n  year = {1}\n}\n"
    assert entries(text) == {
        "a": {"type": "book", "title": "A {B} C", "year": "1986"},
        "b": {"type": "misc", "year": "1"},
    }


def test_a_doi_is_asked_for_at_the_registry():
    assert offline.ask_the_registry(None, "https://doi.org/10.1/x(y)").endswith(
        "/handles/10.1/x(y)"
    )
    assert offline.ask_the_registry(None, "https://arxiv.org/abs/2404.05090") is None
