"""Where a run of `evolve` stands, and how that is kept on disk after every generation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from collapse_lib._types import Array, Floats
from collapse_lib.deep.rows import RowHistory

if TYPE_CHECKING:
    from collapse_lib.deep.evolve import Experiment

import dataclasses
import functools
import inspect
import os
from dataclasses import dataclass, field

import joblib
import torch

__all__ = ["State", "fingerprint", "keep", "resumed"]


@dataclass
class State:
    """Where a shard stands: all that the next generation needs."""

    fingerprint: str
    pool: torch.Tensor  # (members, rows, …): in memory with room for all rows, on disk so far
    streams: list[Tensor]
    histories: list[RowHistory]  # one a member
    records: list[dict[str, Floats]] = field(default_factory=list)
    shown: list[Floats] = field(default_factory=list)
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("train", "sample", "measure"), 0)
    )


def fingerprint(experiment: Experiment, real: Array, *more: object) -> str:
    """What tells one experiment from another, on a later day too.

    Everything counts but the number of generations, what is shown, and what the functions
    call or close over.
    """
    functions = _named(experiment.build), _named(experiment.measure)
    plain = experiment.arms, experiment.optimiser, experiment.steps_follow_pool
    return str(joblib.hash((functions, plain, real, more)))


def _named(function: Callable[..., Any]) -> tuple[Any, ...]:
    """What tells one function from another, in another process too: no address in memory."""
    if isinstance(function, functools.partial):
        bound = list(function.args) + sorted(function.keywords.items())
        return _named(function.func), bound
    kind = function if hasattr(function, "__qualname__") else type(function)
    code = getattr(function, "__code__", None)
    constants = [each for each in code.co_consts if not inspect.iscode(each)] if code else None
    body = code and (code.co_code, code.co_names, repr(constants))
    return kind.__module__, kind.__qualname__, body


def keep(file: Path | None, state: State) -> None:
    """Write a checkpoint whole or not at all."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    so_far = state.pool[:, : (len(state.records) + 1) * state.histories[0].n]
    torch.save(dataclasses.replace(state, pool=so_far.to("cpu", copy=True)), part)
    os.replace(part, file)


def resumed(file: Path | None, fresh: State) -> State:
    """The state in the file if there is one, of the same experiment, or else the fresh one."""
    if file is None or not file.exists():
        return fresh
    state: State = torch.load(file, map_location="cpu", weights_only=False)
    if state.fingerprint != fresh.fingerprint:
        raise ValueError(
            f"checkpoints must belong to this experiment, but {file} was written by another "
            "one: name another folder, or delete it"
        )
    return state
