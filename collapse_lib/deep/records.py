"""Results of larger runs, kept beside the chapters with where and when they were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collapse_lib._types import Floats, StrPath

if TYPE_CHECKING:
    from collapse_lib.deep.evolve import Evolution
    from collapse_lib.deep.presets import Preset

import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

__all__ = ["Record", "load_record", "save_record"]


@dataclass(frozen=True)
class Record:
    """A stored run.

    Attributes
    ----------
    measured_on : dict of str to str
        Machine, date, versions, preset.
    seeds : int
    seconds : dict of str to float
    metrics : dict of str to dict of str to ndarray, (seeds, generations)
        By metric, then by arm.
    """

    measured_on: dict[str, str]
    seeds: int
    seconds: dict[str, float]
    metrics: dict[str, dict[str, Floats]]


def save_record(path: StrPath, evolution: Evolution, *, preset: Preset) -> None:
    """Write the one-number-a-generation metrics of an `Evolution` as JSON.

    Parameters
    ----------
    path : path-like
    evolution : Evolution
    preset : Preset

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(arms=("replace",), metrics={"loss": np.ones((1, 2, 3))}, seconds={})
    >>> with TemporaryDirectory() as folder:
    ...     save_record(folder + "/run.json", run, preset=SimpleNamespace(name="cpu", device="cpu"))
    ...     load_record(folder + "/run.json").metrics["loss"]["replace"].shape
    (2, 3)
    """
    import torch

    on_gpu = preset.device != "cpu"
    metrics = {
        name: {
            arm: np.round(values[i].astype(float), 6).tolist()
            for i, arm in enumerate(evolution.arms)
        }
        for name, values in evolution.metrics.items()
        if values.ndim == 3
    }
    contents = {
        "measured_on": {
            "machine": torch.cuda.get_device_name(0) if on_gpu else platform.machine(),
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "preset": preset.name,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "seeds": next(iter(evolution.metrics.values())).shape[1],
        "seconds": {name: round(value, 1) for name, value in evolution.seconds.items()},
        "metrics": metrics,
    }
    Path(path).write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


def load_record(path: StrPath) -> Record | None:
    """Read a stored run; None if none is stored there.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Record or None

    Raises
    ------
    ValueError
        If the file is not such a record.

    Examples
    --------
    >>> print(load_record("no such file"))
    None
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        metrics = {
            name: {arm: np.array(values) for arm, values in arms.items()}
            for name, arms in contents["metrics"].items()
        }
        return Record(contents["measured_on"], contents["seeds"], contents["seconds"], metrics)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(f"path must name a stored run, got {str(path)!r}, which is none") from None
