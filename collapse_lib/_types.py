"""The few types that signatures share, so that each stays short enough to read."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Array", "ArrayLike", "Bools", "FloatOrArray", "Floats", "Ints", "Rng", "StrPath"]

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating]]
Ints = np.ndarray[tuple[int, ...], np.dtype[np.integer]]
Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# What a formula returns that takes one number or an array of them.
FloatOrArray = np.floating | Floats

# Where randomness comes from: `checks.as_generator` makes a generator of it.
Rng = int | np.random.Generator | None

StrPath = str | os.PathLike[str]
