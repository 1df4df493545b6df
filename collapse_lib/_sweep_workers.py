"""Where the cells of a sweep are computed: in this process, in others, or on a cluster."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client
import functools
import hashlib
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cloudpickle
import joblib
import numpy as np
from joblib.parallel import BACKENDS
from threadpoolctl import threadpool_limits

from collapse_lib._sweep_cells import Cell
from collapse_lib.checks import one_of, whole_number


@dataclass(frozen=True)
class Outcome:
    """A cell's value, or why it has none."""

    value: object = None
    error: str | None = None
    traceback: str = ""


Job = tuple[int, Callable[..., Any], Cell, int | None, str]
"""Number, function, cell, seed and key: what `_evaluate` takes."""

Runner = Callable[[Iterable[Job], list[str]], Iterator[tuple[int, Outcome]]]


def _evaluate(
    number: int, function: Callable[..., Any], cell: Cell, seed: int | None, key: str
) -> tuple[int, bytes]:
    """One cell, in a worker; the stream is the same wherever and whenever it runs."""
    arguments = dict(cell)
    if seed is not None:
        digest = np.frombuffer(hashlib.sha256(key.encode()).digest(), dtype="<u4")
        own = np.random.SeedSequence(seed, spawn_key=digest.tolist())
        arguments["rng"] = np.random.default_rng(own)
    try:
        with threadpool_limits(1):
            # As bytes: a result that cannot be pickled would make a Dask client wait for ever.
            return number, cloudpickle.dumps(Outcome(function(**arguments)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 (any is the failure of this cell)
        failed = Outcome(None, _one_line(error), traceback.format_exc())
        return number, cloudpickle.dumps(failed)


def _one_line(error: object) -> str:
    return f"{type(error).__name__}: {error}"


def runner(backend: str, workers: int | None) -> tuple[Runner, int]:
    """How to run jobs, and how often a cell may be lost before it runs alone.

    The first is a generator function of the jobs that yields (number, outcome) as they come,
    and notes why those that it does not yield are lost.
    """
    backend = one_of("backend", backend, (*BACKENDS, "dask"))
    if workers is not None:
        workers = whole_number("workers", workers, minimum=1)
    if backend != "dask":
        number = -1 if workers is None else workers
        return functools.partial(_through_joblib, backend, number), 2
    if workers is not None:
        raise ValueError(f"workers must be None on a Dask cluster, got {workers}")
    try:
        import distributed
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "backend 'dask' needs the package distributed: `pip install distributed`."
        ) from None
    try:
        return functools.partial(_through_dask, distributed, distributed.get_client()), 1
    except ValueError:
        raise ValueError(
            "backend 'dask' needs a cluster: make a `distributed.Client` first, got none"
        ) from None


def _through_joblib(
    backend: str, workers: int, jobs: Iterable[Job], why: list[str]
) -> Iterator[tuple[int, Outcome]]:
    calls = (joblib.delayed(_evaluate)(*job) for job in jobs)
    try:
        parallel = joblib.Parallel(workers, backend=backend, return_as="generator_unordered")
    except ValueError:  # a multiprocessing pool hands everything back at the end
        parallel = joblib.Parallel(workers, backend=backend)
    try:
        for number, outcome in parallel(calls):
            yield number, cloudpickle.loads(outcome)
    except Exception as error:  # noqa: BLE001 (a worker died, or a cell could not travel)
        why.append(_one_line(error))


def _through_dask(
    distributed: ModuleType, client: Client, jobs: Iterable[Job], why: list[str]
) -> Iterator[tuple[int, Outcome]]:
    # Not joblib's own Dask backend: that waits for ever for a cell the scheduler has given up.
    futures = distributed.as_completed(
        [client.submit(_evaluate, *job, pure=False) for job in jobs],
        with_results=True,
        raise_errors=False,
    )
    for future, result in futures:
        if future.status == "finished":
            yield result[0], cloudpickle.loads(result[1])
        else:
            why.append(_one_line(result[1] if isinstance(result, tuple) else result))
        future.release()
