"""What a sweep has computed, kept in a folder.

It is kept by the process that sweeps, not by its workers, who may share no disk with it
and may die while they write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collapse_lib._types import StrPath

if TYPE_CHECKING:
    from collapse_lib._sweep_workers import Outcome

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib


@dataclass(frozen=True)
class Memory:
    """Finds what is kept under a key, or keeps it there."""

    store: Callable[[str, Outcome | None], Outcome]

    def find(self, key: str) -> Outcome | None:
        try:
            return self.store(key, None)
        except LookupError:
            return None

    def keep(self, key: str, outcome: Outcome) -> None:
        self.store(key, outcome)


def memory(cache: StrPath | None, function: Callable[..., Any], seed: int | None) -> Memory:
    """Return what the folder ``cache`` keeps of this function and seed; None keeps nothing."""
    if cache is None:
        return Memory(functools.partial(_outcome, None))
    if Path(cache).exists() and not Path(cache).is_dir():
        raise ValueError(f"cache must be a folder, got {str(cache)!r}")
    this_sweep = _identity(function), seed
    remembered = joblib.Memory(cache, verbose=0).cache(_outcome, ignore=["outcome"])
    return Memory(functools.partial(remembered, this_sweep))


def _outcome(sweep: object, key: str, outcome: Outcome | None) -> Outcome:
    """The function that joblib remembers, by its first two arguments; it remembers no error."""
    if outcome is None:
        raise LookupError(key)
    return outcome


def _identity(function: Callable[..., Any]) -> tuple[object, ...]:
    """What tells one function from another, on a later day too."""
    if isinstance(function, functools.partial):
        bound = joblib.hash((function.args, function.keywords))
        return "partial", _identity(function.func), bound
    if not inspect.isfunction(function):
        raise ValueError(f"with a cache, function must be a Python function, got {function!r}")
    try:
        source = inspect.getsource(function)
    except OSError:
        raise ValueError(
            f"with a cache, function must have a source that can be read, got {function!r}"
        ) from None
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    closed = [_identity(value) if inspect.isfunction(value) else value for value in closed]
    bound = joblib.hash((function.__defaults__, function.__kwdefaults__, closed))
    return function.__module__, function.__qualname__, source, bound
