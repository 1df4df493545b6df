"""Gather the pages of the built book into one page of html: title, contents, chapters."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag

from tools.print_chapters import chapter, new, page_number


class CannotPrint(Exception):
    """Says what is missing before the book can be printed."""


@dataclass(frozen=True)
class Edition:
    """What the title page says.

    Attributes
    ----------
    title, author : str
        As in ``_config.yml``.
    date : str
        The day of the revision that is printed, such as ``21 November 2026``, or nothing.
    address : str
        The address of the repository, or nothing.
    """

    title: str
    author: str
    date: str = ""
    address: str = ""


def page_names(root: Path) -> list[str]:
    """Return the pages of the book in the order of ``_toc.yml``, such as ``chapters/the-loop``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def read_page(book: Path, name: str) -> BeautifulSoup:
    """Return one built page."""
    path = book / f"{name}.html"
    if not path.is_file():
        raise CannotPrint(f"{path} is not there: run `make book` first")
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def whole_book(book: Path, names: list[str], edition: Edition) -> str:
    """Return the book as one page of html, to be served from the folder ``chapters``.

    Parameters
    ----------
    book : Path
        The folder of the built book.
    names : list of str
        The pages to print, in order, such as ``chapters/the-loop``.
    edition : Edition
        What the title page says.
    """
    pages = [read_page(book, name) for name in names]
    head = pages[0].head
    styles = head.select('link[rel~="stylesheet"]')
    mathjax = [script for script in head.find_all("script") if "mathjax" in str(script).lower()]
    chapters = [chapter(page, name, names) for page, name in zip(pages, names, strict=True)]
    heads = "\n".join(running_head(body) for body in chapters)
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-content_root="../" class="print-edition">
<head><meta charset="utf-8"><title>{escape(edition.title)}</title>
{"".join(map(str, styles))}
<style>{heads}</style>
{"".join(map(str, mathjax))}
</head>
<body><main class="bd-content">
{title_page(edition)}
{contents(chapters)}
{"".join(map(str, chapters))}
</main></body></html>
"""


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
            words = new("span", *BeautifulSoup(title.decode_contents(), "html.parser").contents)
            link = new("a", words, page_number(place), href=f"#{place}")
            link["class"] = f"print-{title.name}"
            nav.append(link)
    return nav


def title_page(edition: Edition) -> str:
    """Return the title page and, on its back, what the reader should know of this edition."""
    title, author, date = map(escape, (edition.title, edition.author, edition.date))
    online = f" The book and its notebooks: {escape(edition.address)}." if edition.address else ""
    return f"""
<div class="print-title">
  <img src="../_static/logo.svg" alt="" width="240" height="100">
  <p class="print-name">{title}</p>
  <p class="print-by">{author}</p>
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
