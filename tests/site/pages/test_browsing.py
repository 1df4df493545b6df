"""The visit of a page finds what it looks for: each fault here is planted."""

import pytest

from tools import browsing

PAGE = (
    """<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>{}</main></html>"""
)
FAULTS = {
    "color-contrast: p": '<p style="color: #ccc">pale</p>',
    "color-contrast: span": '<p><span class="katex" style="color: #ccc"><b>2 + 2</b></span></p>',
    "color-contrast: .k": '<div class="highlight"><pre><span class="n">a</span> '
    '<span class="k" style="color: #ccc">begin</span> <span class="k">end</span></pre></div>',
    "button-name: button": "<button></button>",
    "aria-required-children: .list": '<span class="katex"><span class="list" role="list"><b>2</b></span></span>',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault, browser, tmp_path):
    (tmp_path / "page.html").write_text(PAGE.format(FAULTS[fault]), encoding="utf-8")
    view = browsing.VIEWS[0]
    context = browsing.new_context(browser, view)
    with browsing.serve(tmp_path) as site:
        seen = browsing.visit(context, site, "page.html", view)
    context.close()
    assert [found.startswith(fault) for found in seen.violations] == [True], seen.violations


def test_a_sound_page_has_no_fault(browser, tmp_path):
    (tmp_path / "page.html").write_text(PAGE.format("<p>text</p>"), encoding="utf-8")
    for view in browsing.VIEWS:
        context = browsing.new_context(browser, view)
        with browsing.serve(tmp_path) as site:
            assert not browsing.visit(context, site, "page.html", view).violations
        context.close()
