"""A page made fit for paper: what goes, what stays, where links lead."""

import pytest
from bs4 import BeautifulSoup

from tools import printed
from tools.print_chapters import chapter

NAMES = ["chapters/here", "chapters/there"]


def paper(inside, name="chapters/here"):
    """The article of a page with something inside, made ready for paper."""
    page = (
        f'<article class="bd-article"><section id="top"><h1>Here</h1>{inside}</section></article>'
    )
    return chapter(BeautifulSoup(page, "html.parser"), name, NAMES)


@pytest.mark.parametrize(
    "link, target",
    [
        ("#place", "#here--place"),
        ("there.html", "#there--"),
        ("there.html#place", "#there--place"),
        ("https://doi.org/10.1/x", "https://doi.org/10.1/x"),
    ],
)
def test_links_lead_into_the_print(link, target):
    assert paper(f'<p><a href="{link}">words</a></p>').p.a["href"] == target


@pytest.mark.parametrize("link", ["elsewhere.html", "../claims.json", "../search.html#x"])
def test_links_to_what_is_not_printed_become_text(link):
    paragraph = paper(f'<p>see <a href="{link}">words</a></p>').p
    assert paragraph.a is None
    assert paragraph.get_text() == "see words"


def test_a_link_to_another_chapter_names_its_page_once_a_paragraph():
    link = '<a href="there.html#x">words</a>'
    article = paper(f'<p id="own">{link}, {link}, <a href="#own">here</a></p><p>{link}</p>')
    said = [number["data-of"] for number in article.select(".print-page")]
    assert said == ["there--x", "there--x"]
    assert article.p.get_text() == "words (p. 000), words, here"


def test_citations_and_headings_name_no_page():
    link = '<a href="there.html#x">2024</a>'
    article = paper(f'<p>A <span class="bibtex-citation">[{link}]</span></p><h2>{link}</h2>')
    assert not article.select(".print-page")


def test_folded_code_goes_and_its_output_stays():
    article = paper(
        '<div class="cell"><details class="hide"><pre>folded</pre></details></div>'
        '<div class="cell"><details class="hide"><pre>folded</pre></details><p>output</p></div>'
        '<div class="cell"><pre>shown</pre></div>'
    )
    # The first cell has neither input nor output left: print.css leaves it out.
    assert [cell.get_text() for cell in article.select(".cell")] == ["", "output", "shown"]


def test_a_stop_stays_with_its_formula():
    paragraph = paper('<p>if <span class="math">x</span>), then</p>').p
    assert paragraph.select_one(".print-glued").get_text() == "x),"
    assert paragraph.get_text() == "if x), then"


def test_solutions_and_answers_move_to_the_end():
    article = paper(
        '<div class="cl-quiz" id="q"><p class="cl-how">Choose.</p><fieldset><legend>Why?</legend>'
        '<div><p class="cl-wrong">no</p><p class="cl-right">yes</p></div></fieldset></div>'
        '<div class="exercise" id="ex">Do.</div>'
        '<div class="admonition solution dropdown" id="sol"><p><a href="#ex">Solution</a></p></div>'
        "<p>Sources</p>"
    )
    end = article.select_one(".print-solutions")
    assert end.find_next("section") is None
    assert "1. yes" in end.get_text() and "no" not in article.get_text().split()
    assert [number["data-of"] for number in article.select(".print-page")] == [
        "here--q-answers",
        "here--sol",
    ]
    assert article.find(id="here--ex").select_one(".print-page")["data-of"] == "here--sol"


def test_a_chapter_without_exercises_has_no_solutions():
    assert paper("<p>text</p>").select_one(".print-solutions") is None


def test_an_unbuilt_book_is_named(tmp_path):
    with pytest.raises(printed.CannotPrint, match=r"the-loop\.html is not there: run `make book`"):
        printed.whole_book(tmp_path, ["chapters/the-loop"])
