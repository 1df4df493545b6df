"""Draw the front page's figure at four moments: for README.md, and for those who link to the book.

python -m tools.picture
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from collapse_lib import families, loop
from collapse_lib.book import style

ASSETS = Path(__file__).resolve().parents[1] / "assets"
MOMENTS = (0, 10, 30, 100)


def draw(axes: np.ndarray[tuple[int, int], Axes]) -> None:
    """Draw two loops, a row each, at every moment, a column each."""
    page = np.linspace(-3.2, 3.2, 161)
    for row, policy in zip(axes, ("replace", "accumulate"), strict=True):
        run = loop.run(families.Gaussian("ml"), policy, truth=[0, 1], n=20, generations=100, rng=17)
        look = style.POLICY_STYLE[policy]
        for ax, generation in zip(row, MOMENTS, strict=True):
            mean, sd = run.params[0, generation]
            # More points where the model is: a spike falls between those of the page.
            x = np.sort(np.append(page, mean + sd * np.linspace(-3, 3, 41)))
            bell = np.exp(-(((x - mean) / sd) ** 2) / 2)
            ax.fill_between(x, 0, bell, color=look.color, alpha=0.35)
            ax.plot(x, bell, color=look.color)
            ax.plot(page, np.exp(-(page**2) / 2), color="black", lw=1, ls="--")
            ax.set(ylim=(0, 1.08), xticks=[], yticks=[])
        row[0].set_ylabel(look.label)
    for ax, generation in zip(axes[0], MOMENTS, strict=True):
        ax.set_title(f"generation {generation}")


if __name__ == "__main__":
    style.use()
    fig, axes = plt.subplots(2, len(MOMENTS), figsize=(8, 3), sharex=True, sharey=True)
    draw(axes)
    fig.savefig(ASSETS / "collapse.svg", metadata={"Date": None, "Creator": None})
    # The picture that a link to the book is shown with, 1200 × 630 pixels.
    plt.rcParams.update({"font.size": 17, "axes.titlesize": 17, "axes.labelsize": 17})
    fig, axes = plt.subplots(2, len(MOMENTS), figsize=(12, 6.3), sharex=True, sharey=True)
    draw(axes)
    fig.suptitle("Model Collapse from First Principles", fontsize=30)
    fig.set_facecolor("white")
    fig.savefig(ASSETS / "card.png", dpi=100, bbox_inches=None, metadata={"Software": None})
