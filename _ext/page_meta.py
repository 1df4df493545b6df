"""Say in each page's head what it is: for those who link to it, those who cite it, and robots.

The book's title, author and licence come from ``_config.yml`` and ``CITATION.cff``. What needs
the book's own address (a picture to link with, ``sitemap.xml``) is written only where
``html_baseurl`` holds one; ``make repository`` does that.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import shorten

import yaml
from docutils import nodes
from sphinx.application import Sphinx

SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# What a search engine shows of a description, in characters.
SHORTEST, LONGEST = 80, 240
# Formulas in a description are read as text: these are the only commands that chapters open with.
SPOKEN = {r"\pi": "π", r"\sigma": "σ", "^2": "²"}


def description(doctree: nodes.document) -> str:
    """Return the first sentences of a page, without its title; a bibliography has none."""
    text = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.citation):
            continue
        text += " " + paragraph.astext()
        if len(text) >= SHORTEST:
            break
    for tex, plain in SPOKEN.items():
        text = text.replace(tex, plain)
    return shorten(text, LONGEST, placeholder=" …")


def authors(citation: dict) -> list[str]:
    """Return the names in the ``authors`` of a CITATION.cff, families last."""
    return [
        author.get("name") or f"{author['given-names']} {author['family-names']}"
        for author in citation["authors"]
    ]


def tags(
    *, title: str, about: str, book: str, is_book: bool, citation: dict, year: str, address: str
) -> Iterator[tuple[str, str, str]]:
    """Yield the meta elements of one page as (attribute, its value, content).

    Parameters
    ----------
    title, about : str
        The page's title and its description.
    book : str
        The book's title.
    is_book : bool
        Whether the page stands for the whole book: it is the front page.
    citation : dict
        The content of CITATION.cff.
    year : str
        The year of the book.
    address : str
        The page's own absolute address, or the empty string.
    """
    yield "name", "description", about
    yield "property", "og:type", "website" if is_book else "article"
    yield "property", "og:site_name", book
    yield "property", "og:title", title
    yield "property", "og:description", about
    yield "name", "citation_title", title
    if not is_book:
        yield "name", "citation_inbook_title", book
    for author in authors(citation):
        yield "name", "citation_author", author
    yield "name", "citation_publication_date", year
    yield "name", "citation_language", "en"
    if address:
        yield "property", "og:url", address
        yield "name", "citation_public_url", address


def add_tags(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Write the meta elements of a page that was made from a text."""
    if doctree is None:
        return
    base, book = base_address(app), app.config.html_title
    title = app.env.titles[pagename].astext()
    is_book = pagename == app.config.root_doc
    elements = list(
        tags(
            title=title,
            about=description(doctree) or f"{title}: {book}",
            book=book,
            is_book=is_book,
            citation=app.citation,
            year=app.config.copyright,
            address=base and base + app.builder.get_target_uri(pagename),
        )
    )
    if base:
        elements.append(("property", "og:image", f"{base}_static/card.png"))
        elements.append(("property", "og:image:alt", "Bell curves that narrow to a spike"))
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n    <meta {attribute}="{name}" content="{escape(content)}" />'
        for attribute, name, content in elements
    )


def base_address(app: Sphinx) -> str:
    """Return the book's address with one ``/`` at its end, or the empty string."""
    return app.config.html_baseurl and app.config.html_baseurl.rstrip("/") + "/"


def sitemap(addresses: list[str]) -> str:
    """Return the text of a sitemap.xml.

    >>> print(sitemap(["https://book.example.org/chapters/index.html"]))
    <?xml version="1.0" encoding="utf-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
      <url>
        <loc>https://book.example.org/chapters/index.html</loc>
      </url>
    </urlset>
    """
    urlset = ET.Element("urlset", xmlns=SITEMAP_NAMESPACE)
    for address in addresses:
        ET.SubElement(ET.SubElement(urlset, "url"), "loc").text = address
    ET.indent(urlset)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(urlset, encoding="unicode")}'


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """Write ``sitemap.xml`` beside the pages, where the book has an address."""
    base = base_address(app)
    if exception or app.builder.format != "html" or not base:
        return
    pages = [base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    Path(app.outdir, "sitemap.xml").write_text(sitemap(pages) + "\n", encoding="utf-8")


def read_citation(app: Sphinx) -> None:
    app.citation = yaml.safe_load(Path(app.srcdir, "CITATION.cff").read_text(encoding="utf-8"))


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", read_citation)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
