"""One interactive figure for three readers.

:func:`explore` takes a function that draws on matplotlib axes and the values its parameters may
take, and gives a notebook cell three outputs at once:

* for the book, and wherever no Python is running, an SVG with native sliders that shows a
  stored frame for every combination of values;
* for a live notebook, widgets that call the function again, between the stored values too;
* for everything else, a sentence.

Only what changes from frame to frame is stored: the path of a curve that moves, the text that
counts the generations. What changes is found by comparing the frames.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import product
from math import isfinite, prod
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from collapse_lib.book._frames import Canvas, Point, distinct, words
from collapse_lib.book._svg import UID, Shape, css_variables, element

__all__ = ["Explorer", "explore"]

Value = float | str

if TYPE_CHECKING:
    from ipywidgets import DOMWidget, VBox

MAX_FRAMES = 2000
# A choice among so few numbers, or words, is a row of buttons, not a slider.
FEW, FEW_WORDS = 4, 7
# A last parameter of such a name is time, which can be played.
TIME = ("generation", "rounds", "turn", "year", "rewritings", "fit")
# A parameter of this name counts repetitions of one experiment: a button asks for another.
RUN = "run"


def explore(
    draw: Callable[..., object],
    *,
    alt: str,
    say: Callable[..., str],
    start: Mapping[str, Value] | None = None,
    labels: Mapping[str, str] | None = None,
    figsize: tuple[float, float] = (5.6, 3.4),
    subplots: tuple[int, int] = (1, 1),
    **grid: Sequence[Value],
) -> Explorer:
    """Make an interactive figure of a function that draws.

    Parameters
    ----------
    draw : callable
        ``draw(ax, n=…, t=…)`` draws one frame with plain matplotlib calls, always the same ones
        in the same order, and sets the axis limits, which stay the same in every frame. It must
        give the same picture each time it is given the same values.
    alt : str
        What the figure shows, for those who do not see it.
    say : callable
        ``say(n=…, t=…)`` returns the sentence under the figure: what this frame shows, in
        numbers.
    start : dict, optional
        The value each parameter starts at; by default the first of its values.
    labels : dict, optional
        What each slider is called; by default the parameter's name.
    figsize : tuple of float
        Width and height. The page sets the true width: only the shape matters.
    subplots : tuple of int
        Rows and columns. With more than one, ``draw`` gets the array of axes that
        ``plt.subplots`` would give.
    **grid : list
        The values of each parameter: numbers or strings, in the order of the slider.

    Returns
    -------
    Explorer

    Examples
    --------
    >>> def draw(ax, n):
    ...     ax.plot([0, 1], [0, n])
    ...     ax.set(xlim=(0, 1), ylim=(0, 3))
    >>> def say(n):
    ...     return f"The slope is {n}."
    >>> explore(draw, alt="A line through the origin.", say=say, n=[1, 2, 3], start={"n": 2})
    [interactive figure] A line through the origin. — The slope is 2.
    """
    if not alt.strip():
        raise ValueError(f"alt={alt!r} is empty: say in words what the figure shows")
    if not grid:
        raise ValueError("explore needs a parameter to vary, such as n=[10, 20, 50]")
    values = {name: _values(name, given) for name, given in grid.items()}
    count = prod(map(len, values.values()))
    if count > MAX_FRAMES:
        sizes = " × ".join(f"{name}: {len(v)}" for name, v in values.items())
        raise ValueError(f"{count} frames ({sizes}); at most {MAX_FRAMES} are allowed")
    for argument, given in [("start", start or {}), ("labels", labels or {})]:
        for name in given:
            if name not in values:
                known = ", ".join(values)
                raise ValueError(f"{argument} names {name!r}; the parameters are {known}")
    for name, value in (start or {}).items():
        if value not in values[name]:
            allowed = ", ".join(map(_text, values[name]))
            raise ValueError(f"start: {name}={value!r} is not on the grid {allowed}")
    first = {name: each[0] for name, each in values.items()} | dict(start or {})
    names = {name: name for name in values} | dict(labels or {})
    return Explorer(Canvas(draw, figsize, subplots), alt.strip(), say, first, names, values)


@dataclass(repr=False, eq=False)
class Explorer:
    """An interactive figure, made by :func:`explore`.

    Attributes
    ----------
    canvas : Canvas
    alt : str
    say : callable
    start, labels, grid : dict
        By parameter: the first value, the slider's name, all values.
    """

    canvas: Canvas
    alt: str
    say: Callable[..., str]
    start: dict[str, Value]
    labels: dict[str, str]
    grid: dict[str, list[Any]]

    def html(self) -> str:
        """The figure as HTML that needs no Python, no other file and no other host."""
        names = list(self.grid)
        points = [dict(zip(names, v, strict=True)) for v in product(*self.grid.values())]
        shapes, changes = self.canvas.film(points, points.index(self.start))
        sentences = [self._sentence(point) for point in points]
        self._try_between()
        data = {
            "grid": [[_text(value) for value in values] for values in self.grid.values()],
            "changes": changes,
            "say": distinct(sentences),
        }
        body = (
            self._picture(shapes)
            + f'<div class="cl-ctl" hidden>{"".join(map(self._control, names))}'
            + self._buttons(names[-1])
            + "</div>"
            + _foot(self._sentence(self.start), max(sentences, key=len))
            + f'<script type="application/json">{_json(data)}</script>'
            + "<script>(() => {\n"
            + _asset("explore.js")
            + "\n})();</script>"
        )
        return self._page(body)

    def _page(self, body: str) -> str:
        """Wrap the figure; its id, which links hold, stays while what it shows is the same."""
        uid = "cl" + sha256("|".join([self.alt, *self.grid]).encode()).hexdigest()[:10]
        colours = css_variables(body)
        css = _asset("explore.css") + (
            f"\n@supports (color:light-dark(red,red)){{.cl-explorer{{{colours}}}}}"
        )
        return (
            f'<div class="cl-explorer" id="{uid}"><style>{css}</style>'
            f"{body.replace(UID, uid)}</div><!-- /cl-explorer -->"
        )

    def _try_between(self) -> None:
        """Draw at one live value off the grid for each slider: readers of a notebook will."""
        for name, values in self.grid.items():
            kind, between = _between(values)
            choices = between if kind == "choose" else [min(values) + between]
            for value in [_clean(v) for v in choices if v not in values][:1]:
                point = self.start | {name: value}
                try:
                    self.canvas.still(point)
                    self._sentence(point)
                except Exception as error:
                    raise ValueError(
                        f"a live slider offers {words(point)}, between the stored values, "
                        f"and draw or say fails there: {error!r}"
                    ) from error

    def _picture(self, shapes: Iterable[tuple[Shape, bool]]) -> str:
        svg = "".join(element(shape, ' class="cl-m"' * changes) for shape, changes in shapes)
        width, height = self.canvas.size
        return (
            f'<svg viewBox="0 0 {10 * width:g} {10 * height:g}" role="img" fill="none"'
            f' stroke-linejoin="round" aria-label="{escape(self.alt)}">'
            f"<defs>{self.canvas.definitions()}</defs>{svg}</svg>"
        )

    def _control(self, name: str) -> str:
        """A row with a parameter's name, what chooses its value, and the value in words."""
        values, start = self.grid[name], self.grid[name].index(self.start[name])
        if name == RUN:
            kind, chooser = "cl-run", '<button type="button" class="cl-next">New run</button>'
        elif self._is_choice(name):
            kind, chooser = "cl-choice", self._choices(name, start)
        else:
            kind, chooser = "cl-slider", self._slider(name, start)
        digits = max(len(_text(each)) for each in values)
        group = f' role="radiogroup" aria-labelledby="{UID}-{name}-name"' * (kind == "cl-choice")
        return (
            f'<div class="cl-row {kind}" data-name="{name}" data-start="{start}"{group}>'
            f'<span id="{UID}-{name}-name">{escape(self.labels[name])}</span>{chooser}'
            f'<output style="--cl-digits:{digits}ch">{escape(_text(values[start]))}</output></div>'
        )

    def _is_choice(self, name: str) -> bool:
        values = self.grid[name]
        words = any(isinstance(value, str) for value in values)
        return len(values) <= (FEW_WORDS if words else FEW)

    def _choices(self, name: str, start: int) -> str:
        return (
            '<span class="cl-choices">'
            + "".join(
                f'<label><input type="radio" name="{UID}-{name}" value="{index}" autocomplete="off"'
                f"{' checked' * (index == start)}><span>{escape(_text(value))}</span></label>"
                for index, value in enumerate(self.grid[name])
            )
            + "</span>"
        )

    def _slider(self, name: str, start: int) -> str:
        values = self.grid[name]
        return (
            f'<input type="range" min="0" max="{len(values) - 1}" step="1" value="{start}"'
            f' aria-labelledby="{UID}-{name}-name" aria-valuetext="{escape(_text(values[start]))}"'
            f' autocomplete="off">'
        )

    def _buttons(self, last: str) -> str:
        play = '<button type="button" class="cl-play" hidden>Play</button>' * self._is_time(last)
        return f'<div class="cl-buttons">{play}<button type="button" class="cl-reset">Reset</button></div>'

    def _is_time(self, name: str) -> bool:
        """Whether a parameter is time: the last one, so named, with more than a few values."""
        return name == list(self.grid)[-1] and name in TIME and not self._is_choice(name)

    def _sentence(self, point: Point) -> str:
        sentence = self.say(**point)
        if not isinstance(sentence, str) or not sentence.strip():
            raise ValueError(f"say returned {sentence!r} at {words(point)}: it must be a sentence")
        return " ".join(sentence.split())

    def widget(self) -> VBox:
        """Live controls that draw again, between grid values too: picture, sliders, sentence."""
        import ipywidgets as widgets

        controls = {name: self._live_control(widgets, name) for name in self.grid}
        picture, sentence = widgets.HTML(), widgets.HTML()

        def show(change: object = None) -> None:
            point = {name: _clean(control.value) for name, control in controls.items()}
            shapes = [(shape, False) for shape in self.canvas.still(point)]
            picture.value = self._page(self._picture(shapes))
            sentence.value = f'<p aria-live="polite">{escape(self._sentence(point))}</p>'

        def reset(button: object) -> None:
            for name, control in controls.items():
                control.value = self.start[name]

        show()
        for control in controls.values():
            control.observe(show, "value")
        again = widgets.Button(description="Reset")
        again.on_click(reset)
        buttons = [again]
        if self._is_time(last := list(self.grid)[-1]):
            time = controls[last]
            which = "index" if hasattr(time, "options") else "value"
            low, high = (0, len(time.options) - 1) if which == "index" else (time.min, time.max)
            play = widgets.Play(min=low, max=high, interval=700)
            widgets.link((play, "value"), (time, which))
            buttons.insert(0, play)
        return widgets.VBox([picture, *controls.values(), widgets.HBox(buttons), sentence])

    def _live_control(self, widgets: ModuleType, name: str) -> DOMWidget:
        values, value = self.grid[name], self.start[name]
        look = {
            "description": self.labels[name],
            "style": {"description_width": "initial"},
            "layout": widgets.Layout(width="100%", max_width="36rem"),
        }
        if self._is_choice(name) and any(isinstance(each, str) for each in values):
            return widgets.ToggleButtons(
                options=[(str(each), each) for each in values], value=value, **look
            )
        kind, between = _between(values)
        if kind == "choose":
            options = [(_text(each), each) for each in between]
            return widgets.SelectionSlider(options=options, value=value, **look)
        low, high = min(values), max(values)
        make = widgets.IntSlider if kind == "int" else widgets.FloatSlider
        return make(value=value, min=low, max=high, step=between, **look)

    def __repr__(self) -> str:
        return f"[interactive figure] {self.alt} — {self._sentence(self.start)}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self.html()}
        try:
            self._shown = self.widget()
        except ImportError:
            return bundle
        view = {"version_major": 2, "version_minor": 0, "model_id": self._shown.model_id}
        return bundle | {"application/vnd.jupyter.widget-view+json": view}


def _values(name: str, values: Sequence[Value]) -> list[Any]:
    """The values of one parameter as a checked list of Python numbers or strings."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise ValueError(f"{name}={values!r} is not a list of values, such as [10, 20, 50]")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    if not values:
        raise ValueError(f"{name}=[] is empty: give it at least one value")
    for value in values:
        if not isinstance(value, str) and not (isinstance(value, (int, float)) and isfinite(value)):
            raise ValueError(f"{name} holds {value!r}: only finite numbers and strings can be used")
    if len(set(values)) < len(values):
        raise ValueError(f"{name}={values} holds a value twice")
    return values


def _text(value: Value) -> str:
    return f"{value:.4g}".replace("-", "−") if isinstance(value, float) else str(value)


def _between(values: list[Any]) -> tuple[str, Any]:
    """Which live slider suits the values: its kind, and its step or its choices."""
    kinds = {type(value) for value in values}
    if len(values) == 1 or not kinds <= {int, float}:
        return "choose", values
    whole = kinds == {int}
    if _geometric(values):
        even = np.geomspace(min(filter(None, values)), max(values), 60)
        fine = [round(x) if whole else float(f"{x:.3g}") for x in even]
        inside = {x for x in fine if min(values) <= x <= max(values)}
        return "choose", sorted(inside | set(values))
    if whole:
        return "int", 1
    return "float", float(f"{np.diff(sorted(values)).min() / 10:.3g}")


def _geometric(values: list[float]) -> bool:
    """Whether the values, zero apart, grow by a factor rather than by a step."""
    positive = np.array(sorted(value for value in values if value > 0), dtype=float)
    if min(values) < 0 or len(positive) < 3 or positive[-1] < 10 * positive[0]:
        return False
    steps, factors = np.diff(positive), np.diff(np.log(positive))
    return bool(factors.max() / factors.min() < steps.max() / steps.min())


def _clean(value: Value) -> Value:
    """A slider's value without the rounding noise of its steps."""
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _json(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")  # nothing in it can end the script element


def _foot(sentence: str, longest: str) -> str:
    # The longest sentence, unseen, holds the place: nothing below jumps as the text changes.
    return (
        f'<div class="cl-foot" data-longest="{escape(longest)}" data-start="{escape(sentence)}">'
        f'<p class="cl-say" aria-live="polite">{escape(sentence)}</p></div>'
    )


def _asset(name: str) -> str:
    lines = files("collapse_lib.book").joinpath(name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if not line.strip().startswith("//"))
