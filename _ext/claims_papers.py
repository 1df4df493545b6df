"""Which paper a claim goes back to: read off the page *Paper by paper*, which links claims."""

import re

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"\{claim\}`(?:[^`<]*<)?([^`<>]+)>?`")
# The section that explains the page links a claim as an example.
NOT_A_PAPER = "How to read the tables"


def linked_claims(page: str) -> dict[str, set[str]]:
    """Return the ids of the claims that each section of the page links, by the section's name.

    A section is named up to its colon: ``## Suresh et al. 2024: how fast`` is *Suresh et al. 2024*.
    """
    _, *parts = SECTION.split(page)
    return {
        heading.partition(":")[0].replace("*", ""): set(LINK.findall(text))
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
        if heading != NOT_A_PAPER
    }


def papers_of(records: list[dict], page: str) -> dict[str, list[str]]:
    """Return the sections of *Paper by paper* that each claim belongs to, by the claim's id.

    Those are the sections that link the claim; of a claim that none links, those that link
    another claim of the same result in the same chapter.
    """
    sections = linked_claims(page)
    results: dict[tuple[str, str], set[str]] = {}
    for record in records:
        results.setdefault((record["chapter"], record["result"]), set()).add(record["id"])

    def sections_with(ids: set[str]) -> list[str]:
        return [name for name, linked in sections.items() if linked & ids]

    return {
        record["id"]: sections_with({record["id"]})
        or sections_with(results[record["chapter"], record["result"]])
        for record in records
    }
