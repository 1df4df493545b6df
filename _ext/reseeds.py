"""What the claims said with other seeds: a picture and words, made from `make reseed`'s record."""

import json
import math

import matplotlib
import numpy as np
from docutils import nodes
from parts import SAFE
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from collapse_lib.book import explore, style
from tools.notebooks import plural
from tools.reseed import RECORD

EDGES = np.linspace(-4.5, 4.5, 28)
ALL = "all"


def z_of_equalities(record: dict) -> np.ndarray:
    """Return z of each equality or exponent under each shift: (claims, shifts)."""
    kinds = ("equality", "exponent")
    return np.array([claim["z"] for claim in record["claims"].values() if claim["kind"] in kinds])


def summary(record: dict) -> dict[str, float]:
    """Return how often claims were run and failed, and how z is spread.

    ``pooled`` is the variance of the z that belongs to a claim's mean over all shifts: 1 where
    nothing but chance separates theory and measurement, more where a systematic error hides.
    """
    z = z_of_equalities(record)
    return {
        "shifts": len(record["shifts"]),
        "claims": len(record["claims"]),
        "failures": len(record["failures"]),
        "largest": np.abs(z).max(),
        "variance": np.mean(z**2),
        "pooled": np.mean(z.mean(axis=1) ** 2) * z.shape[1],
    }


class Reseeds(SphinxDirective):
    """``{reseeds}``: the sum of all runs in words, z beside its normal law, and what failed."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(RECORD))
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        found = summary(record)
        words = (
            f"The {found['claims']} claims of the chapters without networks were run again with "
            f"{found['shifts']} other sets of seeds, {found['claims'] * found['shifts']:,} in all. "
            f"{plural(found['failures'], 'run')} failed. "
            f"Of the equalities, the largest |z| was {found['largest']:.1f} and the mean of z² was "
            f"{found['variance']:.2f}. Pooled over the sets, which would show a small error that "
            f"is always there, it was {found['pooled']:.2f}. Chance alone gives 1."
        )
        failed = [f"Set {each['shift']}: {each['why']}" for each in record["failures"]]
        items = [nodes.list_item("", nodes.paragraph("", text)) for text in failed]
        picture = nodes.raw("", self._picture(z_of_equalities(record)), format="html")
        shown = [nodes.paragraph("", words), picture]
        return [*shown, nodes.bullet_list("", *items)] if items else shown

    def _picture(self, z: np.ndarray) -> str:
        def chosen(seeds: str) -> np.ndarray:
            return z if seeds == ALL else z[:, int(seeds) - 1]

        def draw(ax, seeds):
            x = np.linspace(-4.5, 4.5, 181)
            height, _ = np.histogram(chosen(seeds), EDGES, density=True)
            ax.stairs(height, EDGES, fill=True, color=style.PALETTE["sky"].line, alpha=0.5)
            style.theory(ax, x, np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
            ax.set(xlabel="z", ylabel="density", xlim=(-4.5, 4.5), ylim=(0, 0.55))

        def say(seeds):
            some = chosen(seeds)
            return (
                f"{some.size:,} values of z; {np.mean(np.abs(some) > 2):.1%} lie beyond 2, where "
                f"the normal law has 4.6%. Mean of z²: {np.mean(some**2):.2f}."
            )

        with matplotlib.rc_context(style.settings()):
            return explore(
                draw,
                say=say,
                alt="A histogram of z for all claims of equality, and the normal density over it.",
                labels={"seeds": "set of seeds"},
                seeds=[ALL, *(str(k + 1) for k in range(z.shape[1]))],
            ).html()


def setup(app: Sphinx) -> dict:
    app.add_directive("reseeds", Reseeds)
    return SAFE
