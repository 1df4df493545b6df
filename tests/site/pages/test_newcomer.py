"""A newcomer sees a model collapse: one scroll and ten seconds from opening the front page."""

import time

import pytest

from tools import browsing

SECONDS = 10
VIEWS = [view for view in browsing.VIEWS if view.theme == "light"]


@pytest.mark.parametrize("screen", VIEWS, ids=str)
def test_from_the_front_page_to_a_collapse(screen, browser, site):
    context = browsing.new_context(browser, screen)
    page = context.new_page()
    start = time.perf_counter()
    page.goto(site)
    page.wait_for_url("**/chapters/index.html")
    explorer = page.locator(".cl-explorer").first
    generation = explorer.get_by_label("generation")
    generation.wait_for()
    # One turn of the wheel, at most a screen long, brings slider, figure and sentence into view.
    page.mouse.move(screen.width / 2, screen.height / 2)
    page.mouse.wheel(0, explorer.bounding_box()["y"] - 60)
    page.wait_for_timeout(200)
    assert explorer.bounding_box()["y"] > -screen.height
    for part in (generation, explorer.locator("svg").first, explorer.locator(".cl-say")):
        box = part.bounding_box()
        assert 0 <= box["y"] and box["y"] + box["height"] <= screen.height, part
    before = explorer.locator("svg").first.inner_html()
    track = generation.bounding_box()
    page.mouse.click(track["x"] + track["width"] - 2, track["y"] + track["height"] / 2)
    assert explorer.locator("svg").first.inner_html() != before
    assert "spread is 0.0" in explorer.locator(".cl-say").inner_text()
    assert time.perf_counter() - start < SECONDS
    context.close()
