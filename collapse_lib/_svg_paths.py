"""The data of SVG paths: whole tenths of a point, relative, as short as they can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Transform

from collapse_lib._types import Floats, Ints

__all__ = ["outline", "packed", "path_data", "tenths"]


def tenths(value: float) -> int:
    return round(10 * float(value))


def packed(values: Iterable[int]) -> str:
    """Join whole numbers as tightly as SVG allows: ``12-3 4``."""
    return " ".join(map(str, values)).replace(" -", "-")


def _line_to(dx: int, dy: int) -> tuple[str, tuple[int, ...]]:
    if dy == 0:
        return "h", (dx,)
    if dx == 0:
        return "v", (dy,)
    return "l", (dx, dy)


def _arrays(path: Path) -> tuple[Floats, Ints | None]:
    return np.asarray(path.vertices), None if path.codes is None else np.asarray(path.codes)


def path_data(path: Path, height: float) -> str:
    """Return the SVG data of a cleaned matplotlib path, whose y axis points up from `height`.

    Examples
    --------
    >>> path_data(Path([(0, 0), (5, 1), (5, 3)]), 10)
    'M0 100l50-10v-20'
    """
    vertices, codes = _arrays(path)
    points = np.rint(10 * vertices * (1, -1) + (0, 10 * height)).astype(int).tolist()
    if codes is None:
        codes = np.array([Path.MOVETO] + [Path.LINETO] * len(points))
    data, last = [], ""
    here = start = (0, 0)
    i = 0
    numbers: Sequence[int]
    while i < len(points) and codes[i] != Path.STOP:
        code, point = codes[i], tuple(points[i])
        i += 1
        if code == Path.MOVETO:
            command, numbers = "M", point
            start = point
        elif code == Path.CLOSEPOLY:
            command, numbers, point = "z", (), start
        elif code == Path.LINETO:
            if point == here and last:
                continue
            command, numbers = _line_to(point[0] - here[0], point[1] - here[1])
        else:  # A curve: its control points come first, all relative to where it starts.
            size = 2 if code == Path.CURVE3 else 3
            block = points[i - 1 : i - 1 + size]
            i += size - 1
            command, point = "_qc"[size - 1], tuple(block[-1])
            numbers = [c - h for p in block for c, h in zip(p, here, strict=True)]
        joined = packed(numbers)
        if command == last and command in "lqc":
            data.append(joined if joined[0] == "-" else " " + joined)
        else:
            data.append(command + joined)
        last, here = command, point
    return "".join(data)


def outline(
    path: Path,
    transform: Transform,
    height: float,
    *,
    filled: bool,
    clip: tuple[float, float, float, float] | None = None,
) -> str:
    vertices, codes = _arrays(path)
    # matplotlib simplifies open lines only: a single closed polygon is opened and closed again.
    closed = bool(
        codes is not None and codes[-1] == Path.CLOSEPOLY and (codes[1:-1] == Path.LINETO).all()
    )
    if closed:
        path = Path(vertices[:-1])
    straight = bool(closed or codes is None or (codes <= Path.LINETO).all())
    cleaned = path.cleaned(
        transform,
        remove_nans=True,
        clip=clip if straight and not filled and not closed else None,
        simplify=straight and len(vertices) > 8,
        curves=True,
    )
    return path_data(cleaned, height) + ("z" if closed else "")
