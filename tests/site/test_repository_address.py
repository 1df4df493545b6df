"""`make repository URL=…` writes one address everywhere, and takes it back byte for byte."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tools import repository

ROOT = Path(__file__).resolve().parents[2]
URL = "https://github.com/owner/name"


@pytest.fixture
def tree(tmp_path):
    """A copy of every file that names the repository, with no address set."""
    for name in ["_config.yml", "CITATION.cff", "README.md"]:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    repository.write_address("", tmp_path)
    return tmp_path


def contents(tree):
    return {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_every_file_agrees_on_the_address(tree):
    repository.write_address(URL, tree)
    config = yaml.safe_load((tree / "_config.yml").read_text(encoding="utf-8"))
    assert config["repository"]["url"] == URL
    assert config["html"]["use_repository_button"] is True
    assert config["launch_buttons"]["colab_url"]
    assert config["launch_buttons"]["binderhub_url"]
    assert config["html"]["baseurl"] == repository.pages_address(URL)
    citation = yaml.safe_load((tree / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == URL
    assert URL in (tree / "README.md").read_text(encoding="utf-8")
    notebooks = sorted((tree / "chapters").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        assert f'REPOSITORY = \\"{URL}\\"' in path.read_text(encoding="utf-8"), path.name


def test_taking_the_address_back_restores_every_byte(tree):
    before = contents(tree)
    repository.write_address(URL, tree)
    assert contents(tree) != before
    repository.write_address("", tree)
    assert contents(tree) == before


def test_without_an_address_no_file_names_one(tree):
    config = yaml.safe_load((tree / "_config.yml").read_text(encoding="utf-8"))
    assert not config["repository"]["url"]
    assert not config["html"]["use_repository_button"]
    assert not config["launch_buttons"]["colab_url"]
    assert not config["launch_buttons"]["binderhub_url"]
    assert not config["html"]["baseurl"]
    assert "repository-code" not in yaml.safe_load((tree / "CITATION.cff").read_text("utf-8"))


@pytest.mark.parametrize(
    ("host", "repository_button", "colab_button"),
    [("github.com", True, True), ("gitlab.com", True, False), ("example.org", False, False)],
)
def test_buttons_for_hosts_that_have_them(tree, host, repository_button, colab_button):
    repository.write_address(f"https://{host}/owner/name", tree)
    config = yaml.safe_load((tree / "_config.yml").read_text(encoding="utf-8"))
    assert config["html"]["use_repository_button"] is repository_button
    assert bool(config["launch_buttons"]["colab_url"]) is colab_button
    assert bool(config["launch_buttons"]["binderhub_url"]) is repository_button


# What the extensions of the whole book would look for and not find in two of its pages.
WHOLE_BOOK = {"claims_ledger", "search_words", "run_times", "course_plan", "reseeds", "results"}
TWO_PAGES = ["index", "the-loop"]


def built_buttons(tree):
    """Build two pages of the tree, without the rest of the book; return each one's links away."""
    shutil.copytree(ROOT / "_ext", tree / "_ext")
    shutil.copytree(ROOT / "assets", tree / "assets")
    shutil.copy(ROOT / "references.bib", tree)
    first, second = TWO_PAGES
    toc = {"format": "jb-book", "root": f"chapters/{first}"}
    toc["chapters"] = [{"file": f"chapters/{second}"}]
    (tree / "_toc.yml").write_text(yaml.dump(toc), encoding="utf-8")
    config = yaml.safe_load((tree / "_config.yml").read_text(encoding="utf-8"))
    extensions = config["sphinx"]["config"]["extensions"]
    assert set(extensions) >= WHOLE_BOOK
    config["sphinx"]["config"]["extensions"] = [e for e in extensions if e not in WHOLE_BOOK]
    (tree / "_config.yml").write_text(yaml.dump(config), encoding="utf-8")
    build = [Path(sysconfig.get_path("scripts"), "jupyter-book"), "build", "-q", tree]
    subprocess.run(build, check=True, capture_output=True, text=True, timeout=120)
    pages = {name: tree / "_build" / "html" / "chapters" / f"{name}.html" for name in TWO_PAGES}
    return {
        name: set(
            re.findall(r'href="(https://(?:colab|mybinder|github)[^"]*)"', page.read_text("utf-8"))
        )
        for name, page in pages.items()
    }


def test_the_buttons_of_a_built_page_open_its_notebook(tree):
    repository.write_address(URL, tree)
    for name, links in built_buttons(tree).items():
        path = f"chapters/{name}.ipynb"
        assert f"https://colab.research.google.com/github/owner/name/blob/main/{path}" in links
        assert f"https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/{path}" in links
        assert URL in links


def test_without_an_address_a_built_page_has_no_such_button(tree):
    assert built_buttons(tree) == {name: set() for name in TWO_PAGES}


@pytest.mark.parametrize("ending", ["", "/", ".git"])
def test_endings_of_the_address_do_not_matter(ending):
    assert repository.checked(URL + ending) == URL


@pytest.mark.parametrize(
    "url",
    ["owner/name", "http://github.com/owner/name", "https://github.com/owner", 'https://a.b/c/"d'],
)
def test_an_address_of_another_form_is_refused(url, tree):
    before = contents(tree)
    with pytest.raises(ValueError, match=re.escape(repr(url))):
        repository.write_address(url, tree)
    assert contents(tree) == before


def test_an_error_leaves_the_tree_as_it_was(tree):
    (tree / "README.md").write_text("no marks here\n", encoding="utf-8")
    before = contents(tree)
    with pytest.raises(ValueError, match=r"README\.md"):
        repository.write_address(URL, tree)
    assert contents(tree) == before
