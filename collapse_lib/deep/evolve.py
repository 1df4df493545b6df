"""The loop for deep models: train, sample, choose rows, train again.

Generation 0 is trained on real data, once per seed, and copied for every arm. Seeds are
independent, so shards of them run side by side: one process per core, one stack on a GPU, or
jobs on a cluster. A shard writes a checkpoint after every generation and goes on from it.

The policies and the history of `loop` choose what is trained on, among the numbers of rows: the
real ones are 0 … n−1, the samples of generation g are (g+1)·n … (g+2)·n − 1.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from collapse_lib._types import Array, Floats, Ints, StrPath
from collapse_lib.checks import positive, whole_number
from collapse_lib.deep.compare import Evolution
from collapse_lib.deep.stack import Optimiser, Stack, Streams, fit
from collapse_lib.loop import FreshReal, History, PartlyReal, Policy, policy_named
from collapse_lib.sweep import sweep

__all__ = ["Arm", "Experiment", "evolve"]


@dataclass(frozen=True)
class Arm:
    """One way to go on: what to train on, and how to sample.

    Attributes
    ----------
    policy : Policy or str
    temperature : float
        Of the model's ``sample``; 0 gives decoder means, or always the likeliest word.
    name : str
        By default the policy's name, with the temperature if that is not 1.
    """

    policy: Policy | str
    temperature: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        policy = policy_named(self.policy)
        positive("temperature", self.temperature, zero=True)
        suffix = "" if self.temperature == 1 else f", θ = {self.temperature:g}"
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "name", self.name or policy.name + suffix)


@dataclass(frozen=True)
class Experiment:
    """Everything that fixes the numbers of a run, but for the seeds.

    Attributes
    ----------
    build : callable
        ``build(streams, arms)`` makes a stack.
    data : ndarray, (n, …), or callable
        The real rows, or a function of the seed's number that returns them.
    arms : tuple of Arm
    generations : int
    optimiser : Optimiser
    measure : callable
        ``measure(model, samples, temperature, streams)`` returns a dict of arrays whose first
        axis is the members.
    show : callable
        ``show(model, samples, streams)`` returns what pictures need, (members, …).
    steps_follow_pool : bool
        Whether a generation trains longer in proportion to the data there are by then.
    """

    build: Callable[[Streams, int], Stack]
    data: Array | Callable[[int], Array]
    arms: tuple[Arm, ...]
    generations: int
    optimiser: Optimiser
    measure: Callable[[Any, Tensor, Tensor, Streams], dict[str, Any]]
    show: Callable[[Any, Tensor, Streams], Any] = field(
        default=lambda model, samples, streams: samples[:, :8]
    )
    steps_follow_pool: bool = False

    def __post_init__(self) -> None:
        whole_number("generations", self.generations, minimum=1)
        if not self.arms or len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError(f"arms must be one or more of different names, got {self.arms}")
        object.__setattr__(self, "arms", tuple(self.arms))

    def real_rows(self, seed: int) -> Array:
        return np.asarray(self.data(seed) if callable(self.data) else self.data)


def evolve(
    experiment: Experiment,
    *,
    seeds: int,
    seeds_a_stack: int = 1,
    seed: int = 0,
    device: str = "cpu",
    backend: str = "loky",
    workers: int | None = None,
    checkpoints: StrPath | None = None,
    progress: bool = True,
) -> Evolution:
    """Run an experiment for several seeds.

    Parameters
    ----------
    experiment : Experiment
    seeds : int
    seeds_a_stack : int
        Seeds trained as one program. A seed's numbers depend on it only by rounding; in half
        precision also by which steps the loss scaling skips.
    seed : int
        Changes all of them.
    device : str
        ``"cpu"``: a process per shard with one thread each. Otherwise the shards run one
        after the other in this process. If memory runs out, a shard is halved and its halves
        start again; the room for all generations is taken at the start, so that a stack that
        is too large fails early.
    backend, workers
        As in `sweep`, for the CPU. ``"dask"`` is a cluster for other devices too: several
        GPUs, each the only one that its worker sees.
    checkpoints : path, optional
        Folder in which each shard keeps its newest generation; a later call with the same
        experiment goes on from there, also to more generations.
    progress : bool

    Returns
    -------
    Evolution

    Examples
    --------
    >>> from collapse_lib.deep.vae import VAE
    >>> experiment = Experiment(
    ...     build=functools.partial(VAE, pixels=4, hidden=4, latent=2),
    ...     data=np.random.default_rng(1).random((20, 4), dtype=np.float32),
    ...     arms=(Arm("replace"), Arm("accumulate")),
    ...     generations=3,
    ...     optimiser=Optimiser(steps=2, batch=8, learning_rate=1e-2),
    ...     measure=lambda model, samples, temperature, streams: {"mean": samples.mean((1, 2))},
    ... )
    >>> result = evolve(experiment, seeds=2, backend="sequential", progress=False)
    >>> result.arms, result.metrics["mean"].shape
    (('replace', 'accumulate'), (2, 2, 3))
    """
    seeds = whole_number("seeds", seeds, minimum=1)
    size = whole_number("seeds_a_stack", seeds_a_stack, minimum=1)
    shards = [range(seeds)[i : i + size] for i in range(0, seeds, size)]
    run = functools.partial(_shard, experiment, entropy=seed, device=device, folder=checkpoints)
    if torch.device(device).type == "cpu" or backend == "dask":
        cells = [{"members": tuple(shard)} for shard in shards]
        options: dict[str, Any] = {"backend": backend, "workers": workers, "progress": progress}
        return _merged(sweep(run, cells, seed=None, **options).values)
    return _merged([run(members=shard, progress=progress) for shard in shards])


@dataclass
class _Rows:
    """A `loop.Family` of row numbers: a model is the number of its fit, its sample what it made."""

    n: int  # rows of every batch
    fits: int = 0

    def fit(self, data: Array) -> Ints:
        self.fits += 1
        return np.array([self.fits])

    def sample(self, params: Array, size: int, rng: np.random.Generator) -> Ints:
        if size > self.n:
            raise ValueError(f"size must be at most the {self.n} rows of a batch, got {size}")
        return params[:, None] * self.n + np.arange(size)


def _row_history(n: int, rng: np.random.Generator) -> History:
    return History(_Rows(n), rng, models=[np.array([0])])


def _training_rows(policy: Policy, history: History, n: int) -> Ints:
    """Choose the rows of the next fit, (rows,), and count that fit.

    The first fit sees all real rows, whatever the policy: it is trained once and shared.
    """
    match policy:
        case FreshReal():
            raise ValueError(f"policy must do with the same {n} real rows, got {policy}")
        case PartlyReal() if policy.real != n:
            raise ValueError(f"policy must keep all {n} real rows, got {policy}")
    if history.is_first_fit:
        rows = history.draw(n)
        history.keep(rows)
    else:
        rows = policy.training_set(history, n)
    history.models.append(history.family.fit(rows))
    chosen: Ints = rows[0]
    return chosen


@dataclass
class _State:
    """Where a shard stands: all that the next generation needs."""

    fingerprint: str  # of the experiment, but for the number of generations and what is shown
    n: int  # rows per generation
    pool: Tensor  # (members, rows, …), real, then made: room for all; on disk those so far
    streams: list[Tensor]  # states of the random streams
    histories: list[History]  # one per member
    records: list[dict[str, Floats]] = field(default_factory=list)  # one per generation
    shown: list[Floats] = field(default_factory=list)  # one per generation, (arms, …)
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("train", "sample", "measure"), 0)
    )


def _shard(
    experiment: Experiment,
    members: Sequence[int],
    entropy: int,
    device: str,
    folder: StrPath | None,
    progress: bool = False,
) -> Evolution:
    """All generations of a few seeds; on a full GPU, of half of them at a time."""
    if torch.device(device).type == "cpu":
        torch.set_num_threads(1)
    try:
        return _run(experiment, members, entropy, device, folder, progress)
    except torch.OutOfMemoryError:
        if len(members) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(members) // 2
    halves = members[:half], members[half:]
    return _merged([_shard(experiment, h, entropy, device, folder, progress) for h in halves])


def _run(
    experiment: Experiment,
    members: Sequence[int],
    entropy: int,
    device: str,
    folder: StrPath | None,
    progress: bool,
) -> Evolution:
    numbers = [np.random.SeedSequence((entropy, s)).generate_state(1)[0] for s in members]
    streams = Streams(numbers, device)
    state = _start(experiment, members, entropy, streams)
    file = None if folder is None else Path(folder) / f"seeds-{members[0]}-{members[-1]}.pt"
    if file and file.exists():
        state = _resumed(file, state)
    streams.restore(state.streams)
    state.pool = _with_room(state.pool, (experiment.generations + 1) * state.n, device)
    left = range(len(state.records), experiment.generations)
    for t in tqdm(left, disable=not progress, initial=left.start, desc="generations"):
        _generation(experiment, state, t, streams)
        state.streams = streams.state()
        if file:
            _keep(file, state)
    records = state.records[: experiment.generations]  # a checkpoint may hold more
    return Evolution(
        tuple(arm.name for arm in experiment.arms),
        {name: np.stack([record[name] for record in records], axis=2) for name in records[0]},
        np.stack(state.shown[: experiment.generations], axis=1),
        state.seconds,
    )


def _start(
    experiment: Experiment, members: Sequence[int], entropy: int, streams: Streams
) -> _State:
    real = np.stack([experiment.real_rows(s) for s in members])
    arms, n = len(experiment.arms), real.shape[1]
    settings = experiment.arms, experiment.optimiser, experiment.steps_follow_pool
    shard = tuple(members), entropy, streams.device.type
    functions = [_named(experiment.build), _named(experiment.measure)]
    mark = str(joblib.hash((functions, settings, real, shard)))
    rngs = [np.random.default_rng((entropy, arm, s)) for arm in range(arms) for s in members]
    pool = torch.as_tensor(real).repeat(arms, *[1] * (real.ndim - 1))
    return _State(mark, n, pool, streams.state(), [_row_history(n, rng) for rng in rngs])


def _named(function: Callable[..., Any]) -> tuple[Any, ...]:
    """What tells one function from another, in another process too: no address in memory.

    What it calls or closes over does not count.
    """
    if isinstance(function, functools.partial):
        bound = list(function.args) + sorted(function.keywords.items())
        return _named(function.func), bound
    kind = function if hasattr(function, "__qualname__") else type(function)
    code = getattr(function, "__code__", None)
    constants = [each for each in code.co_consts if not inspect.iscode(each)] if code else None
    body = code and (code.co_code, code.co_names, repr(constants))
    return kind.__module__, kind.__qualname__, body


def _keep(file: Path, state: _State) -> None:
    """Write a checkpoint whole or not at all."""
    rows = state.pool[:, : (len(state.records) + 1) * state.n]
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(dataclasses.replace(state, pool=rows.to("cpu", copy=True)), part)
    os.replace(part, file)


def _resumed(file: Path, fresh: _State) -> _State:
    state: _State = torch.load(file, map_location="cpu", weights_only=False)
    if state.fingerprint != fresh.fingerprint:
        raise ValueError(
            f"checkpoints must belong to this experiment, but {file} was written by another "
            "one: name another folder, or delete it"
        )
    return state


def _generation(experiment: Experiment, state: _State, t: int, streams: Streams) -> None:
    """Choose rows, train, sample, measure."""
    arms, n, device = len(experiment.arms), state.n, state.pool.device
    temperatures = torch.tensor([arm.temperature for arm in experiment.arms], dtype=torch.float32)
    temperature = temperatures.to(device).repeat_interleave(len(streams))
    clock = time.perf_counter()
    policies = [policy_named(arm.policy) for arm in experiment.arms for _ in range(len(streams))]
    pairs = zip(policies, state.histories, strict=True)
    rows = [_training_rows(policy, history, n) for policy, history in pairs]
    model = experiment.build(streams, 1 if t == 0 else arms)
    optimiser = experiment.optimiser
    if experiment.steps_follow_pool:
        optimiser = dataclasses.replace(optimiser, steps=optimiser.steps * (t + 1))
    batches = _Minibatches(state.pool, rows, streams, optimiser.batch, model.arms)
    fit(model, batches, optimiser, streams)
    if t == 0:
        model = model.for_every_arm(arms)
    clock = _tick(state, "train", clock)
    samples = model.sample(n, streams, temperature)
    clock = _tick(state, "sample", clock)
    with torch.no_grad():
        measured = experiment.measure(model, samples, temperature, streams)
        shown = _numpy(experiment.show(model, samples, streams))
    shape = (arms, len(streams))
    state.records.append(
        {name: _numpy(value).reshape(*shape, *value.shape[1:]) for name, value in measured.items()}
    )
    state.shown.append(shown.reshape(*shape, *shown.shape[1:])[:, 0])
    state.pool[:, (t + 1) * n : (t + 2) * n] = samples
    _tick(state, "measure", clock)


class _Minibatches:
    """Draws minibatches; the arms of a seed use the same uniforms."""

    def __init__(
        self, pool: Tensor, rows: Sequence[Ints], streams: Streams, batch: int, arms: int
    ) -> None:
        self.pool, self.streams, self.batch, self.arms = pool, streams, batch, arms
        longest = max(map(len, rows))
        padded = np.stack([np.pad(chosen, (0, longest - len(chosen))) for chosen in rows])
        self.rows = torch.as_tensor(padded, device=pool.device)
        self.sizes = torch.tensor([[len(chosen)] for chosen in rows], device=pool.device)
        self.member = torch.arange(len(rows), device=pool.device)[:, None]

    def __call__(self) -> Tensor:
        uniform = self.streams.uniform(self.batch).repeat(self.arms, 1)
        members = len(uniform)  # of one arm in generation 0, which all arms share
        place = (uniform * self.sizes[:members]).long()
        rows = self.rows[:members].gather(1, place)
        return self.pool[self.member[:members], rows]


def _with_room(pool: Tensor, rows: int, device: str) -> Tensor:
    """The same rows on the device, with room for those that are still to be made."""
    whole = pool.new_empty((len(pool), max(rows, pool.shape[1]), *pool.shape[2:]), device=device)
    whole[:, : pool.shape[1]] = pool
    return whole


def _tick(state: _State, name: str, since: float) -> float:
    if state.pool.is_cuda:
        torch.cuda.synchronize(state.pool.device)
    now = time.perf_counter()
    state.seconds[name] += now - since
    return now


def _numpy(value: Any) -> Array:
    return value.float().cpu().numpy() if torch.is_tensor(value) else np.asarray(value)


def _merged(parts: Sequence[Evolution]) -> Evolution:
    """The parts' seeds as one run."""
    first = parts[0]
    metrics = {
        name: np.concatenate([part.metrics[name] for part in parts], axis=1)
        for name in first.metrics
    }
    seconds = {name: sum(part.seconds[name] for part in parts) for name in first.seconds}
    return Evolution(first.arms, metrics, first.shown, seconds)
