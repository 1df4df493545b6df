"""The page of claims: its rows, its choices, and the same records as data."""

import json

import pytest

from tools import browsing

CLAIMS = "chapters/claims.html"
SHOWN = "() => document.querySelectorAll('table.claims-ledger tbody tr:not([hidden])').length"


@pytest.fixture(scope="module")
def claims(book):
    return json.loads((book / "claims.json").read_text(encoding="utf-8"))


@pytest.fixture(params=[view for view in browsing.VIEWS if view.theme == "light"], ids=str)
def page(request, browser, site):
    context = browsing.new_context(browser, request.param)
    page = browsing.open_page(context, site + CLAIMS)
    yield page
    context.close()


def said(page):
    return page.locator(".ledger-choices [role=status]").inner_text()


def choose(page, name, text):
    """Choose an option as a keyboard does: by the first letters of its text."""
    page.locator(f"select[name={name}]").focus()
    page.keyboard.type(text)
    page.keyboard.press("Tab")


def test_the_file_agrees_with_the_page(book, claims):
    text = (book / CLAIMS).read_text(encoding="utf-8")
    assert claims
    for claim in claims:
        assert f'{claim["chapter"]}.html#claim-{claim["id"]}"' in text
        assert claim["papers"], claim["id"]
        for field in claim:
            assert f">{field}</span></code>" in text, f"claims.html does not explain {field!r}"


def test_rows_are_chosen_by_keyboard_and_without_a_request(page, claims):
    page.wait_for_load_state("networkidle")
    notes = browsing.Notes()
    notes.take(page)
    assert page.evaluate(SHOWN) == len(claims)
    choose(page, "kind", "ordering")
    orderings = [claim for claim in claims if claim["kind"] == "ordering"]
    assert 0 < page.evaluate(SHOWN) == len(orderings)
    assert said(page) == f"{len(orderings)} of {len(claims)} claims shown"
    choose(page, "paper", "Kazdan")
    both = [claim for claim in orderings if any("Kazdan" in paper for paper in claim["papers"])]
    assert 0 < page.evaluate(SHOWN) == len(both) < len(orderings)
    chapters = {claim["chapter"] for claim in both}
    assert page.locator("section[id^=claims-of]:visible").count() == len(chapters)
    page.get_by_role("button", name="Show all").press("Enter")
    page.locator("[role=status]", has_text=f"{len(claims)} of {len(claims)}").wait_for()
    assert page.evaluate(SHOWN) == len(claims)
    assert not notes.requests


def test_a_choice_has_an_address(page, site, claims):
    choose(page, "chapter", "Closed")
    some = [claim for claim in claims if claim["chapter"] == "closed-loops"]
    assert 0 < page.evaluate(SHOWN) == len(some)
    page.get_by_role("link", name="Link to this choice").click()
    page.wait_for_load_state()
    assert "chapter=claims-of-closed-loops" in page.url
    assert page.evaluate(SHOWN) == len(some)
    page.goto(f"{site}{CLAIMS}?kind=nonsense")
    assert page.evaluate(SHOWN) == len(claims)


def test_without_a_script_every_row_shows(browser, site, claims):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + CLAIMS)
    assert page.locator("table.claims-ledger tbody tr:visible").count() == len(claims)
    assert not page.locator(".ledger-choices").is_visible()
    context.close()
