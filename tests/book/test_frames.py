"""A figure drawn for many values: what changes is found, and is all that is stored."""

import numpy as np

from collapse_lib.book._frames import Canvas
from collapse_lib.book._svg import UID
from tests.book.test_explorer import X, draw


def everything(ax, k):
    """One of each artist that a chapter may draw, all of them moving."""
    x = np.linspace(1, 2, 5)
    gap = np.where(np.arange(5) == k % 5, np.nan, x)
    ax.plot(x, gap, "o-", label=f"k = {k}")
    ax.fill_between(X, 0, X**2 * k / 9, color="C1", alpha=0.3)
    ax.scatter(x, x / (k + 1), c=["C0", "C1", "C2", "C3", "C4"], s=10 * (k + 1))
    ax.scatter(x[: k + 1], x[: k + 1], marker="s")
    ax.errorbar(x, x - k / 3, yerr=0.1 * (k + 1), fmt="s", capsize=2)
    ax.bar([1, 2, 3], [k, k / 2, 0], color=["C2" if k > 1 else "k", "w", "0.8"])
    ax.stairs([k, 2, k], fill=True, alpha=0.5)
    ax.axvline(k, ls="--")
    ax.hlines([0.5, k], 0, 1)
    ax.axhspan(0, k / 4, color="C5")
    ax.text(0.5, k / 2, f"<{k} & more>" if k else "", ha="center", rotation=30 * k)
    ax.annotate(f"$\\sigma_{{{k}}} = 1/(k + 2)^{{{k}}}$", (k, 1), (1, k), arrowprops={})
    ax.set_title("" if k == 2 else f"$n = {k}$ of $\\beta$")
    ax.set(xlim=(0, 4), ylim=(0, 4), xlabel=f"step {k}")
    ax.set_xticks([0, 1, 2], ["a", "b", f"c{k}"])
    ax.legend(loc="upper right")


def applied(shapes, changes, frame):
    """What the script on the page shows at a frame."""
    copies = [(dict(shape), moving) for shape, moving in shapes]
    moving = [shape for shape, moves in copies if moves]
    for n, attribute, values, *which in changes:
        value = values[which[0][frame] if which else frame]
        moving[n].pop(attribute, None)
        if value is not None:
            moving[n][attribute] = value
    return [shape for shape, _ in copies]


def resolved(shapes, canvas):
    """The shapes that show, with the markers and clip paths they refer to written out."""
    meaning = {f"url(#{UID}-{i})": markup for markup, i in canvas._definitions.items()}
    showing = [shape for shape in shapes if shape.get("d", shape.get("inner"))]
    return [{k: meaning.get(v, v) for k, v in shape.items()} for shape in showing]


def test_a_stored_frame_is_what_drawing_it_gives():
    points = [{"k": k} for k in range(4)]
    canvas = Canvas(everything, (5.6, 3.4), (1, 1))
    film = canvas.film(points, 1)
    stored_frames = [resolved(applied(*film, frame), canvas) for frame in range(4)]
    for point, frame in zip(points, stored_frames, strict=True):
        assert frame == resolved(canvas.still(point), canvas)


def test_only_what_changes_is_stored():
    shapes, changes = Canvas(draw, (5.6, 3.4), (1, 1)).film([{"n": 9, "t": t} for t in (1, 2)], 0)
    assert sorted(attribute for _, attribute, *_ in changes) == ["d", "inner"]  # curve and title
    assert sum(moving for _, moving in shapes) == 2


def test_ticks_may_move():
    def ticks(ax, k):
        ax.set(xlim=(0, 5), ylim=(0, 1), xticks=[k], xticklabels=["here"])

    _, changes = Canvas(ticks, (4, 3), (1, 1)).film([{"k": 1}, {"k": 2}], 0)
    assert sorted(name for _, name, *_ in changes) == ["d", "transform"]  # the tick and its label
