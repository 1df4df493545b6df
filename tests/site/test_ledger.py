"""The ledger of claims knows the papers of every claim, from the page that lists the papers."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_ext"))

from claims_ledger import records_of
from claims_papers import linked_claims, papers_of

PAGE = (ROOT / "chapters" / "papers.md").read_text(encoding="utf-8")
MADE = {path.stem: records_of(path) for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
RECORDS = [record for records in MADE.values() for record in records]
SMALL_PAGE = """\
## How to read the tables
{claim}`a.X-three`
## One et al. 2030: how
{claim}`a.X-one`, {claim}`in words <a.Y-one>`
## Two 2031
{claim}`a.X-one`
"""


def made(chapter, result, name):
    return {"id": f"{chapter}.{name}", "chapter": chapter, "result": result}


def test_a_claim_belongs_to_the_papers_that_link_it_or_its_result():
    records = [
        made("a", "X", "X-one"),
        made("a", "X", "X-three"),
        made("a", "Y", "Y-one"),
        made("b", "X", "X-two"),
    ]
    assert papers_of(records, SMALL_PAGE) == {
        "a.X-one": ["One et al. 2030", "Two 2031"],
        "a.X-three": ["One et al. 2030", "Two 2031"],
        "a.Y-one": ["One et al. 2030"],
        "b.X-two": [],
    }


def test_every_claim_of_the_book_goes_back_to_something():
    assert len(RECORDS) > 100
    found = papers_of(RECORDS, PAGE)
    assert not [name for name, papers in found.items() if not papers]


def test_every_claim_has_a_name_of_its_own():
    names = [record["id"] for record in RECORDS]
    assert not [name for name in set(names) if names.count(name) > 1]


def test_every_claim_names_its_chapter():
    assert not [r["id"] for name, records in MADE.items() for r in records if r["chapter"] != name]


def test_every_link_leads_to_a_claim():
    names = {record["id"] for record in RECORDS}
    assert not set().union(*linked_claims(PAGE).values()) - names
