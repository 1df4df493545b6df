"""Every link inside the book leads to a page, and to a place on it, that is there."""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit


class Places(HTMLParser):
    """Collects the links of a page, and the names that a link can lead to."""

    def __init__(self):
        super().__init__()
        self.links, self.ids = [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.links += [values[key] for key in ("href", "src") if values.get(key)]
        self.ids += [values["id"]] if values.get("id") else []


@cache
def places(path):
    parser = Places()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def is_broken(page, link):
    """Return whether a link of a page leads nowhere; links to other hosts are not followed."""
    address, anchor = urldefrag(link)
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return False
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return True
    return bool(anchor) and target.suffix == ".html" and unquote(anchor) not in places(target).ids


def test_internal_links_resolve(book, page_name):
    page = book / page_name
    assert not [link for link in places(page).links if is_broken(page, link)]


def test_names_are_unique(book, page_name):
    """Of two elements of one name on a page, a link can reach only the first."""
    ids = places(book / page_name).ids
    assert len(ids) == len(set(ids)), sorted(name for name in set(ids) if ids.count(name) > 1)


def test_the_root_leads_to_the_front_page(book):
    assert "chapters/index.html" in (book / "index.html").read_text(encoding="utf-8")
