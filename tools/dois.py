"""Ask the registry of DOIs whether each one in references.bib exists.

    python -m tools.dois

Publishers often turn away programs that follow a DOI; the registry itself answers them.
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

BIBLIOGRAPHY = Path(__file__).resolve().parents[1] / "references.bib"
REGISTRY = "https://doi.org/api/handles/"
SECONDS = 30


def dois(bibliography: str) -> list[str]:
    """Return every DOI of a BibTeX file.

    >>> dois("doi = {10.1000/182},")
    ['10.1000/182']
    """
    return re.findall(r"^\s*doi\s*=\s*[{\"]([^}\"]+)[}\"]", bibliography, re.MULTILINE)


def fault(doi: str, registry: str = REGISTRY) -> str:
    """Return what is wrong with a DOI: the empty string where the registry knows it."""
    try:
        with urllib.request.urlopen(registry + urllib.parse.quote(doi), timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return "no such DOI" if error.code == 404 else f"the registry answers {error}"
    except OSError as error:
        return f"the registry cannot be reached: {error}"


def main() -> int:
    faults = {doi: fault(doi) for doi in dois(BIBLIOGRAPHY.read_text(encoding="utf-8"))}
    for doi, why in faults.items():
        print(f"{doi}: {why or 'known'}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
