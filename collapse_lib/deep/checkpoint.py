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
    """Where a shard stands: all that the next generation needs.

    Attributes
    ----------
    fingerprint : str
        Of the experiment, see `fingerprint`.
    pool : Tensor, (members, rows, …)
        Real rows, then those made.
    streams : list of Tensor, (bytes,)
        States of the random streams.
    histories : list of RowHistory
        One a member.
    records : list of dict
        What was measured, one a generation.
    shown : list of ndarray, (arms, …)
        What pictures need, one a generation.
    seconds : dict of str to float
        Time spent to train, sample and measure.
    """

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

    Parameters
    ----------
    experiment : Experiment
    real : ndarray, (seeds, rows, …)
        The real rows.
    *more : object
        What else counts.

    Returns
    -------
    str

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> short, long = (SimpleNamespace(build=abs, measure=max, arms=("replace",), optimiser=None,
    ...                                steps_follow_pool=False, generations=t) for t in (2, 9))
    >>> fingerprint(short, [1, 2]) == fingerprint(long, [1, 2]) != fingerprint(long, [1, 3])
    True
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
    """Write a checkpoint whole or not at all.

    Parameters
    ----------
    file : Path, optional
        None keeps nothing.
    state : State

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> from collapse_lib.deep.rows import RowHistory
    >>> rows = RowHistory(n=2, rng=np.random.default_rng(1))
    >>> state = State("this experiment", torch.zeros(1, 2, 3), [], [rows])
    >>> with TemporaryDirectory() as folder:
    ...     keep(Path(folder) / "seeds.pt", state)
    ...     resumed(Path(folder) / "seeds.pt", state).pool.shape
    torch.Size([1, 2, 3])
    """
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    so_far = state.pool[:, : (len(state.records) + 1) * state.histories[0].n]
    torch.save(dataclasses.replace(state, pool=so_far.to("cpu", copy=True)), part)
    os.replace(part, file)


def resumed(file: Path | None, fresh: State) -> State:
    """The state in the file if there is one, of the same experiment, or else the fresh one.

    Parameters
    ----------
    file : Path, optional
    fresh : State
        The start of the same experiment.

    Returns
    -------
    State

    Raises
    ------
    ValueError
        If the file was written by another experiment.

    Examples
    --------
    >>> fresh = State("this experiment", torch.zeros(1, 2, 3), [], [])
    >>> resumed(None, fresh) is fresh
    True
    """
    if file is None or not file.exists():
        return fresh
    state: State = torch.load(file, map_location="cpu", weights_only=False)
    if state.fingerprint != fresh.fingerprint:
        raise ValueError(
            f"checkpoints must belong to this experiment, but {file} was written by another "
            "one: name another folder, or delete it"
        )
    return state
