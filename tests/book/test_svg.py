"""What is drawn is recorded where it is drawn."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collapse_lib.book._frames import Canvas


def corners(data):
    """The points of a path, in tenths of a point from the top left."""
    points, here, command = [], (0, 0), ""
    tokens = iter(re.findall(r"[Mlhvz]|-?\d+", data))
    for token in tokens:
        command, token = (token, next(tokens)) if token.isalpha() else (command, token)
        first = int(token)
        if command in "Ml":
            move = first, int(next(tokens))
        else:
            move = (first, 0) if command == "h" else (0, first)
        here = move if command == "M" else (here[0] + move[0], here[1] + move[1])
        points.append(here)
    return points


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=30))
def test_points_are_true_to_a_tenth_of_a_point(heights):
    def plot(ax, k):
        ax.plot(heights, "o", ls="none")
        ax.set(xlim=(-1, 30), ylim=(-3, 3))
        ax.set_position([0, 0, 1, 1])

    canvas = Canvas(plot, (10, 5), (1, 1))
    shape = [shape for shape in canvas.still({"k": 0}) if "marker-mid" in shape][-1]
    *seen, spare = corners(shape["d"])
    x, y = (np.array(seen) / 10 / [720, 360]).T
    assert spare == seen[-1]
    assert np.abs(31 * x - 1 - np.arange(len(heights))).max() < 0.005
    assert np.abs(3 - 6 * y - heights).max() < 0.005


def test_a_gap_in_a_line_stays_a_gap():
    def gap(ax, k):
        ax.plot([0, 1, np.nan, 3, 4], [0, k, 1, 2, 3], color="C0")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    moving = next(
        shape
        for shape, moves in Canvas(gap, (4, 3), (1, 1)).film([{"k": 1}, {"k": 2}], 0)[0]
        if moves
    )
    assert moving["d"].count("M") == 2
