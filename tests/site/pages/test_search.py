"""The search finds theorems by their names, symbols by their meanings, and words in the glossary."""

import re
from html import unescape

import pytest

from tools import browsing

THEOREM = re.compile(
    r'<div class="proof (?:theorem|lemma|proposition|corollary|definition) admonition" id="(.+?)">'
    r'\s*<p class="admonition-title"><span class="caption-number">[^<]*</span>\s*\((.+?)\)</p>'
)
RESULTS = """(query) => Search._performSearch(...Search._parseQuery(query)).reverse()
  .map(([page, , anchor]) => page + ".html" + anchor)"""
CHAPTERS = {
    "forgetting time": "forgetting-time",
    "variance collapse": "variance-collapse",
    "pi^2/6": "accumulation",
    "temperature": "closed-loops",
}
WORDS = {"heterozygosity": "glossary", "resolvent": "notation", "degrees of freedom": "glossary"}


@pytest.fixture(scope="module")
def search_page(browser, site):
    """The search page, once its index is there."""
    context = browsing.new_context(browser, browsing.VIEWS[0])
    page = browsing.open_page(context, site + "search.html?q=standard+error")
    page.locator("#search-results li a").first.wait_for()
    yield page
    context.close()


def test_every_theorem_is_found_by_its_name(search_page, book):
    """The first result is on its page (a section may have its name), the theorem next to it."""
    missed, names = [], []
    for path in sorted((book / "chapters").glob("*.html")):
        for anchor, title in THEOREM.findall(path.read_text(encoding="utf-8")):
            name = unescape(re.sub(r"<[^>]*>", "", title))
            names.append(name)
            page = f"chapters/{path.stem}.html"
            found = search_page.evaluate(RESULTS, name)
            if found[0].partition("#")[0] != page or f"{page}#{anchor}" not in found[:3]:
                missed.append((name, found[:3]))
    assert len(names) > 50
    assert not missed


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_found_where_it_is_explained(search_page, word):
    first = search_page.evaluate(RESULTS, word)[0]
    assert first.startswith(f"chapters/{WORDS[word]}.html#"), first


@pytest.mark.parametrize("query", CHAPTERS)
def test_a_chapter_is_found_by_its_subject(search_page, query):
    first = search_page.evaluate(RESULTS, query)[0]
    assert first.startswith(f"chapters/{CHAPTERS[query]}.html"), first


def test_what_a_result_quotes_is_no_tex(browser, site):
    context = browsing.new_context(browser, browsing.VIEWS[0])
    page = browsing.open_page(context, site + "search.html?q=resolvent")
    page.locator("#search-results p.context").first.wait_for()
    page.wait_for_timeout(1000)
    quoted = page.locator("#search-results p.context").all_inner_texts()
    assert quoted and not [text for text in quoted if "\\" in text or "mathbb" in text]
    context.close()


def test_a_reader_types_the_name_of_a_theorem(browser, site):
    context = browsing.new_context(browser, browsing.VIEWS[0])
    page = browsing.open_page(context, site + "chapters/index.html")
    page.keyboard.press("Control+k")
    page.locator("dialog input[type=search], .search-button__wrapper input").first.wait_for()
    page.keyboard.type("Retention")
    page.keyboard.press("Enter")
    link = page.locator("#search-results li a").first
    link.wait_for()
    link.click()
    page.wait_for_url("**/the-loop.html*#thm-retention")
    assert page.locator("#thm-retention").is_visible()
    context.close()


def test_nothing_is_found_for_a_word_that_the_book_lacks(search_page):
    assert search_page.evaluate(RESULTS, "zzyzx") == []
