"""Photograph pages of the built book, whole, in light and dark, on a desk and on a phone.

    python -m tools.shots folder [--open] [pages]

Pages are named as in ``_build/html``, such as ``chapters/index.html``; without any: all of them.
With ``--open``, solutions and folded cells are opened first.
"""

import sys
from pathlib import Path

from tools import browsing

if __name__ == "__main__":
    folder, *names = (word for word in sys.argv[1:] if word != "--open")
    names = names or browsing.page_names(browsing.BUILT)
    with browsing.launch() as browser, browsing.serve(browsing.BUILT) as site:
        for view in browsing.VIEWS:
            context = browsing.new_context(browser, view)
            for name in names:
                page = browsing.open_page(context, site + name)
                if "--open" in sys.argv:
                    page.evaluate(browsing.OPEN_FOLDED_BOXES)
                stem = name.removesuffix(".html").replace("/", "-")
                page.screenshot(path=Path(folder, f"{stem}-{view}.png"), full_page=True)
                page.close()
            context.close()
    print(f"{len(names) * len(browsing.VIEWS)} pictures in {folder}")
