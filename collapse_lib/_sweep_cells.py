"""The cells of a sweep, and what tells one from another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import joblib
import numpy as np

Cell = dict[str, Any]


def as_cells(
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
) -> tuple[list[Cell], dict[str, tuple[Any, ...]] | None]:
    """The cells as a list of dicts, and the axes of a grid."""
    if not isinstance(over, Mapping):
        try:
            cells = [dict(**cell) for cell in over]
        except TypeError:
            raise ValueError(f"over must hold a dict for each cell, got {over!r}") from None
        if not cells:
            raise ValueError("over must hold at least one cell, got none")
        return cells, None
    axes: dict[str, tuple[Any, ...]] = {}
    for name, values in over.items():
        if isinstance(values, (str, bytes, Mapping)) or not np.iterable(values):
            raise ValueError(f"over must give a sequence of values for {name!r}, got {values!r}")
        axes[name] = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
        if not axes[name]:
            raise ValueError(f"over must give at least one value for {name!r}, got none")
    return [dict(zip(axes, row, strict=True)) for row in itertools.product(*axes.values())], axes


def as_keys(cells: list[Cell]) -> list[str]:
    """Each cell as text, the same in every process and for every order of its names."""
    keys = [
        ", ".join(f"{name}={_text(name, cell[name])}" for name in sorted(cell)) for cell in cells
    ]
    seen: set[str] = set()
    for cell, key in zip(cells, keys, strict=True):
        if key in seen:
            raise ValueError(f"over must not hold the same cell twice, got {cell}")
        if "rng" in cell:
            raise ValueError("over must not name a parameter 'rng': the sweep makes it from seed")
        seen.add(key)
    return keys


def _text(name: str, value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(_text(name, item) for item in value) + ")"
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    try:
        return str(joblib.hash(value))
    except Exception as error:  # noqa: BLE001 (pickling may raise anything)
        raise ValueError(
            f"over must hold values that can be pickled, got {name}: {error}"
        ) from None
