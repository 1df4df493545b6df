"""Print the built book: one PDF with a contents, page numbers, bookmarks and working links.

    python -m tools.printed

Writes ``_build/model-collapse.pdf`` from ``_build/html``. The same build gives the same bytes.
"""

import io
import re
import subprocess
import sys
from copy import copy
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pikepdf
import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page

from tools import browsing
from tools.print_chapters import chapter, new, page_number

ROOT = Path(__file__).resolve().parents[1]
PDF = Path("_build") / "model-collapse.pdf"
# A4 less the margins of print.css: what a formula or a table has to fit into.
TEXT_WIDTH = round((210 - 2 * 24) / 25.4 * 96)
SUBJECT = "What happens when models train on their own output: proofs, experiments, exercises"
# How Chromium names the headers of tables: by a count that begins before the page does.
NODE = re.compile(rb"\(node(\d{8})\)")
# The whole book on a busy machine takes minutes.
PATIENCE_MS = 1_200_000
MAX_ROUNDS = 4


class CannotPrint(Exception):
    """Says what is missing before the book can be printed."""


def committed(root: Path) -> datetime:
    """Return when the checked-out revision was made; outside a repository, the year 1970."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        seconds = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        seconds = 0
    return datetime.fromtimestamp(int(seconds), UTC)


def config(root: Path, file: str = "_config.yml") -> dict:
    return yaml.safe_load((root / file).read_text(encoding="utf-8"))


def author(root: Path) -> str:
    name = config(root)["author"]
    return name[:1].upper() + name[1:]


def page_names(root: Path) -> list[str]:
    """Return the pages of the book in the order of ``_toc.yml``, such as ``chapters/the-loop``."""
    toc = config(root, "_toc.yml")
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def read_page(book: Path, name: str) -> BeautifulSoup:
    """Return one built page."""
    path = book / f"{name}.html"
    if not path.is_file():
        raise CannotPrint(f"{path} is not there: run `make book` first")
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def whole_book(root: Path, names: list[str]) -> str:
    """Return pages of the built book, in order, as one page to be served from ``chapters/``."""
    pages = [read_page(root / browsing.BUILT, name) for name in names]
    head = pages[0].head
    styles = head.select('link[rel~="stylesheet"]')
    chapters = [chapter(page, name, names) for page, name in zip(pages, names, strict=True)]
    heads = "".join(map(running_head, chapters))
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-content_root="../" class="print-edition">
<head><meta charset="utf-8"><title>{escape(config(root)["title"])}</title>
{"".join(map(str, styles))}
<style>{heads}</style>
</head>
<body><main class="bd-content">{title_page(root)}{contents(chapters)}{"".join(map(str, chapters))}
</main></body></html>"""


def running_head(body: Tag) -> str:
    """Let a chapter's pages be of a kind of their own; return the style of their head."""
    kind = f"print-{body['id'].rstrip('-')}"
    body["style"] = f"page: {kind}"
    title = " ".join(body.find("h1").get_text().split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'@page {kind} {{ @top-left {{ content: "{title}"; }} }}'


def contents(chapters: list[Tag]) -> Tag:
    """Return the table of contents: every chapter and section, with room for its page."""
    nav = new("nav", new("h1", "Contents"), class_="print-contents")
    for body in chapters:
        for title in body.find_all(["h1", "h2"]):
            place = body["id"] if title.name == "h1" else title.find_parent("section")["id"]
            words = new("span", *copy(title).contents)
            kind = f"print-{title.name}"
            nav.append(new("a", words, page_number(place), href=f"#{place}", class_=kind))
    return nav


def title_page(root: Path) -> str:
    """Return the title page and, on its back, what the reader should know of this edition."""
    made, address = committed(root), config(root)["repository"]["url"]
    date = f"{made.day} {made:%B %Y}" if made.timestamp() else ""
    online = f" The book and its notebooks: {escape(address)}." if address else ""
    return f"""
<div class="print-title">
  <img src="../_static/logo.svg" alt="" width="240" height="100">
  <p class="print-name">{escape(config(root)["title"])}</p>
  <p class="print-by">{escape(author(root))}</p>
  <p class="print-date">{date}</p>
</div>
<div class="print-about">
  <p><strong>About this edition.</strong> These are the pages of the online book, in its order.
  Where the online book has an interactive figure, you see one frame of it, and a line beneath
  names the values that it is drawn for. Code that the online book keeps folded, which draws a
  figure or checks algebra, is left out. Hints stand under their exercise; answers and solutions
  stand at the end of each chapter.{online}</p>
  <p>Text and figures: Creative Commons Attribution 4.0 (CC BY 4.0). Code: MIT License.</p>
</div>"""


def print_book(root: Path, names: list[str], output: Path) -> int:
    """Print pages of the book built in `root` into one PDF; return how many sheets it has."""
    if not browsing.chromium():
        raise CannotPrint(f"no Chromium in {browsing.CHROMIUM_PATHS}: install one")
    html = whole_book(root, names)
    with browsing.launch() as browser, browsing.serve(root / browsing.BUILT) as site:
        # The address is answered from memory: what is printed leaves no file in the book.
        address = site + "chapters/print.html"
        context = browsing.new_context(browser, browsing.View("light", TEXT_WIDTH, 1000))
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
    return finish(pdf, root, output)


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


def finish(pdf: bytes, root: Path, output: Path) -> int:
    """Write the PDF with its description, and without what differs from one run to the next."""
    made = f"D:{committed(root):%Y%m%d%H%M%S}Z"
    with pikepdf.open(io.BytesIO(same_names(pdf))) as document:
        document.docinfo["/Author"] = author(root)
        document.docinfo["/Subject"] = SUBJECT
        document.docinfo["/Creator"] = "Chromium"
        document.docinfo["/CreationDate"] = document.docinfo["/ModDate"] = made
        document.Root.PageMode = pikepdf.Name.UseOutlines
        compact = pikepdf.ObjectStreamMode.generate
        document.save(output, deterministic_id=True, object_stream_mode=compact)
        return len(document.pages)


def same_names(pdf: bytes) -> bytes:
    """Number afresh the headers of tables, whose numbers in Chromium hang on the run.

    A new name is as long as the old one, so that every object stays where it was.
    """
    names = {name: n for n, name in enumerate(sorted(set(NODE.findall(pdf))))}
    return NODE.sub(lambda node: b"(node%08d)" % names[node[1]], pdf)


# A formula or a table wider than the text is set smaller until it fits. What still does not, and
# what is neither, is named: Chromium would set the whole book smaller for its sake. So is a cell
# whose words run into the next.
FIT = """() => {
  const edge = (box) => box.getBoundingClientRect().right;
  for (const box of document.querySelectorAll(".katex-display, .bd-content table")) {
    const inside = box.matches("table") ? [box] : [...box.children];
    const right = edge(box.matches("table") ? box.parentElement : box);
    const left = box.getBoundingClientRect().left;
    const need = Math.max(...inside.map(edge)) - left;
    if (need > right - left + 1) box.style.zoom = Math.floor(1000 * (right - left) / need) / 1000;
  }
  const width = document.documentElement.clientWidth;
  const wide = [...document.body.querySelectorAll("*")].filter(
    (box) => (edge(box) > width + 1 && !box.closest("svg, .katex-mathml"))
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


if __name__ == "__main__":
    try:
        sheets = print_book(ROOT, page_names(ROOT), ROOT / PDF)
    except CannotPrint as problem:
        sys.exit(f"make pdf: {problem}")
    print(f"{PDF}: {sheets} pages, {(ROOT / PDF).stat().st_size / 1e6:.1f} MB")
