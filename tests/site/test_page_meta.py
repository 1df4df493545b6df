"""What a page's head says of it, and the sitemap: with an address, and without one."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from PIL import Image

from tools.repository import pages_address

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://book.example.org/collapse/"
CONFIG = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["page_meta"]
html_title = "A Small Book"
copyright = "2031"
html_baseurl = {address!r}
"""
CITATION = {"authors": [{"name": "The Contributors"}, {"given-names": "A", "family-names": "B"}]}
CHAPTER = """
The "first" chapter
===================

*Why?*

You will see.

Later
-----

Not this.
"""


@pytest.fixture
def built(tmp_path):
    """Return a function that builds a book of two pages and returns its folder."""

    def build(address):
        source, out = tmp_path / "source", tmp_path / "out"
        source.mkdir()
        config = CONFIG.format(extensions=str(ROOT / "_ext"), address=address)
        (source / "conf.py").write_text(config, encoding="utf-8")
        (source / "CITATION.cff").write_text(yaml.dump(CITATION), encoding="utf-8")
        (source / "index.rst").write_text(
            "A Small Book\n============\n\n.. toctree::\n\n   chapter\n", encoding="utf-8"
        )
        (source / "chapter.rst").write_text(CHAPTER, encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", source, out]
        subprocess.run(command, check=True, timeout=60)
        return out

    return build


def meta(page):
    """Return (name, content) of every meta element with a content, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)" />', text)


def test_without_an_address_no_tag_needs_one(built):
    out = built("")
    tags = meta(out / "chapter.html")
    assert ("citation_title", "The “first” chapter") in tags
    assert ("citation_inbook_title", "A Small Book") in tags
    assert [content for name, content in tags if name == "citation_author"] == [
        "The Contributors",
        "A B",
    ]
    assert ("citation_publication_date", "2031") in tags
    assert ("og:title", "The “first” chapter") in tags
    assert dict(tags)["description"] == dict(tags)["og:description"]
    assert dict(tags)["description"].startswith("Why? You will see.")
    assert not {"og:url", "og:image", "citation_public_url"} & set(dict(tags))
    assert not (out / "sitemap.xml").exists()


def test_with_an_address_every_page_says_its_own(built):
    out = built(ADDRESS.rstrip("/"))
    for name in ("index", "chapter"):
        tags = dict(meta(out / f"{name}.html"))
        assert tags["og:url"] == tags["citation_public_url"] == f"{ADDRESS}{name}.html"
        assert tags["og:image"] == f"{ADDRESS}_static/card.png"
    assert dict(meta(out / "index.html"))["og:type"] == "website"
    assert "og:title" not in dict(meta(out / "search.html"))
    places = ET.parse(out / "sitemap.xml").iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    assert [place.text for place in places] == [f"{ADDRESS}chapter.html", f"{ADDRESS}index.html"]


@pytest.mark.parametrize(
    ("repository", "pages"),
    [
        ("", ""),
        ("https://example.org/owner/name", ""),
        ("https://github.com/Owner/name", "https://owner.github.io/name/"),
        ("https://github.com/Owner/owner.github.io", "https://owner.github.io/"),
        ("https://gitlab.com/group/sub/name", "https://group.gitlab.io/sub/name/"),
    ],
)
def test_where_a_host_publishes_the_pages(repository, pages):
    assert pages_address(repository) == pages


def test_the_picture_of_a_link_has_its_usual_size():
    with Image.open(ROOT / "assets" / "card.png") as card:
        assert card.size == (1200, 630)


def faults(citation):
    """Return what the Citation File Format's own schema finds wrong with a CITATION.cff."""
    schemas = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "citation-file-format.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in validator.iter_errors(citation)]


def test_the_citation_file_is_valid():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert not faults(citation)
    assert citation["title"] == yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["title"]
    broken = {key: value for key, value in citation.items() if key != "authors"}
    assert faults(broken) == ["'authors' is a required property"]
    assert faults({**citation, "repository-code": "not an address"})
