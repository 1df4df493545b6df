"""Record a matplotlib figure as a short list of SVG shapes.

:class:`Recorder` is a matplotlib renderer that draws nothing. It notes what it is asked to draw,
one group of shapes an artist, so that two drawings of one figure can be compared shape by shape.
That is what :mod:`collapse_lib.book.explorer` needs and what matplotlib's own SVG files do not
offer.

Coordinates are whole tenths of a point, and paths are relative: ``M120 340l25-3 25-4``.
Black becomes ``currentColor`` and a palette colour a CSS variable, so the page's theme decides.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from io import BytesIO
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex, to_rgba
from matplotlib.font_manager import FontProperties, ttfFontProperty
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from numpy.typing import NDArray
from PIL import Image

from collapse_lib._types import ArrayLike, Floats, Ints
from collapse_lib.book.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.typing import ColorType

#: Stands for the figure's own id in every reference, until that id is known.
UID = "\ue000"

#: One shape: its SVG attributes, with ``tag`` and, where it has one, ``inner``.
Shape = dict[str, Any]


@dataclass
class Group:
    """The shapes that one artist drew: each a dict of SVG attributes, with ``tag``."""

    name: str
    in_scale: bool
    shapes: list[Shape] = field(default_factory=list)


def element(shape: Shape, extra: str = "") -> str:
    """The SVG markup of one shape."""
    tag, inner = shape["tag"], shape.get("inner")
    attributes = "".join(f' {k}="{v}"' for k, v in shape.items() if k not in ("tag", "inner"))
    opening = f"<{tag}{extra}{attributes}"
    return f"{opening}/>" if inner is None else f"{opening}>{inner}</{tag}>"


# Colours

RGBA = tuple[float, float, float, float]

_VARIABLES = {"--cl-paper": ("#ffffff", "#14181e")}
for _name, _colour in PALETTE.items():
    if _name != "ink":
        _VARIABLES[f"--cl-{_name}"] = (_colour.line, _colour.dark)
        _VARIABLES[f"--cl-{_name}-text"] = (_colour.text, _colour.dark)
_PAINT = {light: f"var({name},{light})" for name, (light, _) in reversed(_VARIABLES.items())}
_PAINT |= dict.fromkeys(["#000000", PALETTE["ink"].line], "currentColor")


def css_variables(markup: str) -> str:
    """The CSS that defines the colours `markup` uses, for light and for dark pages."""
    return ";".join(
        f"{name}:light-dark({light},{dark})"
        for name, (light, dark) in _VARIABLES.items()
        if f"var({name}," in markup
    )


def _paint(rgba: RGBA, opacity: float, kind: str) -> dict[str, str]:
    """Attributes for a fill or a stroke of this colour."""
    colour = to_hex(rgba)
    paint = _PAINT.get(colour, colour)
    if paint == colour and len({colour[1:3], colour[3:5], colour[5:7]}) == 1:
        # A grey is thinned black: on a dark page it becomes the grey that suits it.
        paint, opacity = "currentColor", opacity * (1 - rgba[0])
    attributes = {kind: paint}
    if opacity < 1:
        attributes[f"{kind}-opacity"] = f"{opacity:.2f}".rstrip("0").rstrip(".")
    return attributes


# Paths


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


# Words


@lru_cache(maxsize=256)
def formula(text: str, size: float, prop: FontProperties) -> str:
    """SVG markup of a formula on one line, which flows in the page's own font."""
    parsed = MathTextParser("path").parse(text, 72, prop)
    starts = [x for *_, x, _ in parsed.glyphs]
    if parsed.rects or starts != sorted(set(starts)):
        raise ValueError(f"explore cannot draw a formula that is not on one line, got {text}")
    spans, end, baseline = [], 0.0, 0.0
    for font, glyph_size, code, *_, x, y in parsed.glyphs:  # _: one more field from 3.11 on
        font.set_size(glyph_size, 72)
        place = f' dy="{tenths(baseline - y)}"' if abs(baseline - y) > 0.05 else ""
        if abs(glyph_size - size) > 0.05:
            place += f' font-size="{tenths(glyph_size)}"'
        if ttfFontProperty(font).style != "normal":
            place += ' font-style="italic"'
        gap = x - end
        space = "" if gap <= 0.1 * size else "\u2009" if gap < 0.25 * size else "\u00a0"
        letter = escape(space + chr(code))
        spans.append(f"<tspan{place}>{letter}</tspan>" if place else letter)
        end, baseline = x + font.load_char(code).linearHoriAdvance / 65536, y
    return "".join(spans)


def anchor(text: Text | None, angle: float) -> tuple[str, float]:
    """Which point of a text to hold fast when the page's font is not matplotlib's."""
    side = "center"
    if angle == 0 or (text is not None and text.get_rotation_mode() == "anchor"):
        side = "left" if text is None else text.get_horizontalalignment()
    elif angle == 90 and text is not None:
        side = text.get_verticalalignment()
    anchors = {"left": ("start", 0), "bottom": ("start", 0), "baseline": ("start", 0)}
    anchors |= {"right": ("end", 1), "top": ("end", 1)}
    return anchors.get(side, ("middle", 0.5))


# The renderer


def _png(image: NDArray[np.uint8]) -> str:
    """A data address of an image, its colours rounded to sixteen levels to be small."""
    levels = image // 16 * 17
    plain = (levels[..., :3] == levels[..., :1]).all() and (image[..., 3] == 255).all()
    file = BytesIO()
    Image.fromarray(levels[..., 0] if plain else levels).save(file, format="png", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode("ascii")


class Recorder(RendererBase):
    """A renderer that notes what a figure of this size, in points, draws.

    ``groups`` holds one group per artist, in drawing order; an artist with nothing to show leaves
    an empty one. ``definitions``, the markup of clip paths and markers with their numbers, may be
    shared between recorders.
    """

    def __init__(
        self, width: float, height: float, definitions: dict[str, int] | None = None
    ) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.groups: list[Group] = []
        self.definitions = {} if definitions is None else definitions
        self._in_scale = False

    # What matplotlib asks a renderer ----------------------------------------------------------

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def points_to_pixels(self, points: Any) -> Any:
        return points

    def open_group(self, s: str, gid: str | None = None) -> None:
        self._in_scale = self._in_scale or s.startswith("matplotlib.axis")
        self.groups.append(Group(s, self._in_scale))

    def close_group(self, s: str) -> None:
        if s.startswith("matplotlib.axis"):
            self._in_scale = False

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace: ColorType | None = None,
    ) -> None:
        style = self._style(gc, rgbFace)
        if not style:
            return
        margin = 20
        clip = (-margin, -margin, self.width + margin, self.height + margin)
        data = outline(path, transform, self.height, filled="fill" in style, clip=clip)
        shape = {"tag": "path", **style, **self._clip(gc), "d": data}
        last = self.groups[-1].shapes[-1] if self.groups[-1].shapes else {}
        alike = {**last, "d": ""} == {**shape, "d": ""}
        if alike and not style.keys() & {"fill", "stroke-opacity"}:
            last["d"] += data  # the strokes of one collection, such as error bars: one path
        else:
            self.groups[-1].shapes.append(shape)

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: ColorType | None = None,
    ) -> None:
        points = trans.transform(path.vertices)
        if len(points) == 1 and not points.any():  # how matplotlib draws a filled curve
            return self.draw_path(gc, marker_path, marker_trans, rgbFace)
        style = self._style(gc, rgbFace)
        if not style:
            return None
        drawn = outline(marker_path, marker_trans, 0, filled=True)
        marker = self._define(
            '<marker id="{id}" markerUnits="userSpaceOnUse" overflow="visible">'
            + element({"tag": "path", **style, "d": drawn})
            + "</marker>"
        )
        inside = (np.abs(points) < 1e4).all(axis=1)  # neither gaps nor points far outside
        # Markers stand at the first and at every inner vertex. The path ends on a spare one, so
        # that a single point is no exception.
        data = path_data(Path(points[inside]), self.height) + "h0" if inside.any() else ""
        shape = {"tag": "path", "marker-start": marker, "marker-mid": marker}
        self.groups[-1].shapes.append({**shape, **self._clip(gc), "d": data})
        return None

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: bool | Literal["TeX"] = False,
        mtext: Text | None = None,
    ) -> None:
        if not s.strip():
            return
        size = prop.get_size_in_points()
        width = self.get_text_width_height_descent(s, prop, ismath)[0]
        inner = formula(s, size, prop) if ismath else escape(s)
        side, share = anchor(mtext, angle)
        x += share * width * cos(radians(angle))
        y -= share * width * sin(radians(angle))
        rgba = gc.get_rgb()
        shape = {
            "tag": "text",
            **_paint(rgba, gc.get_alpha() if gc.get_forced_alpha() else rgba[3], "fill"),
            "font-size": tenths(size),
        }
        if "monospace" in prop.get_family():
            shape["font-family"] = "monospace"
        place = f"translate({tenths(x)} {tenths(y)})"
        if angle:
            place += f"rotate({-angle:g})"
        if side != "start":
            shape["text-anchor"] = side
        self.groups[-1].shapes.append({**shape, "transform": place, "inner": inner})

    def option_scale_image(self) -> bool:
        return True  # the page scales it

    def option_image_nocomposite(self) -> bool:
        return True

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: ArrayLike,
        transform: Transform | None = None,
    ) -> None:
        if transform is None:
            raise ValueError('explore draws images (imshow) with interpolation="none" only')
        image = np.asarray(im)
        height, width = image.shape[:2]
        page = Affine2D().translate(x, y).scale(10, -10).translate(0, 10 * self.height)
        place = Affine2D().scale(1 / width, 1 / height) + transform + page
        matrix = " ".join(f"{value:.6g}" for value in Affine2D(place.get_matrix()).to_values())
        shape = {"tag": "image", "width": width, "height": height}
        shape |= {"transform": f"matrix({matrix})", "style": "image-rendering:pixelated"}
        self.groups[-1].shapes.append({**shape, "href": _png(image)})

    # How it is noted ---------------------------------------------------------------------------

    def _define(self, markup: str) -> str:
        index = self.definitions.setdefault(markup, len(self.definitions))
        return f"url(#{UID}-{index})"

    def _style(self, gc: GraphicsContextBase, face: ColorType | None) -> Shape:
        if gc.get_hatch() is not None:
            raise ValueError("explore cannot draw hatches: use colours or labels instead")
        style: Shape = {}
        alpha = gc.get_alpha() if gc.get_forced_alpha() else None
        if face is not None:
            fill = to_rgba(face)
            opacity = fill[3] if alpha is None else alpha
            if opacity > 0:
                style |= _paint(fill, opacity, "fill")
        rgba = gc.get_rgb()
        opacity = rgba[3] if alpha is None else alpha
        if gc.get_linewidth() > 0 and opacity > 0:
            style |= _paint(rgba, opacity, "stroke")
            style["stroke-width"] = tenths(gc.get_linewidth())
            offset, dashes = gc.get_dashes()
            if dashes is not None:
                style["stroke-dasharray"] = packed(map(tenths, np.ravel(dashes)))
                if offset:
                    style["stroke-dashoffset"] = tenths(offset)
            if gc.get_joinstyle() != "round":
                style["stroke-linejoin"] = gc.get_joinstyle()
            if gc.get_capstyle() != "butt":
                style["stroke-linecap"] = gc.get_capstyle().replace("projecting", "square")
        return style

    def _clip(self, gc: GraphicsContextBase) -> Shape:
        rectangle = gc.get_clip_rectangle()
        path, transform = gc.get_clip_path()
        if path is not None and transform is not None:
            # matplotlib's stub names the wrong class: what it gives is a Path.
            data = outline(path, transform, self.height, filled=True)  # type: ignore[arg-type]
        elif rectangle is not None:
            to_page = Affine2D().scale(*rectangle.size).translate(*rectangle.p0)
            data = outline(Path.unit_rectangle(), to_page, self.height, filled=True)
        else:
            return {}
        clip = self._define(f'<clipPath id="{{id}}"><path d="{data}"/></clipPath>')
        return {"clip-path": clip}
