"""Say in each page's head what it is: for those who link to it, those who cite it, and robots.

What needs the book's own address (a picture to link with, ``sitemap.xml``) is written only where
``html_baseurl`` holds one; ``make repository`` does that.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import shorten

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SITEMAP = """\
<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}
</urlset>
"""
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


def tags(app: Sphinx, pagename: str, doctree: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield name and content of the meta elements of one page."""
    book, title = app.config.html_title, app.env.titles[pagename].astext()
    # The front page stands for the whole book.
    is_book = pagename == app.config.root_doc
    about = description(doctree) or f"{title}: {book}"
    yield "description", about
    yield "og:type", "website" if is_book else "article"
    yield "og:site_name", book
    yield "og:title", title
    yield "og:description", about
    yield "citation_title", title
    if not is_book:
        yield "citation_inbook_title", book
    for author in app.citation["authors"]:
        name = author.get("name") or f"{author['given-names']} {author['family-names']}"
        yield "citation_author", name
    yield "citation_publication_date", app.config.copyright
    yield "citation_language", "en"
    if base := base_address(app):
        address = base + app.builder.get_target_uri(pagename)
        yield "og:url", address
        yield "citation_public_url", address
        yield "og:image", f"{base}_static/card.png"
        yield "og:image:alt", "Bell curves that narrow to a spike"


def add_tags(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Write the meta elements of a page that was made from a text."""
    if doctree is None:
        return
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n    <meta {"property" if name.startswith("og:") else "name"}="{name}"'
        f' content="{escape(content)}" />'
        for name, content in tags(app, pagename, doctree)
    )


def base_address(app: Sphinx) -> str:
    """Return the book's address with one ``/`` at its end, or the empty string."""
    return app.config.html_baseurl and app.config.html_baseurl.rstrip("/") + "/"


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """Write ``sitemap.xml`` beside the pages, where the book has an address."""
    base = base_address(app)
    if exception or app.builder.format != "html" or not base:
        return
    places = (base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
    urls = "\n".join(f"  <url><loc>{escape(place)}</loc></url>" for place in places)
    Path(app.outdir, "sitemap.xml").write_text(SITEMAP.format(urls), encoding="utf-8")


def bibtex(app: Sphinx) -> str:
    """Return the entry under which the book is cited, from ``CITATION.cff``."""
    cited = app.citation
    names = " and ".join(f"{{{author['name']}}}" for author in cited["authors"])
    fields = {
        "title": cited["title"],
        "author": names,
        "year": app.config.copyright,
        "note": f"Version {cited['version']}",
    }
    if base := base_address(app):
        fields["url"] = base
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@book{{model-collapse-from-first-principles,\n{lines}}}"


class BookEntry(SphinxDirective):
    """``{bibtex-of-the-book}``: the entry, with a button that copies it."""

    def run(self) -> list[nodes.Node]:
        text = bibtex(self.env.app)
        return [nodes.literal_block(text, text, language="bibtex")]


def read_citation(app: Sphinx) -> None:
    app.citation = yaml.safe_load(Path(app.srcdir, "CITATION.cff").read_text(encoding="utf-8"))


def setup(app: Sphinx) -> dict:
    app.add_directive("bibtex-of-the-book", BookEntry)
    app.connect("builder-inited", read_citation)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
