"""What a run of the deep models gives: arms compared seed by seed, and larger runs stored as JSON.

The t interval: Student, "The probable error of a mean", Biometrika 6 (1908).
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy import stats

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, StrPath
from collapse_lib.checks import array, one_of

__all__ = [
    "Evolution",
    "Paired",
    "load_record",
    "mean_interval",
    "paired_difference",
    "save_record",
]

LEVEL = 0.95  # of every interval


@dataclass(frozen=True)
class Paired:
    """A difference over paired seeds.

    Attributes
    ----------
    mean, stderr, low, high : float
        Low and high are the ends of the 95 % t interval.
    wins, seeds : int
        Seeds with a positive difference; all seeds.
    p : float
        Two-sided p-value of no difference.
    """

    mean: float
    stderr: float
    low: float
    high: float
    wins: int
    seeds: int
    p: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def mean_interval(values: ArrayLike, *, axis: int = 0) -> tuple[FloatOrArray, FloatOrArray]:
    """Mean and half-width of its 95 % t interval over one axis.

    With three or four seeds a bootstrap interval covers far too seldom; the t interval
    assumes roughly normal means and is honest about how few seeds there are.

    Parameters
    ----------
    values : array_like, (…, seeds, …)
        At least two along ``axis``.
    axis : int

    Returns
    -------
    mean, half_width : float or ndarray
        Without that axis.

    Examples
    --------
    >>> mean, half = mean_interval([1.0, 2.0, 3.0])
    >>> round(float(mean), 2), round(float(half), 2)
    (2.0, 2.48)
    """
    values = np.asarray(values, dtype=float)
    count = values.shape[axis] if values.ndim else 0
    if count < 2:
        raise ValueError(f"values must be at least two seeds, got {count}")
    half = stats.t.ppf((1 + LEVEL) / 2, count - 1) * stats.sem(values, axis=axis)
    return values.mean(axis=axis), half


def paired_difference(a: ArrayLike, b: ArrayLike) -> Paired:
    """Compare two arms by the differences of their paired seeds.

    Parameters
    ----------
    a, b : array_like, (seeds,)
        At least two seeds.

    Returns
    -------
    Paired

    Examples
    --------
    >>> result = paired_difference([2.0, 3.0, 4.1], [1.0, 2.1, 3.0])
    >>> round(result.mean, 2), result.wins, result.excludes_zero
    (1.0, 3, True)
    """
    a, b = array("a", a, ndim=1), array("b", b, ndim=1)
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"a and b must be two seeds or more each, got {len(a)} and {len(b)}")
    difference = a - b
    test = stats.ttest_rel(a, b)
    low, high = test.confidence_interval(LEVEL)
    return Paired(
        mean=float(difference.mean()),
        stderr=float(stats.sem(difference)),
        low=float(low),
        high=float(high),
        wins=int((difference > 0).sum()),
        seeds=len(difference),
        p=float(test.pvalue),
    )


@dataclass(frozen=True)
class Evolution:
    """What every arm and seed did in every generation.

    Attributes
    ----------
    arms : tuple of str
        Names.
    metrics : dict of str to ndarray, (arms, seeds, generations, …)
    shown : ndarray, (arms, generations, …)
        What `Experiment.show` returned, of the first seed.
    seconds : dict of str to float
        Time spent to train, sample and measure, added over the shards.
    measured_on : dict of str to str
        Of a stored run: machine, date, versions, preset.
    """

    arms: tuple[str, ...]
    metrics: dict[str, Floats]
    shown: Floats
    seconds: dict[str, float]
    measured_on: dict[str, str] = field(default_factory=dict)

    @property
    def seeds(self) -> int:
        return next(iter(self.metrics.values())).shape[1]

    def of(self, metric: str, arm: str) -> Floats:
        """One metric of one arm, (seeds, generations, …)."""
        one_of("metric", metric, tuple(self.metrics))
        values: Floats = self.metrics[metric][self.arms.index(one_of("arm", arm, self.arms))]
        return values

    def paired(self, metric: str, arm: str, other: str, generation: int = -1) -> Paired:
        """The difference between two arms, seed by seed, in one generation."""
        return paired_difference(
            self.of(metric, arm)[:, generation], self.of(metric, other)[:, generation]
        )


def save_record(path: StrPath, evolution: Evolution, *, preset: str, device: str) -> None:
    """Write those metrics of a run that are one number per generation, as JSON.

    Parameters
    ----------
    path : path-like
    evolution : Evolution
    preset, device : str
        What it was run with.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> run = Evolution(("replace",), {"loss": np.ones((1, 2, 3))}, np.zeros(1), {})
    >>> with TemporaryDirectory() as folder:
    ...     save_record(folder + "/run.json", run, preset="cpu", device="cpu")
    ...     load_record(folder + "/run.json").of("loss", "replace").shape
    (2, 3)
    """
    import torch

    contents = {
        "measured_on": {
            "machine": platform.machine() if device == "cpu" else torch.cuda.get_device_name(0),
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "preset": preset,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "seconds": {name: round(value, 1) for name, value in evolution.seconds.items()},
        "arms": evolution.arms,
        "metrics": {
            name: np.round(values.astype(float), 6).tolist()
            for name, values in evolution.metrics.items()
            if values.ndim == 3
        },
    }
    Path(path).write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


def load_record(path: StrPath) -> Evolution | None:
    """Read a stored run, without what it showed; None if none is stored there.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Evolution or None

    Examples
    --------
    >>> print(load_record("no such file"))
    None
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        metrics = {name: np.array(values) for name, values in kept["metrics"].items()}
        arms, nothing = tuple(kept["arms"]), np.empty(0)
        return Evolution(arms, metrics, nothing, kept["seconds"], kept["measured_on"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(f"path must name a stored run, got {str(path)!r}, which is none") from None
