"""A browser, a server for the built book, and what was seen on each page."""

import functools
import re

import pytest
from xdist.scheduler import LoadScopeScheduling

from tools import browsing


def pytest_configure(config):
    """Stop with one sentence where there is nothing to test."""
    if not (config.rootpath / browsing.BUILT / "index.html").exists():
        pytest.exit("the book is not built: run `make book` first", returncode=2)
    if not browsing.chromium():
        pytest.exit(f"no Chromium in {browsing.CHROMIUM_PATHS}: install one", returncode=2)


def pytest_generate_tests(metafunc):
    """Give `page_name` every page of the book, and `view` every theme and width."""
    if "page_name" in metafunc.fixturenames:
        names = browsing.page_names(metafunc.config.rootpath / browsing.BUILT)
        metafunc.parametrize("page_name", names)
    if "view" in metafunc.fixturenames:
        metafunc.parametrize("view", browsing.VIEWS, ids=str)


class ByPage(LoadScopeScheduling):
    """Give all tests of one page to one worker, which then visits it once a view."""

    def _split_scope(self, nodeid):
        page = re.search(r"[\w/-]+\.html", nodeid)
        return page[0] if page else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return ByPage(config, log)


@pytest.fixture(scope="session")
def book(pytestconfig):
    """The folder of the built book."""
    return pytestconfig.rootpath / browsing.BUILT


@pytest.fixture(scope="session")
def site(book):
    """The address of the built book, served on this machine alone."""
    with browsing.serve(book) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with browsing.launch() as browser:
        yield browser


@pytest.fixture(scope="session")
def visit(browser, site):
    """Return what a visit of a page shows; each page is visited once a view."""
    contexts = {view: browsing.new_context(browser, view) for view in browsing.VIEWS}

    @functools.cache
    def visit_once(page_name, view):
        return browsing.visit(contexts[view], site, page_name, view)

    yield visit_once
    for context in contexts.values():
        context.close()
