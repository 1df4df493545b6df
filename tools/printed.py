"""Print the built book: one PDF with a contents, page numbers, bookmarks and working links.

    python -m tools.printed [pages]

Writes ``_build/model-collapse.pdf`` from ``_build/html``. Pages are named as in ``_toc.yml``, such
as ``chapters/the-loop``; without any: the whole book. The same build gives the same bytes.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import yaml
from playwright.sync_api import Page, sync_playwright

from tools import browsing
from tools.print_book import CannotPrint, Edition, page_names, whole_book

ROOT = Path(__file__).resolve().parents[1]
PDF = Path("_build") / "model-collapse.pdf"
# A4 less the margins of print.css: what a formula or a table has to fit into.
TEXT_WIDTH = round((210 - 2 * 24) / 25.4 * 96)
SUBJECT = "What happens when models train on their own output: proofs, experiments, exercises"
KEYWORDS = "model collapse, synthetic data, recursive training"
# How Chromium names the headers of tables: by a count that begins before the page does.
NODE = re.compile(rb"\(node(\d{8})\)")
# The whole book on a busy machine takes minutes.
PATIENCE_MS = 1_200_000
MAX_ROUNDS = 4


def committed(root: Path) -> datetime:
    """Return when the checked-out revision was made; outside a repository, the year 1970."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp(int(seconds), UTC)


def edition(root: Path) -> Edition:
    """Return what the title page says, from the book's configuration and its history."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    made = committed(root)
    date = f"{made.day} {made:%B %Y}" if made.timestamp() else ""
    author = config["author"][:1].upper() + config["author"][1:]
    return Edition(config["title"], author, date, config["repository"]["url"])


def print_book(root: Path, names: list[str], output: Path) -> int:
    """Print pages of the built book into one PDF; return how many sheets it has.

    Parameters
    ----------
    root : Path
        The checkout, its book built.
    names : list of str
        The pages, in order.
    output : Path
        The file to write.
    """
    if not browsing.chromium():
        raise CannotPrint(f"no Chromium in {browsing.CHROMIUM_PATHS}: install one")
    book, words = browsing.built_book(root), edition(root)
    html = whole_book(book, names, words)
    with (
        sync_playwright() as playwright,
        browsing.launch(playwright) as browser,
        browsing.serve(book) as site,
    ):
        # The address is answered from memory: what is printed leaves no file in the book.
        address = site + "chapters/print.html"
        context = browser.new_context(
            color_scheme="light", viewport={"width": TEXT_WIDTH, "height": 1000}
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        notes = browsing.Notes()
        page = browsing.open_page(context, address, notes, media="print")
        if notes.messages:
            raise CannotPrint(f"the pages do not print cleanly: {notes.messages[:3]}")
        too_wide = page.evaluate(FIT)
        if too_wide:
            raise CannotPrint(f"wider than the text: {'; '.join(too_wide[:5])}")
        pdf = number_pages(page)
    output.parent.mkdir(parents=True, exist_ok=True)
    return finish(pdf, words, committed(root), output)


def number_pages(page: Page) -> bytes:
    """Print, write into the page the numbers that came out, and print until they agree."""
    written: dict[str, int] = {}
    for _ in range(MAX_ROUNDS):
        # Tags and bookmarks cost time, and the first printing is only for its numbers.
        pdf = page.pdf(prefer_css_page_size=True, tagged=bool(written), outline=bool(written))
        numbers = places(pdf)
        if numbers == written:
            return pdf
        missing = page.evaluate(WRITE_NUMBERS, numbers)
        if missing:
            raise CannotPrint(f"places in the contents that are not in print: {missing[:3]}")
        written = numbers
    raise CannotPrint(f"page numbers still change after {MAX_ROUNDS} rounds")


def places(pdf: bytes) -> dict[str, int]:
    """Return the number of the page on which each place that a link leads to is printed."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        number = {page.objgen: n for n, page in enumerate(document.pages, start=1)}
        found = document.Root.get("/Dests", {})
        return {name.removeprefix("/"): number[place[0].objgen] for name, place in found.items()}


def finish(pdf: bytes, words: Edition, made: datetime, output: Path) -> int:
    """Write the PDF with its description, and without what differs from one run to the next."""
    with pikepdf.open(io.BytesIO(same_names(pdf))) as document:
        document.docinfo["/Title"] = words.title
        document.docinfo["/Author"] = words.author
        document.docinfo["/Subject"] = SUBJECT
        document.docinfo["/Keywords"] = KEYWORDS
        document.docinfo["/Creator"] = "Chromium"
        document.docinfo["/CreationDate"] = document.docinfo["/ModDate"] = f"D:{made:%Y%m%d%H%M%S}Z"
        document.Root.PageMode = pikepdf.Name.UseOutlines
        document.save(
            output, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate
        )
        return len(document.pages)


def same_names(pdf: bytes) -> bytes:
    """Number afresh the headers of tables, whose numbers in Chromium hang on the run.

    A new name is as long as the old one, so that every object stays where it was.
    """
    names = {name: b"%08d" % n for n, name in enumerate(sorted(set(NODE.findall(pdf))))}
    return NODE.sub(lambda node: b"(node" + names[node[1]] + b")", pdf)


# A formula or a table wider than the text is set smaller until it fits. What still does not, and
# what is neither, is named: Chromium would set the whole book smaller for its sake. So is a cell
# whose words run into the next.
FIT = """() => {
  const edge = (box) => box.getBoundingClientRect().right;
  for (const box of document.querySelectorAll("mjx-container[display=true], .bd-content table")) {
    const inside = box.matches("table") ? [box] : [...box.children];
    const right = edge(box.matches("table") ? box.parentElement : box);
    const left = box.getBoundingClientRect().left;
    const need = Math.max(...inside.map(edge)) - left;
    if (need > right - left + 1) box.style.zoom = Math.floor(1000 * (right - left) / need) / 1000;
  }
  const width = document.documentElement.clientWidth;
  const wide = [...document.body.querySelectorAll("*")].filter(
    (box) => (edge(box) > width + 1 && !box.closest("svg, mjx-assistive-mml"))
      || (box.matches("td, th") && box.scrollWidth > box.clientWidth + 1));
  const innermost = wide.filter((box) => ![...box.children].some((child) => wide.includes(child)));
  const words = (box) => (box.textContent.trim() || box.outerHTML).slice(0, 60);
  return innermost.map((box) => `${box.closest("[id]")?.id}: ${words(box)}`);
}"""

WRITE_NUMBERS = """(numbers) => {
  const rooms = [...document.querySelectorAll(".print-page")];
  for (const room of rooms) room.textContent = numbers[room.dataset.of] ?? "";
  return rooms.map((room) => room.dataset.of).filter((place) => !(place in numbers));
}"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--output", type=Path, default=ROOT / PDF)
    options = parser.parse_args()
    try:
        names = page_names(ROOT)
        unknown = [name for name in options.pages if name not in names]
        if unknown:
            raise CannotPrint(f"no page {unknown[0]!r}: the pages are {', '.join(names)}")
        sheets = print_book(ROOT, options.pages or names, options.output)
    except CannotPrint as problem:
        sys.exit(f"make pdf: {problem}")
    size = options.output.stat().st_size / 1e6
    print(f"{options.output}: {sheets} pages, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
