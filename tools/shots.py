"""Photograph pages of the built book, whole, in light and dark, on a desk and on a phone.

    python -m tools.shots folder [--open] [pages]

Pages are named as in ``_build/html``, such as ``chapters/index.html``; without any: all of them.
With ``--open``, solutions and folded cells are opened first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools import browsing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--open", action="store_true", help="open folded boxes first")
    options = parser.parse_intermixed_args()
    book = browsing.built_book(Path.cwd())
    pages = options.pages or browsing.page_names(book)
    options.folder.mkdir(parents=True, exist_ok=True)
    with (
        sync_playwright() as playwright,
        browsing.launch(playwright) as browser,
        browsing.serve(book) as site,
    ):
        for view in browsing.VIEWS:
            context = browsing.new_context(browser, view)
            for name in pages:
                page = browsing.open_page(context, site + name)
                if options.open:
                    browsing.open_folded_boxes(page)
                stem = name.removesuffix(".html").replace("/", "-")
                page.screenshot(path=options.folder / f"{stem}-{view}.png", full_page=True)
                page.close()
            context.close()
    print(f"{len(pages) * len(browsing.VIEWS)} pictures in {options.folder}")


if __name__ == "__main__":
    main()
