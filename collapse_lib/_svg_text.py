"""Formulas as SVG text in the page's own font, and where a text is held fast."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape

from matplotlib.font_manager import FontProperties, ttfFontProperty
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

from collapse_lib._svg_paths import tenths

__all__ = ["anchor", "formula"]


Bar = tuple[float, float, float, float]
"""Left, bottom, width and height of a rectangle."""

Glyph = tuple[float, float, float, float, str, str]
"""x, y, advance, size, style and character."""


@lru_cache(maxsize=256)
def formula(text: str, size: float, prop: FontProperties) -> tuple[str, list[Bar], bool]:
    """SVG markup of a formula, the bars of its fractions and roots, and whether it flows."""
    parsed = MathTextParser("path").parse(text, 72, prop)
    glyphs = []
    for font, glyph_size, code, *_, x, y in parsed.glyphs:  # _: one more field from 3.11 on
        font.set_size(glyph_size, 72)
        advance = font.load_char(code).linearHoriAdvance / 65536
        style = ttfFontProperty(font).style
        glyphs.append((x, y, advance, glyph_size, style, chr(code)))
    starts = [glyph[0] for glyph in glyphs]
    # A formula on one line flows in the page's own font; a stacked one is placed glyph by glyph.
    flows = not parsed.rects and starts == sorted(set(starts))
    return "".join(_spans(glyphs, size, flows)), parsed.rects, flows


def _spans(glyphs: list[Glyph], size: float, flows: bool) -> Iterator[str]:
    end = baseline = 0.0
    for x, y, advance, glyph_size, style, character in glyphs:
        gap = x - end
        if flows:
            place = f' dy="{tenths(baseline - y)}"' if abs(baseline - y) > 0.05 else ""
            if gap > 0.1 * size:
                character = ("\u2009" if gap < 0.25 * size else "\u00a0") + character
        else:
            place = f' x="{tenths(x)}" dy="{tenths(baseline - y)}"'
        if abs(glyph_size - size) > 0.05:
            place += f' font-size="{tenths(glyph_size)}"'
        if style != "normal":
            place += ' font-style="italic"'
        character = escape(character)
        yield f"<tspan{place}>{character}</tspan>" if place else character
        end, baseline = x + advance, y


def anchor(text: Text | None, angle: float) -> tuple[str, float]:
    """Which point of a text to hold fast when the page's font is not matplotlib's."""
    side = "center"
    if angle == 0 or (text is not None and text.get_rotation_mode() == "anchor"):
        side = "left" if text is None else text.get_horizontalalignment()
    elif angle in (90, 270) and text is not None:
        side = text.get_verticalalignment()
        if angle == 270:
            side = {"top": "bottom", "bottom": "top"}.get(side, side)
    anchors = {"left": ("start", 0), "bottom": ("start", 0), "baseline": ("start", 0)}
    anchors |= {"right": ("end", 1), "top": ("end", 1)}
    return anchors.get(side, ("middle", 0.5))
