"""Every page of the built book, in light and dark, on a desk and on a phone."""

import functools
import gzip
import re
from urllib.parse import unquote, urlsplit

import pytest

from tools import browsing

DESK = browsing.View("light", 1280, 900)
FRONT_PAGE = "chapters/index.html"
MAX_FIRST_BYTES = 900_000
MAX_FIRST_REQUESTS = 40
MAX_FURTHER_BYTES = 500_000


def test_page_asks_no_other_host(visit, page_name, view, site):
    elsewhere = [
        url
        for url in visit(page_name, view).requests
        if not url.startswith((site, "data:", "blob:"))
    ]
    assert not elsewhere


def test_console_is_silent(visit, page_name, view):
    assert not visit(page_name, view).messages


def test_page_is_accessible(visit, page_name, view):
    assert not visit(page_name, view).violations


def test_page_does_not_scroll_sideways(visit, page_name, view):
    assert not visit(page_name, view).too_wide


def gzipped_bytes(book, site, urls):
    """Return what the book's files at these addresses weigh, each compressed, each once."""
    paths = {unquote(urlsplit(url).path).lstrip("/") for url in urls if url.startswith(site)}
    return sum(len(gzip.compress((book / path).read_bytes())) for path in paths)


def test_front_page_is_light(visit, book, site):
    requests = visit(FRONT_PAGE, DESK).requests
    assert len(requests) <= MAX_FIRST_REQUESTS
    assert gzipped_bytes(book, site, requests) <= MAX_FIRST_BYTES


def test_further_page_is_light(visit, book, site, page_name):
    """What the front page fetched is in the reader's cache by then."""
    cached = set(visit(FRONT_PAGE, DESK).requests)
    fetched = set(visit(page_name, DESK).requests) - cached
    assert gzipped_bytes(book, site, fetched) <= MAX_FURTHER_BYTES


@pytest.fixture(scope="module")
def desk(browser):
    context = browsing.new_context(browser, DESK)
    yield context
    context.close()


@pytest.fixture(scope="module")
def open_once(desk, site):
    return functools.cache(lambda page_name: browsing.open_page(desk, site + page_name))


@pytest.fixture
def page(open_once, page_name):
    """The page as a reader finds it, with what earlier tests slid and opened."""
    page = open_once(page_name)
    page.bring_to_front()
    return page


def test_every_slider_moves_by_keyboard(page):
    """From its first to its last value, a slider changes its figure and its sentence."""
    for slider in page.locator(".cl-explorer input[type=range]").all():
        explorer = slider.locator("xpath=ancestor::*[contains(@class, 'cl-explorer')][1]")

        def seen(slider=slider, explorer=explorer):
            figure = explorer.locator("svg").first.evaluate("svg => svg.outerHTML")
            return slider.input_value(), figure, explorer.locator(".cl-say").inner_text()

        slider.focus()
        page.keyboard.press("Home")
        first = seen()
        page.keyboard.press("ArrowRight")
        assert seen()[0] != first[0], slider
        page.keyboard.press("End")
        last = seen()
        for before, after in zip(first, last, strict=True):
            assert before != after, slider


def test_every_choice_is_made_by_keyboard(page):
    """The arrow keys choose each of a row of buttons in turn; the figure shows another frame."""
    for row in page.locator(".cl-choice:visible").all():
        explorer = row.locator("xpath=ancestor::*[contains(@class, 'cl-explorer')][1]")
        said, choices = explorer.locator(".cl-say"), row.locator("input").count()
        row.locator("input:checked").focus()
        sentences = []
        for _ in range(choices):
            page.keyboard.press("ArrowRight")
            sentences.append((said.inner_text(), row.locator("input:checked").input_value()))
        assert len({value for _, value in sentences}) == choices, row
        assert len({sentence for sentence, _ in sentences}) > 1, row
        size = row.locator("label").first.bounding_box()
        assert size["height"] >= 24 and size["width"] >= 24, row


def test_every_button_of_a_figure_works_by_keyboard(page):
    for explorer in page.locator(".cl-explorer").all():
        before = explorer.locator(".cl-say").inner_text()
        for button in explorer.get_by_role("button", name="New run").all():
            button.press("Enter")
            assert explorer.locator(".cl-say").inner_text() != before
        reset = explorer.get_by_role("button", name="Reset")
        reset.press("Enter")
        after = explorer.locator(".cl-say").inner_text()
        assert after == explorer.locator(".cl-foot").get_attribute("data-start"), explorer


# Of one question: the answer chosen, whether it is visibly focused, and the reasons shown.
ANSWERED = """question => {
  const chosen = question.querySelector("input:checked");
  return {
    label: chosen.nextElementSibling.innerText,
    kind: chosen.className.replace("cl-", ""),
    focused: chosen === document.activeElement && getComputedStyle(chosen).outlineWidth !== "0px",
    reasons: [...question.querySelectorAll("p")]
      .filter((reason) => reason.checkVisibility()).map((reason) => reason.innerText),
  };
}"""


def test_every_question_is_answered_by_keyboard(page):
    """Space and the arrow keys choose each answer in turn; its reason shows, and no other."""
    for question in page.locator(".cl-quiz fieldset").all():
        asked, kinds = question.locator("legend").inner_text(), []
        question.locator("input").first.focus()
        page.keyboard.press("Space")
        for label in question.locator("label").all_inner_texts():
            seen = question.evaluate(ANSWERED)
            verdict = f"{label.split()[0]} is {seen['kind']}."
            (reason,) = seen["reasons"] or ["no reason is shown"]
            assert (seen["label"], reason[: len(verdict)]) == (label, verdict), asked
            assert seen["focused"], asked
            kinds.append(seen["kind"])
            page.keyboard.press("ArrowDown")
        assert kinds.count("right") == 1, asked


def test_every_folded_box_opens_by_keyboard(page):
    for button in page.locator("button.toggle-button").all():
        # A folded box may lie in another that is still closed.
        if not button.is_visible():
            continue
        assert button.get_attribute("aria-expanded") == "false"
        button.focus()
        page.keyboard.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"


def test_figures_are_drawn(page):
    """A figure whose file is missing or broken has no width."""
    page.evaluate("() => document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    broken = page.evaluate(
        "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.outerHTML)"
    )
    assert not broken


def test_formulas_are_set(page):
    """Each is there as boxes to look at and as MathML that holds its TeX, and none as text."""
    unset = page.evaluate(
        "() => [...document.querySelectorAll('.math')]"
        ".filter(e => !e.querySelector('.katex-html') || !e.querySelector('math annotation'))"
        ".map(e => e.textContent)"
    )
    assert not unset


def test_every_reference_leads_to_a_number(book):
    """Each entry of the bibliography ends in a link to its DOI or arXiv page, or in an ISBN."""
    page = (book / "chapters" / "references.html").read_text(encoding="utf-8")
    entries = re.findall(r'<div class="citation".*?</div>', page, flags=re.DOTALL)
    number = re.compile(r'href="https://(doi|arxiv)\.org/[^"]+">|ISBN [\d-]+X?\.')
    assert entries
    assert not [entry for entry in entries if not number.search(entry)]
