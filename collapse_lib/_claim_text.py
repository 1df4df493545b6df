"""How a claim looks: its numbers as strings, a line of text, a row of a table in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collapse_lib.claims import Claim

import html
import math


def _digits(c: Claim) -> int:
    """Decimals that the standard error justifies: two significant digits of it."""
    return max(0, 1 - math.floor(math.log10(c.stderr)))


def values(c: Claim) -> tuple[str, ...]:
    """Theory, measurement, rival and the two z-scores as strings."""
    d = _digits(c)
    return (
        f"{c.theory:,.{d}f}",
        f"{c.measured:,.{d}f} ± {c.stderr:.{d}f}",
        _score(c.z),
        f"{c.rival.value:,.{d}f}" if c.rival.value else "0",
        _score(c.rival.z),
    )


SIGN = {"bound": "≤ ", "ordering": "> "}
RELATION = {"equality": "theory", "bound": "bound", "ordering": "more than", "exponent": "exponent"}


def _score(z: float) -> str:
    return f"{z:+.1f}" if abs(z) >= 0.05 else "0.0"


def numbers(c: Claim) -> str:
    theory, measured, z, rival, rival_z = values(c)
    return (
        f"{RELATION[c.kind]} {theory}  measured {measured}  z {z}  "
        f'rival "{c.rival.name}" {rival} rejected at z {rival_z}'
    )


def line(c: Claim) -> str:
    shown = f"⟦{numbers(c)}⟧" if c.varies else numbers(c)
    return f"✓ {c.result:<3} {c.id}: {c.statement}\n      {shown}"


HEADINGS = ("Theory", "Measured", "z", "Rival, rejected", "its z")


def table(claims: Sequence[Claim]) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in ("Claim", *HEADINGS))
    return (
        f'<table class="cl-claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(_row(c) for c in claims)}</tbody></table>"
    )


def _row(c: Claim) -> str:
    def number(text: str) -> str:
        return f'<span class="varies">{text}</span>' if c.varies else text

    theory, measured, z, rival, rival_z = values(c)
    cells = (
        number(html.escape(SIGN.get(c.kind, "") + theory)),
        number(measured),
        number(z),
        f"{html.escape(c.rival.name)}: {number(rival)}",
        number(rival_z),
    )
    # On a narrow page the book shows each cell on its own line, with its label.
    labelled = "".join(
        f'<td data-label="{heading}">{cell}</td>'
        for heading, cell in zip(HEADINGS, cells, strict=True)
    )
    title = f"<strong>{c.result}</strong> {html.escape(c.statement)}"
    return f'<tr id="claim-{c.id}"><th scope="row">{title}</th>{labelled}</tr>'
