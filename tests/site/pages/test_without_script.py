"""Without JavaScript every page can be read: text, formulas, figures, answers, and the way on."""

import re

import pytest

from tools import browsing

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
# The elements that no reader can see, such as what lies in a closed box.
UNSEEN = """(elements) => elements.filter((e) => !e.checkVisibility({ visibilityProperty: true }))
  .map((e) => e.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module", params=SIZES)
def plain(request, browser):
    """A browser that runs no script."""
    width, height = SIZES[request.param]
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": height}
    )
    context.set_default_timeout(browsing.PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(plain, site, page_name):
    page = plain.new_page()
    page.goto(site + page_name)
    yield page
    page.close()


def unseen(page, selector):
    return page.locator(selector).evaluate_all(UNSEEN)


def test_page_is_read_without_a_script(page):
    """Folded boxes are opened with the mouse, as the browser itself lets a reader do."""
    assert page.locator("main h1:visible").count() == 1 or page.url.endswith("search.html")
    for box in page.locator("main details").all():
        if box.get_attribute("open") is None:
            box.locator("> summary").click()
        assert not box.locator("> *").evaluate_all(UNSEEN)
    assert not unseen(page, "main :is(.solution, .proof, .solution p, .proof p, .math)")
    assert not unseen(page, "main :is(.cell_output img, .cl-explorer svg, .cl-say)")
    assert page.locator("main .math").count() == page.locator("main .math .katex-html").count()
    for sentence in page.locator(".cl-explorer .cl-say").all_text_contents():
        assert sentence.strip()


def test_the_way_on_without_a_script(page, page_name):
    """Every chapter is a click away, and no button is there that does nothing."""
    links = page.locator(".bd-links a:visible")
    assert links.count() >= 15
    assert page.locator("button:visible:not([type=reset])").count() == 0
    links.first.click()
    page.wait_for_url(re.compile("/chapters/the-loop.html"))
