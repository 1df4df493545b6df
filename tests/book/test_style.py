"""The figure style: colours that can be seen and told apart, helpers, reproducible pictures."""

import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from collapse_lib.book import style
from collapse_lib.book.style import PALETTE, POLICY_STYLE

# Machado, Oliveira and Fernandes (2009): how a colour looks without one kind of cone.
VISION = {
    "typical": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.052]],
    "deuteranopia": [[0.3673, 0.8606, -0.228], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    dark, light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("name", PALETTE)
def test_contrast(name):
    line, text, dark = PALETTE[name]
    assert contrast(line, "#ffffff") >= 3
    assert contrast(text, "#ffffff") >= 4.5
    assert contrast(dark, "#202020") >= 4.5


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("form", ["line", "dark"])
def test_policies_can_be_told_apart(vision, form):
    names = [n for n in PALETTE if any(p.color == PALETTE[n].line for p in POLICY_STYLE.values())]
    seen = {n: lab(VISION[vision] @ linear(getattr(PALETTE[n], form))) for n in names}
    nearest = min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(names, 2))
    assert nearest > 10  # 2 to 3 is a difference one can just see


def test_each_policy_has_its_own_look():
    assert len({p.color for p in POLICY_STYLE.values()}) == len(POLICY_STYLE) == 7
    assert len({p.marker for p in POLICY_STYLE.values()}) == 7
    assert len({p.label for p in POLICY_STYLE.values()}) == 7


def test_measured_draws_two_standard_errors():
    ax = Figure().add_subplot()
    drawn = style.measured(ax, [0, 1], [1.0, 2.0], [0.1, 0.2], policy="accumulate")
    bars = [segment[:, 1] for segment in drawn[2][0].get_segments()]
    assert np.allclose(bars, [[0.8, 1.2], [1.6, 2.4]])
    assert drawn[0].get_marker() == POLICY_STYLE["accumulate"].marker


def test_measured_without_errors_draws_points():
    ax = Figure().add_subplot()
    assert not style.measured(ax, [0], [1]).has_yerr


def test_short_names_of_matplotlib_override_the_style():
    ax = Figure().add_subplot()
    assert style.theory(ax, [0, 1], [0, 1], lw=3, c="C1").get_linewidth() == 3
    assert style.direct_label(ax, 0, 0, "here", va="top").get_verticalalignment() == "top"
    assert style.band(ax, [0, 1], [0, 0], [1, 1], policy="replace", lw=2).get_linewidth() == [2]


def test_unknown_policy_names_the_known_ones():
    with pytest.raises(ValueError, match="policy='keep' is not one of replace, accumulate"):
        style.measured(Figure().add_subplot(), [0], [0], policy="keep")


@pytest.mark.parametrize(
    "value, label",
    [(0.001, "0.001"), (1, "1"), (10000, "10000"), (1e-5, "$10^{-5}$"), (1e6, "$10^{6}$")],
)
def test_log_ticks(value, label):
    ax = Figure().add_subplot(xscale="log", yscale="log")
    assert len(style.log_ticks(ax)) == 2
    assert ax.xaxis.get_major_formatter()(value) == label
    assert style.log_ticks(Figure().add_subplot()) == []
    with pytest.raises(ValueError, match="axis='z' is not one of x, y, both"):
        style.log_ticks(ax, "z")


def test_settings_are_valid():
    with matplotlib.rc_context(style.settings()):
        assert matplotlib.rcParams["figure.facecolor"] == "white"


NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import matplotlib
matplotlib.use("module://matplotlib_inline.backend_inline")
from collapse_lib.book import style
style.use()
from matplotlib import pyplot as plt
fig, ax = plt.subplots()
style.measured(ax, [1, 2], [1, 2], [.1, .1], policy="replace")
ax.set(xlabel="generation $t$", title="σ²")
print(shell.display_formatter.format(fig)[0]["image/svg+xml"])
"""


def test_two_runs_store_the_same_picture():
    first, second = (
        subprocess.run([sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert first.stdout == second.stdout
    assert "<svg" in first.stdout and "<text" not in first.stdout
    assert "dc:date" not in first.stdout and "Matplotlib v" not in first.stdout
