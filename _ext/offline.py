"""Serve every script and font from the book itself: a page asks no other host for anything."""

import importlib.metadata
import shutil
from pathlib import Path

from sphinx.application import Sphinx

# The one script that the pages load, and the fonts that it asks for as it needs them.
MATHJAX_PARTS = ("tex-chtml-full.js", "output/chtml/fonts/woff-v2/")


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy the part of MathJax that the pages use out of its Python package."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "mathjax")
    for file in importlib.metadata.files("sphinx-mathjax-offline"):
        part = file.as_posix().partition("static/mathjax/")[2]
        if part.startswith(MATHJAX_PARTS) and not (target / part).exists():
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target / part)


def drop_repeated_scripts(app, pagename, templatename, context, doctree) -> None:
    """Load each script once: two extensions of Jupyter Book each add the theme's own."""
    kept = {}
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        kept.setdefault((str(getattr(script, "filename", script)), body), script)
    context["script_files"] = list(kept.values())


def ask_the_registry(app: Sphinx, uri: str) -> str | None:
    """Ask the registry whether a DOI exists: publishers turn away programs that follow one."""
    doi = uri.removeprefix("https://doi.org/")
    return None if doi == uri else f"https://doi.org/api/handles/{doi}"


def setup(app: Sphinx) -> dict:
    # Jupyter Book sets this for sphinx_comments, which the book leaves out.
    app.add_config_value("comments_config", {}, "")
    app.connect("build-finished", copy_mathjax)
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("linkcheck-process-uri", ask_the_registry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
