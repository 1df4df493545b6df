"""The cheat sheet holds every boxed result, and the map every reference between them."""

import re

BOX = re.compile(
    r'<div class="proof (?:theorem|lemma|proposition|corollary) admonition" id="(.+?)">'
)
ARC, ROW = re.compile(r'<path d="M150'), re.compile(r'id="row-(.+?)"')


def boxes(book):
    paths = sorted((book / "chapters").glob("*.html"))
    return {label for path in paths for label in BOX.findall(path.read_text(encoding="utf-8"))}


def test_every_result_is_on_both_pages(book):
    labels = boxes(book)
    assert len(labels) > 80
    sheet = (book / "chapters" / "cheat-sheet.html").read_text(encoding="utf-8")
    linked = re.findall(r'class="cheat docutils container">\s*<p><a [^>]*#([\w-]+)"', sheet)
    assert set(linked) == labels and len(linked) == len(labels)
    page = (book / "chapters" / "map.html").read_text(encoding="utf-8")
    assert set(ROW.findall(page)) == labels


def test_an_arc_is_drawn_for_every_reference(book):
    page = (book / "chapters" / "map.html").read_text(encoding="utf-8")
    table = page[page.index("results-map") :]
    rows = re.findall(r'<tr[^>]*id="row-.*?</tr>', table, flags=re.DOTALL)
    before = [re.findall(r"<td>(.*?)</td>", row, flags=re.DOTALL)[1] for row in rows]
    references = sum(cell.count("<a ") for cell in before)
    assert references == len(ARC.findall(page)) > 30


def test_the_retention_theorem_rests_on_conservation_and_names_its_call(book):
    page = (book / "chapters" / "map.html").read_text(encoding="utf-8")
    row = page[page.index('id="row-thm-retention"') :].partition("</tr>")[0]
    assert "#thm-conservation" in row and "#claim-the-loop.P2-replace" in row
    sheet = (book / "chapters" / "cheat-sheet.html").read_text(encoding="utf-8")
    assert "conservation.expected_retention" in sheet
