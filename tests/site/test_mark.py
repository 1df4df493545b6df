"""The logo and the favicon are what tools/mark.py draws."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from math import exp
from pathlib import Path

import pytest

from tools import mark

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.mark.parametrize("name", mark.DRAWINGS)
def test_the_file_is_what_the_code_draws(name):
    drawn = mark.DRAWINGS[name]()
    ET.fromstring(drawn)
    assert (ASSETS / name).read_text(encoding="utf-8") == drawn, "`python -m tools.mark` redraws it"


def test_a_bell_is_a_bell():
    """Its six cubics stay within half a hundredth of its height of the curve itself."""
    bell = mark.Bell(centre=0, width=100, height=1000)
    start, *cubics = re.findall(r"[MC]([^MCVZ]+)", bell.path(0))
    x0, y0 = -300, -bell.height * exp(-4.5)
    for cubic in cubics:
        x1, y1, x2, y2, x3, y3 = map(float, cubic.split())
        middle_x, middle_y = (x0 + 3 * (x1 + x2) + x3) / 8, (y0 + 3 * (y1 + y2) + y3) / 8
        exact = -bell.height * exp(-((middle_x / bell.width) ** 2) / 2)
        assert middle_y == pytest.approx(exact, abs=5)
        x0, y0 = x3, y3
    assert (x0, start) == (300, "-300 0")


def test_each_generation_is_narrower_and_higher():
    bells = mark.generations(4, width=8, height=30)
    for older, newer in pairwise(bells):
        assert newer.width == pytest.approx(mark.SHRINK * older.width)
        assert newer.height > older.height
    assert (bells[0].width, bells[-1].height) == (8, 30)
