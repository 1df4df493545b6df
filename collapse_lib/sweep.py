"""A parameter sweep: one function, many cells of parameters, on one core or a cluster.

Every cell draws from a random stream of its own, made from the seed and from the cell's
parameters. Its result therefore depends neither on the number of workers, nor on the order
in which they finish, nor on which other cells the sweep holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from collapse_lib._sweep_cache import memory
from collapse_lib._sweep_cells import Cell, as_cells, as_keys
from collapse_lib._sweep_workers import Outcome, runner
from collapse_lib._types import StrPath
from collapse_lib.checks import whole_number

__all__ = ["Failure", "SweepFailed", "SweepResult", "sweep"]


class SweepFailed(RuntimeError):
    """Some cells of a sweep failed, and all values were asked for."""


@dataclass(frozen=True)
class Failure:
    """A cell without a result.

    Attributes
    ----------
    number : int
        Its place among the cells.
    cell : dict
        Its parameters.
    error : str
        What was raised, or how the cell was lost.
    traceback : str
        Where, as Python prints it; empty if the worker died.
    """

    number: int
    cell: Cell
    error: str
    traceback: str


@dataclass(frozen=True)
class SweepResult:
    """What a sweep gives.

    Attributes
    ----------
    cells : tuple of dict
        The parameters, in the order asked for; of a grid, the last name runs fastest.
    results : tuple
        What the function returned for each cell; None where it failed.
    failures : tuple of Failure
    axes : dict of str to tuple, or None
        The values along each axis of a grid; None for a list of cells.
    """

    cells: tuple[Cell, ...]
    results: tuple[Any, ...]
    failures: tuple[Failure, ...]
    axes: dict[str, tuple[Any, ...]] | None

    @property
    def values(self) -> tuple[Any, ...]:
        """The results, all of them; `SweepFailed` if a cell has none."""
        if self.failures:
            some = "; ".join(f"{lost.cell}: {lost.error}" for lost in self.failures[:3])
            raise SweepFailed(
                f"{len(self.failures)} of {len(self.cells)} cells failed (see `failures`): {some}"
            )
        return self.results

    def array(self, field: str | None = None, *, failed: float | None = None) -> NDArray[Any]:
        """Return the results as an array, the grid's axes (or the cells) first.

        Parameters
        ----------
        field : str, optional
            Take this key or attribute of every result, rather than the result itself.
        failed : optional
            Fill the place of a failed cell with this number, rather than raise `SweepFailed`.
        """
        lost = {failure.number for failure in self.failures}
        everything = failed is None or len(lost) == len(self.cells)
        results = self.values if everything else self.results
        taken = {i: _field(value, field) for i, value in enumerate(results) if i not in lost}
        blank = np.full(np.shape(next(iter(taken.values()))), failed)
        array = np.array([taken.get(i, blank) for i in range(len(results))])
        lengths = map(len, self.axes.values()) if self.axes else [len(self.cells)]
        return array.reshape(*lengths, *array.shape[1:])


def sweep(
    function: Callable[..., Any],
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    seed: int | None,
    backend: str = "loky",
    workers: int | None = None,
    cache: StrPath | None = None,
    progress: bool = True,
) -> SweepResult:
    """Evaluate a function at every cell of a grid, or of a list.

    Parameters
    ----------
    function : callable
        Called as ``function(**cell, rng=generator)``.
    over : dict of str to sequence, or iterable of dict
        A grid (every combination of the values) or the cells themselves, no two alike:
        name a parameter ``replicate`` to run one setting several times.
    seed : int or None
        With None the function draws nothing and is given no ``rng``.
    backend : str
        Any of joblib's (``"loky"``: processes on this machine), or ``"dask"``: the cluster of
        the newest ``distributed.Client``.
    workers : int, optional
        By default one a core. A single one is this process itself, which then shares the fate
        of a cell that kills its process. A Dask cluster brings its own.
    cache : path, optional
        A folder that keeps each result as soon as it is there. The same sweep, started again,
        computes only what is missing; failed cells are tried again. A result is found again
        by the seed, the cell, and the function's name, source, defaults and closure; delete
        the folder after a change to what the function calls.
    progress : bool
        Show a progress bar.

    Returns
    -------
    SweepResult
        A cell that raises is among its ``failures`` and does not stop the others.

    Raises
    ------
    ValueError
        If an argument is out of range.
    ModuleNotFoundError
        If ``backend`` is ``"dask"`` and there is no ``distributed``.

    Notes
    -----
    When a worker dies, the cells that were with the workers run again: together the first
    time, each alone the second. A cell that is lost three times, alone at the last, is a
    failure; no other is. On a Dask cluster the scheduler itself gives the cells of a dead
    worker to others. One that it gives up (``distributed.scheduler.allowed-failures``, by
    default after four deaths) runs once more, alone.
    A multiprocessing pool, unlike loky, waits for ever for a dead worker.

    A cell does its linear algebra on one thread everywhere, so that sums are taken in the
    same order everywhere.

    Examples
    --------
    >>> def spread(n, scale, *, rng):
    ...     return scale * rng.normal(size=n).std()
    >>> grid = {"n": [10, 1000], "scale": [1, 2, 3]}
    >>> result = sweep(spread, grid, seed=1, workers=1, progress=False)
    >>> result.array().shape
    (2, 3)
    >>> result.cells[1]
    {'n': 10, 'scale': 2}
    """
    if not callable(function):
        raise ValueError(f"function must be callable, got {function!r}")  # noqa: TRY004
    seed = None if seed is None else whole_number("seed", seed)
    cells, axes = as_cells(over)
    keys = as_keys(cells)
    run, in_company = runner(backend, workers)
    kept = memory(cache, function, seed)
    outcomes = {i: found for i, key in enumerate(keys) if (found := kept.find(key))}
    losses = dict.fromkeys(range(len(cells)), 0)
    bar = tqdm(total=len(cells), initial=len(outcomes), disable=not progress)
    with bar, threadpool_limits(1):
        while pending := [i for i in losses if i not in outcomes]:
            batch = [i for i in pending if losses[i] < in_company] or pending[:1]
            started: set[int] = set()
            why: list[str] = []
            jobs = ((i, function, cells[i], seed, keys[i]) for i in _noted(batch, started))
            for i, outcome in run(jobs, why):
                if outcome.error is None:
                    kept.keep(keys[i], outcome)
                outcomes[i] = outcome
                bar.update()
            for i in started.difference(outcomes):
                losses[i] += 1
                if losses[i] > in_company:
                    outcomes[i] = Outcome(error=f"lost {losses[i]} times: {why[-1]}")
                    bar.update()
    failures = [
        Failure(i, cell, error, outcomes[i].traceback)
        for i, cell in enumerate(cells)
        if (error := outcomes[i].error) is not None
    ]
    results = tuple(outcomes[i].value for i in range(len(cells)))
    return SweepResult(tuple(cells), results, tuple(failures), axes)


def _noted(numbers: list[int], started: set[int]) -> Iterator[int]:
    """Pass the numbers on, and note which were taken: these are with the workers."""
    for i in numbers:
        started.add(i)
        yield i


def _field(result: Any, field: str | None) -> Any:
    if field is None:
        return result
    return result[field] if isinstance(result, Mapping) else getattr(result, field)
