"""The print edition: two pages of the book, printed as `make pdf` prints them all."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pikepdf
import pypdfium2
import pytest

from tools import browsing, printed

NAMES = ["chapters/the-loop", "chapters/notation"]
POINTS_PER_MM = 72 / 25.4
# The text ends 24 mm from the sheet's edges; letters and rules may stand out by a hair.
SIDE_MM = 23
EDGE_MM = 10
FOOT_MM = 20


def print_aside(root, names, path):
    """Print in another thread: the browser of the other tests holds this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(printed.print_book, root, names, path).result()


@pytest.fixture(scope="module")
def path(pytestconfig, tmp_path_factory):
    path = tmp_path_factory.mktemp("print") / "short.pdf"
    print_aside(pytestconfig.rootpath, NAMES, path)
    return path


@pytest.fixture(scope="module")
def document(path):
    with pypdfium2.PdfDocument(path) as document:
        yield document


@pytest.fixture(scope="module")
def texts(document):
    """The text of each page, its running head and number included."""
    return [page.get_textpage().get_text_range() for page in document]


@pytest.fixture(scope="module")
def pages(book):
    """The built pages that the PDF was printed from."""
    return [printed.read_page(book, name) for name in NAMES]


@pytest.fixture(scope="module")
def outline(document):
    """Titles and page numbers of the bookmarks."""
    marks = [(mark.get_title(), mark.get_dest()) for mark in document.get_toc()]
    return {words(title): place.get_index() + 1 for title, place in marks}


def words(text):
    """The text without spaces, which a PDF sets between words as it likes."""
    return re.sub(r"\s+", "", text)


def headings(page, *kinds):
    """The titles of a built page without the mark that links to them."""
    for heading in page.select_one("article.bd-article").find_all(kinds):
        for mark in heading.select(".headerlink"):
            mark.extract()
        yield words(heading.get_text())


def ink(page):
    """Return which points of a page are printed on, one a PDF point."""
    return page.render(scale=1).to_numpy()[..., :3].min(axis=2) < 200


def beyond_margins(points):
    """Return on which sides of a page something is printed in the margin."""
    side, edge = int(SIDE_MM * POINTS_PER_MM), int(EDGE_MM * POINTS_PER_MM)
    sides = {
        "left": points[:, :side],
        "right": points[:, -side:],
        "top": points[:edge],
        "bottom": points[-edge:],
    }
    return [name for name, margin in sides.items() if margin.any()]


def test_nothing_runs_into_the_margins(document):
    wide = {n: beyond_margins(ink(page)) for n, page in enumerate(document, start=1)}
    assert not {n: sides for n, sides in wide.items() if sides}


def test_a_point_in_the_margin_is_seen():
    points = np.zeros((842, 595), dtype=bool)
    points[400, 300] = True
    assert beyond_margins(points) == []
    points[400, 580] = True
    assert beyond_margins(points) == ["right"]


def test_no_page_is_blank(document):
    foot = int(FOOT_MM * POINTS_PER_MM)
    head = int(26 * POINTS_PER_MM)
    blank = [n for n, page in enumerate(document, start=1) if not ink(page)[head:-foot].any()]
    assert not blank


def last_line(page):
    """The words of the lowest line of a page's text."""
    foot = int(FOOT_MM * POINTS_PER_MM)
    printed_on = ink(page)[:-foot].any(axis=1)
    lowest = foot + int(np.argmax(printed_on[::-1]))
    return words(page.get_textpage().get_text_bounded(bottom=lowest - 2, top=lowest + 8))


def test_no_title_stands_alone_at_the_foot(document, pages):
    titles = {title for page in pages for title in headings(page, "h1", "h2", "h3")}
    titles |= {
        words(title.get_text()) for page in pages for title in page.select(".admonition-title")
    }
    body = [page for n, page in enumerate(document, start=1) if n > 3]
    alone = [last_line(page) for page in body if last_line(page) in titles]
    assert not alone


def test_formulas_are_set(texts):
    raw = re.compile(r"\$\$|\\(frac|sum|mathbb|sqrt|left|begin|sigma|pi|text|\()")
    assert not [(n, raw.findall(text)) for n, text in enumerate(texts, 1) if raw.search(text)]
    assert "φ" in "".join(texts)


def test_every_page_but_the_title_has_its_number(document):
    for n, page in enumerate(document, start=1):
        foot = page.get_textpage().get_text_bounded(top=FOOT_MM * POINTS_PER_MM).strip()
        assert foot == ("" if n == 1 else str(n))


def test_contents_name_the_page_of_each_heading(texts, pages):
    start = next(n for n, text in enumerate(texts) if "Contents" in text)
    lines = [words(line) for line in texts[start].splitlines()]
    for page in pages:
        for title in headings(page, "h1", "h2"):
            numbers = [line.removeprefix(title) for line in lines if line.startswith(title)]
            assert numbers, f"{title} is not in the contents"
            assert any(title in words(texts[int(n) - 1]) for n in numbers if n.isdigit()), title


def test_every_heading_is_a_bookmark(outline, texts, pages):
    for page in pages:
        for title in headings(page, "h1", "h2", "h3"):
            assert title in outline, f"no bookmark for {title}"
            assert title in words(texts[outline[title] - 1])


def test_interactive_figures_say_what_they_show(texts, pages):
    whole = words("".join(texts))
    figures = [figure for page in pages for figure in page.select(".cl-explorer")]
    assert figures
    for figure in figures:
        shown = [
            f"{row.span.get_text()} = {row.output.get_text()}" for row in figure.select(".cl-row")
        ]
        assert words(f"shown at {', '.join(shown)}.") in whole


def test_solutions_stand_at_the_end_and_exercises_say_where(texts):
    whole = "".join(texts)
    exercises = re.findall(r"^Exercise (\d+\.\d+)", whole, flags=re.MULTILINE)
    assert exercises
    for number, page in zip(exercises, re.findall(r"Solution on page\s*(\d+)", whole), strict=True):
        assert f"Solution to Exercise {number}" in " ".join(texts[int(page) - 1].split())


def test_links_lead_to_a_page_or_to_the_web(path):
    with pikepdf.open(path) as document:
        places = set(document.Root.Dests.keys())
        inside = 0
        for page in document.pages:
            for note in page.get("/Annots", []):
                if "/A" in note and "/URI" in note.A:
                    assert str(note.A.URI).startswith("https://")
                else:
                    inside += 1
                    assert str(note.Dest) in places
        assert inside


def test_described_and_tagged(path, pytestconfig):
    root = pytestconfig.rootpath
    with pikepdf.open(path) as document:
        assert str(document.docinfo.Title) == printed.config(root)["title"]
        assert str(document.docinfo.Author) == printed.author(root)
        assert str(document.docinfo.Subject) == printed.SUBJECT
        assert str(document.Root.Lang) == "en"
        assert document.Root.MarkInfo.Marked


def test_two_printings_are_the_same(pytestconfig, tmp_path):
    files = [tmp_path / name for name in ("first.pdf", "second.pdf")]
    for file in files:
        print_aside(pytestconfig.rootpath, ["chapters/notation"], file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_without_chromium_it_says_so(pytestconfig, tmp_path, monkeypatch):
    monkeypatch.setattr(browsing, "chromium", lambda: None)
    with pytest.raises(printed.CannotPrint, match=r"no Chromium in .*install one"):
        printed.print_book(pytestconfig.rootpath, NAMES, tmp_path / "none.pdf")


@pytest.fixture
def sheet(browser):
    """An empty page as wide as the printed text."""
    page = browser.new_page(viewport={"width": printed.TEXT_WIDTH, "height": 800})
    yield page
    page.close()


def test_a_wide_table_is_set_smaller(sheet):
    row = "<td style='white-space: nowrap'>" + "wide " * 100 + "</td>"
    sheet.set_content(f"<main class='bd-content'><table><tr>{row}</tr></table></main>")
    assert sheet.evaluate(printed.FIT) == []
    assert 0 < float(sheet.locator("table").evaluate("table => table.style.zoom")) < 1


def test_what_is_too_wide_is_named(sheet):
    sheet.set_content("<section id='here'><div style='width: 300mm'>broad</div></section>")
    assert sheet.evaluate(printed.FIT) == ["here: broad"]


def test_a_cell_that_runs_into_the_next_is_named(sheet):
    cells = "<td>unbreakable</td><td>b</td>"
    style = "table-layout: fixed; width: 40px"
    sheet.set_content(f"<table id='here' style='{style}'><tr>{cells}</tr></table>")
    assert sheet.evaluate(printed.FIT) == ["here: unbreakable"]
