"""Write the address of the book's repository wherever it belongs, or take it back.

    python -m tools.repository https://host/owner/name
    python -m tools.repository ""

The address stands in the setup cell of every notebook, in ``_config.yml``, in ``CITATION.cff`` and
in ``README.md``. Taking it back restores every byte.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The first code cell of every notebook. In a hosted notebook it fetches the library alone:
# `--no-deps` leaves every package that is already there as it is.
SETUP_CELL = """\
REPOSITORY = ""  # `make repository URL=…` writes the address
try:
    import collapse_lib  # noqa: F401
except ModuleNotFoundError:
    if not REPOSITORY:
        raise ModuleNotFoundError(
            "This notebook needs the book's library: copy the book's repository here, "
            "run `%pip install --no-deps .` in its folder, then run this cell again."
        ) from None
    %pip install --quiet --no-deps git+{REPOSITORY}
""".rstrip()

ADDRESS = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[A-Za-z0-9_.~-]+){2,}")
# Where the two hosts whose repositories the theme can link to publish a repository's pages.
PAGES = {"github.com": "github.io", "gitlab.com": "gitlab.io"}
README_UNSET = (
    "The address of this repository is not set yet: `make repository URL=https://host/owner/name`\n"
    "writes it here, into the notebooks and into the book's pages."
)


def setup_cell(url: str = "") -> str:
    """Return the source of the setup cell for the repository at `url`."""
    return SETUP_CELL.replace('REPOSITORY = ""', f'REPOSITORY = "{url}"', 1)


def checked(url: str) -> str:
    """Return the address without a final ``/`` or ``.git``; say so if it is neither that nor empty."""
    url = url.strip().removesuffix("/").removesuffix(".git")
    if url and not ADDRESS.fullmatch(url):
        raise ValueError(f"URL must look like https://host/owner/name or be empty, got {url!r}")
    return url


def pages_address(url: str) -> str:
    """Return where the repository's host publishes the book, or the empty string if unknown."""
    host, _, path = url.removeprefix("https://").partition("/")
    if host not in PAGES:
        return ""
    owner, _, name = path.partition("/")
    home = f"{owner}.{PAGES[host]}".lower()
    return f"https://{home}/" if name.lower() == home else f"https://{home}/{name}/"


def fill(text: str, pattern: str, new: str) -> str:
    """Return the text with `new` between the two groups of a pattern that is found once."""
    text, found = re.subn(pattern, lambda at: at[1] + new + at[2], text, flags=re.MULTILINE)
    if found != 1:
        raise ValueError(f"want one place such as {pattern!r}, found {found}")
    return text


def config(text: str, url: str) -> str:
    """Return ``_config.yml`` with the lines marked ``[address]`` filled in."""
    host = url.removeprefix("https://").partition("/")[0]
    has_button = host in PAGES
    values = {
        "use_repository_button": has_button,
        "use_issues_button": has_button,
        "url": url if has_button else "",
        # Colab opens notebooks from GitHub only.
        "colab_url": "https://colab.research.google.com" if host == "github.com" else "",
        "binderhub_url": "https://mybinder.org" if has_button else "",
        "baseurl": pages_address(url),
    }
    for key, value in values.items():
        text = fill(text, rf"^( *{key}: ).*?( *# \[address\])$", json.dumps(value))
    return text


def citation(text: str, url: str) -> str:
    """Return ``CITATION.cff`` with the repository named, or with that line commented out."""
    line = f'repository-code: "{url}"' if url else "# repository-code: not set yet"
    return fill(text, r"^()(?:# )?repository-code: .*()$", line)


def readme(text: str, url: str) -> str:
    """Return ``README.md`` with the text between its two repository marks rewritten."""
    words = f"Repository: <{url}>" if url else README_UNSET
    return fill(text, r"(<!-- repository -->\n)(?s:.*?)(\n<!-- /repository -->)", words)


def notebook(text: str, url: str) -> str:
    """Return a notebook with the address in its setup cell."""
    return fill(text, r'^( *"REPOSITORY = \\").*?(\\"  # `make repository)', url)


def write_address(url: str, root: Path = ROOT) -> list[Path]:
    """Write the address everywhere under `root`; return the files that changed.

    Every file is prepared before the first is written: an error leaves the tree as it was.
    """
    url = checked(url)
    rewrites = {"_config.yml": config, "CITATION.cff": citation, "README.md": readme}
    rewrites |= dict.fromkeys(sorted((root / "chapters").glob("*.ipynb")), notebook)
    changes = {}
    for name, rewrite in rewrites.items():
        path = root / name
        old = path.read_text(encoding="utf-8")
        try:
            new = rewrite(old, url)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        if new != old:
            changes[path] = new
    for path, text in changes.items():
        path.write_text(text, encoding="utf-8")
    return list(changes)


if __name__ == "__main__":
    try:
        for changed in write_address(sys.argv[1]):
            print(f"{changed.relative_to(ROOT)}: written")
    except ValueError as error:
        sys.exit(f"make repository: {error}")
