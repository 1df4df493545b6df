"""A parameter sweep: one function at every cell of a grid, on this machine's cores or a cluster.

Every cell draws from a stream of its own, made from the seed and the cell's values alone.
"""

from __future__ import annotations

import inspect
import itertools
import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from collapse_lib._types import Array, StrPath
from collapse_lib.checks import one_of, whole_number

__all__ = ["sweep"]


@dataclass(frozen=True)
class Sweep:
    """What a function returned for each cell; of a grid, the last name runs fastest."""

    cells: list[dict[str, Any]]
    values: tuple[Any, ...]
    shape: tuple[int, ...]

    def array(self) -> Array:
        """Return the values as an array, the grid's axes (or the cells) first."""
        array = np.array(self.values)
        return array.reshape(*self.shape, *array.shape[1:])


def sweep(
    function: Callable[..., Any],
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    seed: int | None,
    backend: str = "loky",
    workers: int | None = None,
    cache: StrPath | None = None,
    progress: bool = True,
) -> Sweep:
    """Evaluate a function at every cell of a grid, or of a list.

    Parameters
    ----------
    function : callable
        Called as ``function(**cell, rng=generator)``, its linear algebra on one thread.
    over : dict of str to sequence, or iterable of dict
        A grid (every combination of the values) or the cells themselves, no two alike.
    seed : int or None
        With None the function draws nothing and is given no ``rng``.
    backend : {"loky", "threading", "sequential", "dask"}
        Processes or threads here, this process alone, or the newest ``distributed.Client``.
    workers : int, optional
        By default one per core; a Dask cluster brings its own.
    cache : path, optional
        A folder of `joblib.Memory`. A change to the function is noticed, to what it calls not.
    progress : bool

    Returns
    -------
    Sweep

    Raises
    ------
    RuntimeError
        If cells failed: names them, after the others are done.

    Examples
    --------
    >>> powers = {"base": [2, 3], "exp": [1, 2, 3]}
    >>> sweep(pow, powers, seed=None, backend="sequential", progress=False).array().tolist()
    [[2, 4, 8], [3, 9, 27]]
    """
    one_of("backend", backend, ("loky", "threading", "sequential", "dask"))
    number = -1 if workers is None else whole_number("workers", workers, minimum=1)
    seed = None if seed is None else whole_number("seed", seed)
    if isinstance(over, Mapping):
        axes = [list(values) for values in over.values()]
        cells = [dict(zip(over, row, strict=True)) for row in itertools.product(*axes)]
    else:
        cells = [dict(cell) for cell in over]
        axes = [cells]
    if not cells or len(set(map(_key, cells))) < len(cells):
        raise ValueError(f"over must give one or more cells, no two alike, got {over}")
    if cache is not None:
        if not inspect.isfunction(function) or function.__closure__:
            raise ValueError(f"with a cache, function must be a plain one, got {function!r}")
        function = joblib.Memory(cache, verbose=0).cache(function)
    with threadpool_limits(1):
        if backend == "dask":
            # joblib's own Dask backend waits for ever for a cell that the scheduler gave up.
            from distributed import get_client

            futures = get_client().map(partial(_evaluate, function, seed), cells, pure=False)
            results = (future.result() for future in futures)
        else:
            parallel = joblib.Parallel(number, backend=backend, return_as="generator")
            results = parallel(joblib.delayed(_evaluate)(function, seed, cell) for cell in cells)
        values, errors = zip(*tqdm(results, total=len(cells), disable=not progress), strict=True)
    if failed := [error for error in errors if error]:
        raise RuntimeError(f"{len(failed)} of {len(cells)} cells failed, one of them {failed[0]}")
    return Sweep(cells, values, tuple(map(len, axes)))


def _evaluate(function: Callable[..., Any], seed: int | None, cell: Any) -> tuple[Any, str]:
    """The value of a cell, or what went wrong."""
    stream = np.random.SeedSequence(seed, spawn_key=tuple(_key(cell).encode()))
    options = {} if seed is None else {"rng": np.random.default_rng(stream)}
    try:
        with threadpool_limits(1):
            return function(**cell, **options), ""
    except (Exception, SystemExit):  # noqa: BLE001 (any is the failure of this cell)
        return None, f"{cell}:\n{traceback.format_exc()}"


def _key(cell: Mapping[str, Any]) -> str:
    """The same text in every process, for every order of the names."""
    plain = {name: v.item() if isinstance(v, np.generic) else v for name, v in cell.items()}
    return json.dumps(plain, sort_keys=True, default=joblib.hash)
