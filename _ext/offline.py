"""Serve every script and font from the book itself: a page asks no other host for anything."""

from sphinx.application import Sphinx


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
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("linkcheck-process-uri", ask_the_registry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
