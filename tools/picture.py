"""Draw the picture at the top of README.md: the front page's figure at four moments.

python -m tools.picture
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from collapse_lib import families, loop, style

PICTURE = Path(__file__).resolve().parents[1] / "assets" / "collapse.svg"
MOMENTS = (0, 10, 30, 100)


def main() -> None:
    style.use()
    x = np.linspace(-3.2, 3.2, 161)
    fig, axes = plt.subplots(2, len(MOMENTS), figsize=(8, 3), sharex=True, sharey=True)
    for row, policy in zip(axes, ("replace", "accumulate"), strict=True):
        run = loop.run(families.Gaussian("ml"), policy, truth=[0, 1], n=20, generations=100, rng=17)
        look = style.POLICY_STYLE[policy]
        for ax, generation in zip(row, MOMENTS, strict=True):
            mean, sd = run.params[0, generation]
            bell = np.exp(-(((x - mean) / sd) ** 2) / 2)
            ax.fill_between(x, 0, bell, color=look.color, alpha=0.35)
            ax.plot(x, bell, color=look.color)
            ax.plot(x, np.exp(-(x**2) / 2), color="black", lw=1, ls="--")
            ax.set(ylim=(0, 1.08), xticks=[], yticks=[])
        row[0].set_ylabel(look.label)
    for ax, generation in zip(axes[0], MOMENTS, strict=True):
        ax.set_title(f"generation {generation}")
    fig.savefig(PICTURE, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
