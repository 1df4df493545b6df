"""The page *Paper by paper* leaves no paper, no result and no source of a claim out.

That its links lead somewhere is checked by the build, which stops at a dead one.
"""

import json
import re
from pathlib import Path

import pytest

from collapse_lib.book.claims import MIME

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "chapters" / "papers.md").read_text(encoding="utf-8")

PROOF = re.compile(r"\{(prf:ref|eq|ref)\}`")
CHECK = re.compile(r"\{(claim|numref)\}`")
NOTHING = "–"
# How a claim's source names a paper, and how the paper's section begins.
SECTION = {
    "Shumailov et al.": "Shumailov",
    "Kazdan et al.": "Kazdan",
    "Dohmatob, Feng, Kempe": "Dohmatob, Feng and Kempe",
    "Strong Model Collapse": "Dohmatob, Feng, Subramonian",
    "Suresh et al.": "Suresh",
    "Seddik et al.": "Seddik",
}


def claims():
    """Every record of a claim in the stored outputs of the notebooks."""
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                yield from output.get("data", {}).get(MIME, [])


def sections(page):
    """The text under each heading of the second level."""
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(text):
    """The rows of the page's maps, heads left out: paper, derived, reproduced, status."""
    found = []
    for body in re.findall(r"^```\{list-table\}$(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        rows = re.split(r"^\* - ", body, flags=re.MULTILINE)[2:]
        found += [[cell.strip() for cell in re.split(r"\n  - ", row)] for row in rows]
    return found


def statuses(page):
    """The first column of the table that explains what a status means."""
    table = re.findall(r"^\| ([^|]+) \|", sections(page)["How to read the tables"], re.MULTILINE)
    return [name.strip() for name in table if name.strip() != "status"]


def linked_claims(text):
    return set(re.findall(r"\{claim\}`(?:[^`<]*<)?([\w.-]+)>?`", text))


def faults(row, known):
    """What is wrong with a row of a map: a status that its links do not bear out."""
    if len(row) != 4:
        return f"has {len(row)} columns"
    _, derived, reproduced, status = row
    kind = next((name for name in sorted(known, key=len)[::-1] if status.startswith(name)), None)
    if kind is None:
        return f"has the unexplained status {status!r}"
    if kind == "not covered":
        return "is not covered and does not say why" if len(reproduced) < 20 else None
    if (kind.startswith("derived") or kind == "question borrowed") and not PROOF.search(derived):
        return f"is {kind!r} without a link to a proof"
    if not CHECK.search(reproduced):
        return f"is {kind!r} without a link to a figure or a claim"
    return None


def test_there_are_maps():
    assert len(rows(PAGE)) > 50


@pytest.mark.parametrize("row", rows(PAGE), ids=lambda row: row[0][:40])
def test_a_status_is_borne_out_by_links(row):
    assert not faults(row, statuses(PAGE)), f"{row[0]!r} {faults(row, statuses(PAGE))}"


def test_every_status_explained_is_used():
    used = {row[3] for row in rows(PAGE)}
    unused = [name for name in statuses(PAGE) if not any(text.startswith(name) for text in used)]
    assert not unused


def test_every_paper_of_the_bibliography_is_on_the_page():
    entries = re.findall(
        r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE
    )
    missing = [key for key in entries if f"`{key}`" not in PAGE]
    assert entries and not missing, f"not on the page: {missing}"


def test_every_result_of_every_chapter_is_linked():
    linked = linked_claims(PAGE)
    missing = {(claim["chapter"], claim["result"]): claim["id"] for claim in claims()}
    for claim in claims():
        if claim["id"] in linked:
            missing.pop((claim["chapter"], claim["result"]), None)
    assert not missing, f"no link to a claim of these results: {missing}"


def unlinked_sources(page, records):
    """The papers named as a claim's source whose section links to no claim of that source."""
    found = {}
    for claim in records:
        if not re.search(r"et al|\b(19|20)\d\d\b|Strong Model", claim["source"]):
            continue  # the source is a theorem of the book
        heading = next((SECTION[name] for name in SECTION if name in claim["source"]), None)
        found.setdefault((heading, claim["source"]), set()).add(claim["id"])
    linked = {title: linked_claims(text) for title, text in sections(page).items()}
    return [
        f"{source}, e.g. {min(ids)}"
        for (heading, source), ids in found.items()
        if not any(linked[title] & ids for title in linked if title.startswith(heading or "?"))
    ]


def test_every_source_that_a_claim_names_is_in_its_section():
    assert not unlinked_sources(PAGE, claims())


def test_an_unlinked_source_is_noticed():
    page = "## Suresh, Thangaraj\n\n{claim}`a.one`\n"
    named = {"id": "a.one", "source": "Suresh et al., Theorem 2"}
    assert not unlinked_sources(page, [named, {"id": "a.two", "source": "The toll"}])
    assert unlinked_sources(page, [named | {"source": "Nobody et al."}])
    assert unlinked_sources(page, [named | {"id": "a.three"}])


def test_a_fault_is_noticed():
    known = ["derived and reproduced", "other parameters", "not covered"]
    proof, check = "{prf:ref}`thm-a`", "{claim}`a.R1`"
    assert not faults(["x", proof, check, "derived and reproduced; see slip 1"], known)
    assert "proof" in faults(["x", NOTHING, check, "derived and reproduced"], known)
    assert "claim" in faults(["x", proof, "soon", "derived and reproduced"], known)
    assert "claim" in faults(["x", NOTHING, NOTHING, "other parameters"], known)
    assert "why" in faults(["x", NOTHING, NOTHING, "not covered"], known)
    assert "unexplained" in faults(["x", proof, check, "done"], known)
    assert "columns" in faults(["x", proof, check], known)
