"""Draw one figure for many values and find what changes.

:class:`Canvas` draws a figure once for each point of a grid, and compares the shapes that
:class:`collapse_lib.book._svg.Recorder` notes. The scales are drawn once only: they are the slow part,
and a scale that moves under a moving curve would hide what moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from collapse_lib.book._svg import UID, Group, Recorder, Shape
from collapse_lib.book.style import settings

Point = Mapping[str, Any]
"""The values of one frame by the names of their parameters."""

Limits = tuple[tuple[float, float], str]
"""Where an axis begins and ends, and its scale."""


class Frame(NamedTuple):
    """One drawing: the groups of shapes, the limits of the axes, the labels along them."""

    groups: list[Group]
    limits: dict[tuple[int, str], Limits]
    ticks: list[list[Any]]


class Canvas:
    """One figure, drawn again and again by ``draw(ax, **point)``.

    Examples
    --------
    >>> def draw(ax, n):
    ...     ax.plot([0, n], [0, 1])
    ...     ax.set(xlim=(0, 5), ylim=(0, 1))
    >>> shapes, moves = Canvas(draw, (4, 3), (1, 1)).film([{"n": 1}, {"n": 2}], 0)
    >>> [attribute for _, attribute, _ in moves]
    ['d']
    """

    def __init__(
        self,
        draw: Callable[..., object],
        figsize: tuple[float, float],
        subplots: tuple[int, int],
    ) -> None:
        self._draw, self._figsize, self._subplots = draw, figsize, subplots
        self.size = (72 * figsize[0], 72 * figsize[1])
        self._figure: Figure | None = None
        self._axes: Any = None  # one axes, or an array of them
        self._definitions: dict[str, int] = {}
        # The page shows every figure in one width, so the words are sized by the width here.
        size = 11.5 * figsize[0] / 5.6
        self._style = settings() | {
            "font.size": size,
            "axes.titlesize": size,
            "axes.labelsize": size,
            "xtick.labelsize": 0.95 * size,
            "ytick.labelsize": 0.95 * size,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "figure.constrained_layout.use": False,
            "path.simplify_threshold": 0.3,
        }

    def definitions(self) -> str:
        """Return the markup of what the latest shapes refer to: clip paths and markers."""
        return "".join(m.format(id=f"{UID}-{i}") for m, i in self._definitions.items())

    def still(self, point: Point) -> list[Shape]:
        """Return the shapes of one frame."""
        self._definitions = {}
        with matplotlib.style.context(["default", self._style]):
            groups = self._frame(point, scales=True).groups
        return [shape for group in groups for shape in group.shapes]

    def film(
        self, points: Sequence[Point], start: int
    ) -> tuple[list[tuple[Shape, bool]], list[list[Any]]]:
        """The shapes of the frame number ``start``, and what changes in the others.

        With each shape comes whether it changes. A change is ``[n, attribute, values]`` for the
        n-th of the shapes that do, with a value for each frame; or ``[n, attribute, values,
        which]`` as in :func:`distinct`.
        """
        self._definitions = {}
        with matplotlib.style.context(["default", self._style]):
            base = self._frame(points[start], scales=True)
            frames = [self._frame(point) for point in points]
            if any(frame.ticks != base.ticks for frame in frames):
                frames = [self._frame(point, scales=True) for point in points]
        _check(base, frames, points, start)
        columns = zip(*(frame.groups for frame in frames), strict=True)
        scales_change = len(frames[start].groups) == len(base.groups)
        shapes, changes, n = [], [], 0
        for group in base.groups:
            if group.in_scale and not scales_change:
                shapes += [(shape, False) for shape in group.shapes]
                continue
            for shape, tracks in _tracks([each.shapes for each in next(columns)], start):
                shapes.append((shape, bool(tracks)))
                changes += [[n, name, *distinct(values)] for name, values in tracks.items()]
                n += bool(tracks)
        if len(points) > 1 and not changes:
            raise ValueError(
                f"draw makes the same picture for all {len(points)} values: "
                "it must draw on the axes it is given, and use the parameters"
            )
        return shapes, changes

    def _frame(self, point: Point, scales: bool = False) -> Frame:
        figure = self._figure or self._lay_out(point)
        axes = np.ravel(self._axes)
        for ax in axes:
            ax.clear()
        self._paint(figure, point)
        scale = [each for ax in axes for each in (ax.xaxis, ax.yaxis)]
        shown = [each for each in scale if each.get_visible()]
        for each in shown:
            each.set_visible(scales)
        recorder = Recorder(*self.size, self._definitions)
        for text in (child for ax in axes for child in ax.get_children()):
            if isinstance(text, Text) and not text.get_text():
                text.set_text(" ")  # matplotlib leaves out an empty text: this keeps its place
        figure.draw(recorder)
        for each in shown:
            each.set_visible(True)
        return Frame(recorder.groups, _limits(axes), [_ticks(each) for each in shown])

    def _lay_out(self, point: Point) -> Figure:
        figure = Figure(figsize=self._figsize, dpi=72)
        self._axes = figure.subplots(*self._subplots)
        self._paint(figure, point)
        figure.set_layout_engine("constrained")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        self._figure = figure
        return figure

    def _paint(self, figure: Figure, point: Point) -> None:
        self._draw(self._axes, **point)
        if len(figure.axes) != np.size(self._axes):
            raise ValueError(
                f"draw adds axes of its own (twinx, inset, colour bar) at {words(point)}: "
                "draw on the axes it is given; subplots=(rows, columns) gives it several"
            )


def words(point: Point) -> str:
    """Write the values of a frame: ``n=10, t=5``."""
    return ", ".join(f"{name}={value}" for name, value in point.items())


def distinct(values: list[Any]) -> list[list[Any]]:
    """Store repeated values once: ``[values]``, or ``[distinct values, which of them]``.

    Examples
    --------
    >>> distinct(["a", "b"]), distinct(["a", "a", "b"])
    ([['a', 'b']], [['a', 'b'], [0, 0, 1]])
    """
    places = {value: i for i, value in enumerate(dict.fromkeys(values))}
    if len(places) == len(values):
        return [values]
    return [list(places), [places[value] for value in values]]


def _limits(axes: Iterable[Axes]) -> dict[tuple[int, str], Limits]:
    return {
        (number, side): (getattr(ax, f"get_{side}lim")(), getattr(ax, f"get_{side}scale")())
        for number, ax in enumerate(axes, 1)
        for side in "xy"
    }


def _ticks(axis: Axis) -> list[Any]:
    places = axis.get_majorticklocs()
    return [axis.get_label_text(), *places, *axis.get_major_formatter().format_ticks(list(places))]


def _check(base: Frame, frames: list[Frame], points: Sequence[Point], start: int) -> None:
    """Raise if the frames cannot be laid over each other."""
    for point, frame in zip(points, frames, strict=True):
        where = f"{words(points[start])} and {words(point)}"
        for (number, side), limits in base.limits.items():
            if frame.limits[number, side] != limits:
                low, high = limits[0]
                raise ValueError(
                    f"the {side} axis of axes {number} differs between {where}: "
                    f"{_interval(limits)}, then {_interval(frame.limits[number, side])}. "
                    f"Set it in draw, for example ax.set_{side}lim({low:.4g}, {high:.4g})"
                )
        difference = _difference(frames[start].groups, frame.groups)
        if difference:
            raise ValueError(
                f"draw makes other things at {where}: {difference}. Draw the same things in the "
                "same order in every frame; one with nothing to show can get empty data or NaN"
            )
    again = [group for group in base.groups if not group.in_scale]
    if again != [group for group in frames[start].groups if not group.in_scale]:
        raise ValueError(
            f"draw made two different pictures at {words(points[start])}: the same values must "
            "give the same picture, so give its random numbers a fixed seed"
        )


def _interval(limits: Limits) -> str:
    (low, high), scale = limits
    return f"{low:.4g} to {high:.4g} ({scale})"


def _difference(first: list[Group], other: list[Group]) -> str:
    kinds = [[group.name for group in groups] for groups in (first, other)]
    if kinds[0] == kinds[1]:
        return ""
    counts = [Counter(names) for names in kinds]
    unequal = [name for name in counts[0] | counts[1] if counts[0][name] != counts[1][name]]
    return ", ".join(f"{counts[0][n]} {n}, then {counts[1][n]}" for n in unequal) or "another order"


def _tracks(column: list[list[Shape]], start: int) -> Iterator[tuple[Shape, dict[str, list[Any]]]]:
    """For each shape of an artist: how it starts, and every attribute that changes."""
    for i in range(max(map(len, column))):
        drawn = [shapes[i] if i < len(shapes) else None for shapes in column]
        model = drawn[start] or next(filter(None, drawn))
        # A frame without this shape keeps its place, with no outline and no letters.
        absent = model | {key: "" for key in ("d", "inner") if key in model}
        full = [shape or absent for shape in drawn]
        if len({shape["tag"] for shape in full}) > 1:
            raise ValueError("draw makes other things in the same place: text, then a shape")
        names = dict.fromkeys(name for shape in full for name in shape)
        values = {name: [shape.get(name) for shape in full] for name in names}
        yield full[start], {name: v for name, v in values.items() if len(set(v)) > 1}
