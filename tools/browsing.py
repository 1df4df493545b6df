"""Open pages of the built book in a headless browser, and note what happens."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    sync_playwright,
)

CHROMIUM_PATHS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
# Where `make book` puts the pages.
BUILT = Path("_build", "html")
# A page takes a second or two; a busy machine may take a minute over it.
PATIENCE_MS = 180_000
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass(frozen=True)
class View:
    """How a reader looks at a page: a theme and a screen's width and height in pixels."""

    theme: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}"


VIEWS = [View(theme, *size) for theme in ("light", "dark") for size in ((1280, 900), (390, 844))]


class Notes:
    """What a page asks for and complains of, from its first request on."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.messages: list[str] = []

    def take(self, page: Page) -> None:
        def note(of: str, thing: object) -> None:
            self.messages.append(f"{of}: {thing}")

        def note_status(got: Response) -> None:
            if got.status >= 400:
                note(f"status {got.status}", got.url)

        def note_message(said: ConsoleMessage) -> None:
            if said.type in ("error", "warning"):
                note(f"console {said.type}", said.text)

        page.on("request", lambda asked: self.requests.append(asked.url))
        page.on("requestfailed", lambda asked: note("failed", asked.url))
        page.on("pageerror", lambda error: note("exception", error))
        page.on("response", note_status)
        page.on("console", note_message)


@dataclass(frozen=True)
class Visit:
    """What a visit of one page showed."""

    requests: list[str]  # addresses, its own included
    messages: list[str]  # of the console, uncaught exceptions, failed requests, bad statuses
    violations: list[str]  # one line for each element that axe-core finds fault with
    too_wide: list[str]  # elements that reach over the right edge, where the page scrolls sideways


def chromium() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((path for path in CHROMIUM_PATHS if Path(path).exists()), None)


def page_names(book: Path) -> list[str]:
    """Return every page of the built book, apart from pages that only lead to another."""
    return [
        path.relative_to(book).as_posix()
        for path in sorted(book.rglob("*.html"))
        if "_static" not in path.parts
        and 'http-equiv="refresh"' not in path.read_text("utf-8").lower()
    ]


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Print nothing: a test names the page that fails."""


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free loopback port and yield its address, which ends in ``/``."""
    handler = partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.contextmanager
def launch() -> Iterator[Browser]:
    """Start this machine's own Chromium, headless, and close it at the end."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_OPTIONS)


def new_context(browser: Browser, view: View) -> BrowserContext:
    """Return a fresh browser profile with the view's theme and screen."""
    context = browser.new_context(
        color_scheme=view.theme,
        viewport={"width": view.width, "height": view.height},
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def open_page(
    context: BrowserContext, address: str, notes: Notes | None = None, media: str = "screen"
) -> Page:
    """Open a page, wait until its fonts are there, and skip its predictions."""
    page = context.new_page()
    page.emulate_media(media=media)
    if notes:
        notes.take(page)
    page.goto(address, wait_until="load")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(SKIP_PREDICTIONS)
    return page


def visit(context: BrowserContext, site: str, page_name: str, view: View) -> Visit:
    """Open a page and all that shows on demand; try its width and its accessibility.

    A chapter has ten thousands of elements, most of them parts of formulas and words of code, and
    axe-core weighs each against all others. They are tried once, for everything but colours. For
    the colours, and in the other views, a formula is a word in a box of its own width, which
    axe-core can read (a glyph it cannot), and a cell of code marks each kind of word once.
    """
    notes = Notes()
    page = open_page(context, site + page_name, notes)
    page.evaluate(OPEN_FOLDED_BOXES)
    # By turns rightly and wrongly, so that each kind of reason shows.
    page.evaluate(ANSWER_QUESTIONS)
    too_wide = page.evaluate(TOO_WIDE)
    # axe-core makes requests of its own: the notes end before it starts.
    requests, messages = list(notes.requests), list(notes.messages)
    violations = []
    if view == VIEWS[0]:
        violations += judged(page, runOnly=WCAG, rules={"color-contrast": {"enabled": False}})
        page.evaluate(LIGHTEN)
        violations += judged(page, runOnly=["color-contrast"])
    else:
        page.evaluate(LIGHTEN)
        violations += judged(page, runOnly=WCAG)
    page.close()
    return Visit(requests, messages, violations, too_wide)


def judged(page: Page, **options: object) -> list[str]:
    """Return a line for each element that axe-core finds fault with."""
    found = Axe().run(page, options={**options, "resultTypes": ["violations"]})
    return [
        f"{fault['id']}: {' '.join(at['target'])}: {at['failureSummary']} {at['html'][:200]}"
        for fault in found.response["violations"]
        for at in fault["nodes"]
    ]


LIGHTEN = """() => {
  const formulas = [...document.querySelectorAll(".katex")];
  const widths = formulas.map((formula) => formula.getBoundingClientRect().width);
  formulas.forEach((formula, i) => {
    formula.replaceChildren("xyz");
    if (!formula.closest(".katex-display")) {
      Object.assign(formula.style, { display: "inline-block", width: `${widths[i]}px` });
    }
  });
  for (const code of document.querySelectorAll(".highlight pre")) {
    const longest = {};
    const words = [...code.querySelectorAll("span[class]")];
    for (const word of words) {
      const kept = longest[word.className];
      if (!kept || word.textContent.length > kept.textContent.length) longest[word.className] = word;
    }
    for (const word of words) {
      if (word !== longest[word.className]) word.replaceWith(...word.childNodes);
    }
  }
}"""

SKIP_PREDICTIONS = """() => {
  const waiting = document.querySelectorAll("[hidden=until-found]");
  waiting.forEach((part) => part.removeAttribute("hidden"));
}"""

OPEN_FOLDED_BOXES = """() => {
  const sections = document.querySelectorAll(".bd-article section");
  sections.forEach((section) => { section.style.contentVisibility = "visible"; });
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
  document.querySelectorAll("button.toggle-button[aria-expanded=false]").forEach((b) => b.click());
}"""

ANSWER_QUESTIONS = """() => {
  document.querySelectorAll(".cl-quiz fieldset").forEach((question, number) => {
    question.querySelector(number % 2 ? ".cl-wrong" : ".cl-right").checked = true;
  });
}"""

TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => element.outerHTML.slice(0, 120));
}"""
