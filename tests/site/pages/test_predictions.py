"""A chapter's prediction is chosen, kept or skipped; what follows it waits, and is never lost."""

import pytest
from playwright.sync_api import expect

from tools import browsing

PAGE = "chapters/the-loop.html"


@pytest.fixture
def page(browser, site):
    context = browsing.new_context(browser, browsing.VIEWS[0])
    page = context.new_page()
    page.goto(site + PAGE)
    yield page
    context.close()


def after(page):
    """The first figure: it stands in the section of the prediction, below it."""
    return page.locator(".cl-explorer").first


def test_the_figure_waits_for_a_guess_and_the_guess_is_kept(page):
    expect(after(page)).not_to_be_visible()
    page.locator("#guess-0b").press("Space")
    expect(after(page)).to_be_visible()
    expect(page.locator(".guess-foot").first).to_contain_text("You said (b).")
    page.reload()
    expect(page.locator(".guess-foot").first).to_contain_text("You said (b).")
    expect(after(page)).to_be_visible()
    page.get_by_role("button", name="Guess again").first.press("Enter")
    expect(after(page)).not_to_be_visible()


def test_a_prediction_can_be_skipped(page):
    page.get_by_role("button", name="Skip").first.press("Enter")
    expect(after(page)).to_be_visible()
    page.reload()
    expect(after(page)).to_be_visible()


def test_who_follows_a_link_into_the_page_sees_all_of_it(page, site):
    page.goto("about:blank")
    page.goto(f"{site}{PAGE}#thm-retention")
    expect(after(page)).to_be_visible()


def test_paper_shows_what_waits(page):
    page.emulate_media(media="print")
    expect(after(page)).to_be_visible()
    expect(page.locator(".guess-foot").first).not_to_be_visible()
