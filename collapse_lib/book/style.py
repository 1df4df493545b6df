"""The figure style of the book: one palette, one look for theory and for measurement.

Call :func:`use` once at the top of a notebook. Then a figure is plain matplotlib, with a few
helpers for what every chapter draws: a thin dark line for theory (:func:`theory`), points with
two standard errors for measurement (:func:`measured`), a shaded band (:func:`band`), a label at
the curve instead of a legend (:func:`direct_label`).

A training policy keeps its colour and its marker through the whole book::

    measured(ax, t, mean, stderr, policy="replace")

The hues are those of Okabe and Ito [1]_. Their orange, sky blue and yellow are too pale to be
seen as a thin line on white, so sky blue is darkened, and violet and brown, which stay apart
from the others for every kind of colour vision, take the places of orange and yellow.

References
----------
.. [1] M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cbook import normalize_kwargs
from matplotlib.collections import Collection, PolyCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, NullFormatter

from collapse_lib._types import ArrayLike

__all__ = [
    "PALETTE",
    "POLICY_STYLE",
    "band",
    "direct_label",
    "log_ticks",
    "measured",
    "settings",
    "text_colour",
    "theory",
    "use",
]


class Colour(NamedTuple):
    """One colour of the palette, in the three forms it is needed in.

    Attributes
    ----------
    line : str
        For lines, markers and fills: contrast with white at least 3:1.
    text : str
        The same hue for words: contrast with white at least 4.5:1.
    dark : str
        For both on a dark page: contrast with ``#202020`` at least 4.5:1.

    Examples
    --------
    >>> PALETTE["vermillion"].line
    '#d55e00'
    """

    line: str
    text: str
    dark: str


#: The palette by name. Lines cycle through it in this order, ``ink`` and ``grey`` left out.
PALETTE = MappingProxyType(
    {
        "blue": Colour("#0072b2", "#0068a3", "#4aa8f5"),
        "vermillion": Colour("#d55e00", "#b34f00", "#ff8a4c"),
        "green": Colour("#009e73", "#007a59", "#2fc79a"),
        "purple": Colour("#cc79a7", "#a8497d", "#f2a6cf"),
        "sky": Colour("#3d9bd8", "#1f74ab", "#a8dcff"),
        "violet": Colour("#6438c0", "#5a30b0", "#a870ff"),
        "brown": Colour("#703808", "#703808", "#c79a6b"),
        "ink": Colour("#1a1a1a", "#1a1a1a", "#ececec"),
        "grey": Colour("#767676", "#5f5f5f", "#a6a6a6"),
    }
)


@dataclass(frozen=True)
class PolicyStyle:
    """How one training policy looks in every figure.

    Attributes
    ----------
    color : str
        Colour of its line and markers.
    marker : str
        Its matplotlib marker, so that colour is never the only cue.
    label : str
        Its name in words, for labels.
    text_color : str
        The darker colour for words.
    """

    color: str
    marker: str
    label: str
    text_color: str


def _policy(colour: str, marker: str, label: str) -> PolicyStyle:
    return PolicyStyle(PALETTE[colour].line, marker, label, PALETTE[colour].text)


#: Colour, marker and label of each training policy, by the policy's name.
POLICY_STYLE = MappingProxyType(
    {
        "replace": _policy("vermillion", "o", "replace"),
        "accumulate": _policy("blue", "s", "accumulate"),
        "accumulate-subsample": _policy("green", "^", "accumulate, subsample"),
        "partly-real": _policy("purple", "D", "partly real"),
        "fresh-real": _policy("sky", "v", "fresh real data"),
        "last-k": _policy("violet", "P", "last K generations"),
        "random-past": _policy("brown", "X", "a random past generation"),
    }
)

# Neither the time nor the library version belongs in a stored picture.
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def settings() -> dict[str, Any]:
    """Return the style as matplotlib settings, for ``matplotlib.rc_context``.

    Returns
    -------
    dict

    Examples
    --------
    >>> settings()["font.size"]
    10.5
    """
    rc = matplotlib.rc_params_from_file(
        Path(__file__).with_name("collapse.mplstyle"), use_default_template=False
    )
    lines = [colour.line for name, colour in PALETTE.items() if name not in ("ink", "grey")]
    return {**dict(rc.items()), "axes.prop_cycle": cycler(color=lines)}


def use() -> None:
    """Install the style: matplotlib settings and, in a notebook, reproducible SVG figures.

    Run it once, before the first figure. Two runs of the same code then store byte-identical
    pictures. Outside IPython only the matplotlib settings change.

    Examples
    --------
    >>> use()
    >>> import matplotlib
    >>> matplotlib.rcParams["svg.fonttype"]
    'path'
    """
    # Its keys are settings of matplotlib, which its types list one by one.
    matplotlib.rcParams.update(settings())  # type: ignore[arg-type]
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", metadata=_NO_METADATA)


def text_colour(colour: str) -> str:
    """Return the darker variant of a palette colour, for words on white.

    Parameters
    ----------
    colour : str
        A name in `PALETTE`, the ``line`` value of one of its colours, or any other matplotlib
        colour, which comes back as it is.

    Returns
    -------
    str

    Examples
    --------
    >>> text_colour("green"), text_colour("#d55e00"), text_colour("0.3")
    ('#007a59', '#b34f00', '0.3')
    """
    if colour in PALETTE:
        return PALETTE[colour].text
    for entry in PALETTE.values():
        if colour == entry.line:
            return entry.text
    return colour


def _policy_style(policy: str) -> PolicyStyle:
    if policy not in POLICY_STYLE:
        raise ValueError(f"policy={policy!r} is not one of {', '.join(POLICY_STYLE)}")
    return POLICY_STYLE[policy]


def theory(ax: Axes, x: ArrayLike, y: ArrayLike, **kwargs: Any) -> Line2D:
    """Draw a prediction: a thin dark line, over the measurements.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : array_like, (points,)
        The curve.
    **kwargs
        Of ``ax.plot``; they override the style.

    Returns
    -------
    matplotlib.lines.Line2D

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> theory(ax, [0, 1, 2], [1, 0.9, 0.81]).get_linewidth()
    1.2
    """
    style = {"color": PALETTE["ink"].line, "linewidth": 1.2, "zorder": 3}
    (line,) = ax.plot(x, y, **_override(style, kwargs, Line2D))
    return line


def measured(
    ax: Axes,
    x: ArrayLike,
    mean: ArrayLike,
    stderr: ArrayLike | None = None,
    *,
    policy: str | None = None,
    **kwargs: Any,
) -> ErrorbarContainer:
    """Draw measurements: points with bars of two standard errors each way.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, mean : array_like, (points,)
        Where, and what was measured.
    stderr : array_like, (points,), optional
        One standard error of each mean; without it, points alone.
    policy : str, optional
        A training policy, which sets colour and marker.
    **kwargs
        Passed to ``ax.errorbar``; they override the style.

    Returns
    -------
    matplotlib.container.ErrorbarContainer

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> points = measured(ax, [0, 1], [1.0, 0.9], [0.02, 0.03], policy="replace")
    >>> points[0].get_color()
    '#d55e00'
    """
    style = {"linestyle": "none", "marker": "o", "elinewidth": 1.2, "zorder": 2.5}
    if policy is not None:
        look = _policy_style(policy)
        style |= {"color": look.color, "marker": look.marker}
    bars = None if stderr is None else 2 * np.asarray(stderr)
    return ax.errorbar(x, mean, yerr=bars, **_override(style, kwargs, Line2D))


def band(
    ax: Axes,
    x: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    policy: str | None = None,
    **kwargs: Any,
) -> PolyCollection:
    """Shade the region between two curves.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, low, high : array_like, (points,)
        The two edges of the band.
    policy : str, optional
        A training policy, which sets the colour.
    **kwargs
        Passed to ``ax.fill_between``; they override the style.

    Returns
    -------
    matplotlib.collections.PolyCollection

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> band(ax, [0, 1], [0.8, 0.7], [1.2, 1.3]).get_alpha()
    0.2
    """
    colour = PALETTE["blue"].line if policy is None else _policy_style(policy).color
    style = {"color": colour, "alpha": 0.2, "linewidth": 0, "zorder": 1}
    return ax.fill_between(x, low, high, **_override(style, kwargs, Collection))


def direct_label(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    policy: str | None = None,
    color: str | None = None,
    **kwargs: Any,
) -> Text:
    """Write a label at a curve, in the curve's colour darkened to be read.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : float
        Where the text starts, in data coordinates.
    text : str
    policy : str, optional
        A training policy, which sets the colour.
    color : str, optional
        A palette name or a matplotlib colour.
    **kwargs
        Passed to ``ax.text``; they override the style.

    Returns
    -------
    matplotlib.text.Text

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> direct_label(ax, 1, 0.5, "replace", policy="replace").get_color()
    '#b34f00'
    """
    if color is None:
        color = PALETTE["ink"].line if policy is None else _policy_style(policy).color
    style = {"color": text_colour(color), "verticalalignment": "center", "zorder": 4}
    return ax.text(x, y, text, **_override(style, kwargs, Text))


def log_ticks(ax: Axes, axis: str = "both") -> list[Axis]:
    """Label a log axis with plain numbers (0.01, 1, 100) while they are short.

    Below 0.001 and above 10 000 the labels are powers of ten.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    axis : {"x", "y", "both"}

    Returns
    -------
    list of matplotlib.axis.Axis
        The axes that were changed: those with a log scale.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot(xscale="log")
    >>> [axis.axis_name for axis in log_ticks(ax)]
    ['x']
    """
    if axis not in ("x", "y", "both"):
        raise ValueError(f"axis={axis!r} is not one of x, y, both")
    chosen = [ax.xaxis, ax.yaxis] if axis == "both" else [getattr(ax, f"{axis}axis")]
    changed = [each for each in chosen if each.get_scale() == "log"]
    for each in changed:
        each.set_major_formatter(FuncFormatter(_plain_number))
        each.set_minor_formatter(NullFormatter())
    return changed


def _plain_number(value: float, position: int | None = None) -> str:
    if 0.001 <= value <= 10_000:
        return f"{value:g}"
    exponent = round(log10(value))
    return f"$10^{{{exponent}}}$"


def _override(
    style: dict[str, Any], kwargs: dict[str, Any], artist: type[Artist]
) -> dict[str, Any]:
    # So that an author's ``lw`` or ``va`` replaces ours instead of clashing with it.
    return {**style, **normalize_kwargs(kwargs, artist)}
