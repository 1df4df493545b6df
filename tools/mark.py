"""Draw the book's mark: bell curves that narrow and rise, the last one a spike.

python -m tools.mark
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from pathlib import Path
from typing import NamedTuple

from collapse_lib.book.style import PALETTE

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SHRINK = 0.58  # the width of a bell over that of the bell before it
# These three are plain to see on white and on a dark page.
BELL, SPIKE, GROUND = PALETTE["sky"].line, PALETTE["vermillion"].line, PALETTE["grey"].line


class Bell(NamedTuple):
    """A bell curve: its centre, its standard deviation and its height, in pixels."""

    centre: float
    width: float
    height: float

    def path(self, ground: float) -> str:
        """Return the curve as an SVG path, closed along the ground, out to three widths.

        Six cubics, one a standard deviation, each with the curve's own slope at its ends.
        """
        knots = range(-3, 4)
        points = [(self.centre + u * self.width, ground - self._rise(u)) for u in knots]
        lifts = [u * self._rise(u) / 3 for u in knots]
        reach = self.width / 3
        cubics = (
            f"C{_number(x0 + reach)} {_number(y0 + lift0)} "
            f"{_number(x1 - reach)} {_number(y1 - lift1)} {_number(x1)} {_number(y1)}"
            for (x0, y0), (x1, y1), lift0, lift1 in zip(
                points, points[1:], lifts, lifts[1:], strict=False
            )
        )
        return f"M{_number(points[0][0])} {_number(ground)}{''.join(cubics)}V{_number(ground)}Z"

    def _rise(self, u: float) -> float:
        return self.height * exp(-u * u / 2)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def generations(count: int, width: float, height: float) -> list[Bell]:
    """Return bells at 0, each narrower by `SHRINK`; the first has `width`, the last `height`."""
    return [
        Bell(0, width * SHRINK**age, height * SHRINK ** ((count - 1 - age) / 2))
        for age in range(count)
    ]


def side_by_side(bells: Iterable[Bell], left: float) -> list[Bell]:
    """Return the bells in a row from `left`, where the skirts of two neighbours overlap."""
    placed: list[Bell] = []
    for bell in bells:
        centre = (
            left + 3 * bell.width
            if not placed
            else placed[-1].centre + 2.3 * (placed[-1].width + bell.width)
        )
        placed.append(bell._replace(centre=centre))
    return placed


def _drawing(bells: list[Bell], ground: float, fade: float) -> str:
    """Return the bells as paths; the oldest is paler than the spike by `fade`."""
    last = len(bells) - 1
    return "\n".join(
        f'  <path d="{bell.path(ground)}" fill="{SPIKE if age == last else BELL}"'
        f' fill-opacity="{_number(1 - fade * (1 - age / last))}"/>'
        for age, bell in enumerate(bells)
    )


def logo() -> str:
    """Return the SVG of the mark: four generations side by side."""
    bells = side_by_side(generations(4, width=8.3, height=34), left=2)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 40" role="img"'
        ' aria-label="A bell curve that narrows from generation to generation">\n'
        f"{_drawing(bells, ground=36, fade=0.5)}\n"
        f'  <path d="M2 36.5h92" stroke="{GROUND}" stroke-width="1.5"/>\n'
        "</svg>\n"
    )


def favicon() -> str:
    """Return the SVG of the small mark, two bells only: sixteen pixels hold no more."""
    first, _, last = generations(3, width=6, height=28)
    bells = [bell._replace(centre=16) for bell in (first, last)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">\n'
        f"{_drawing(bells, ground=30, fade=0)}\n"
        "</svg>\n"
    )


DRAWINGS = {"logo.svg": logo, "favicon.svg": favicon}


def main() -> None:
    for name, draw in DRAWINGS.items():
        (ASSETS / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
