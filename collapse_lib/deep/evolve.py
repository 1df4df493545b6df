"""The loop for deep models: train, sample, choose rows, train again.

Generation 0 is trained on real data, once a seed, and copied for every arm. Seeds are
independent, so shards of them run side by side: one process a core, one stack on a GPU, or
jobs on a cluster. A shard writes a checkpoint after every generation and goes on from it.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from collapse_lib._types import Array, Floats, Ints, StrPath
from collapse_lib.checks import one_of, positive, whole_number
from collapse_lib.deep.checkpoint import State, fingerprint, keep, resumed
from collapse_lib.deep.paired import Paired, paired_difference
from collapse_lib.deep.rows import RowHistory, training_rows
from collapse_lib.deep.stack import Stack, Streams
from collapse_lib.deep.training import Optimiser, fit
from collapse_lib.loop import Policy, policy_named
from collapse_lib.sweep import sweep

__all__ = ["Arm", "Evolution", "Experiment", "evolve"]

Part = dict[str, Any]
"""The metrics, what is shown and the seconds of a shard, as in an `Evolution`."""


@dataclass(frozen=True)
class Arm:
    """One way to go on: what to train on, and how to sample.

    Attributes
    ----------
    policy : Policy or str
    temperature : float
        Passed to the model's ``sample``.
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
        Whether a generation trains longer in proportion to the data there are by then,
        instead of the same number of steps each time.
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


@dataclass(frozen=True)
class Evolution:
    """What every arm and seed did in every generation.

    Attributes
    ----------
    arms : tuple of str
        Names.
    metrics : dict of str to ndarray, (arms, seeds, generations, …)
    shown : ndarray, (arms, generations, …)
        What `Experiment.show` returned, of the first seed.
    seconds : dict of str to float
        Time spent to train, sample and measure, added over the shards.
    """

    arms: tuple[str, ...]
    metrics: dict[str, Floats]
    shown: Floats
    seconds: dict[str, float]

    def of(self, metric: str, arm: str) -> Floats:
        """One metric of one arm, (seeds, generations, …)."""
        one_of("metric", metric, tuple(self.metrics))
        values: Floats = self.metrics[metric][self.arms.index(one_of("arm", arm, self.arms))]
        return values

    def paired(self, metric: str, arm: str, other: str, generation: int = -1) -> Paired:
        """The difference between two arms, seed by seed, in one generation."""
        return paired_difference(
            self.of(metric, arm)[:, generation], self.of(metric, other)[:, generation]
        )


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
        ``"cpu"``: a process a shard with one thread each. Otherwise the shards run one
        after the other in this process. If memory runs out, a shard is halved and its halves
        start again; the room for all generations is taken at the start, so that a stack that
        is too large fails early.
    backend, workers
        As in `sweep`, for the CPU. ``"dask"`` is a cluster for other devices too: several
        GPUs, each the only one that its worker sees.
    checkpoints : path, optional
        Folder in which each shard keeps its newest generation; a later call with the same
        experiment goes on from there.
    progress : bool

    Returns
    -------
    Evolution

    Raises
    ------
    ValueError
        If an argument is out of range, or the folder holds another experiment.

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
    step = whole_number("seeds_a_stack", seeds_a_stack, minimum=1)
    shards = [tuple(range(i, min(i + step, seeds))) for i in range(0, seeds, step)]
    run = functools.partial(_shard, experiment, entropy=seed, device=device, folder=checkpoints)
    if torch.device(device).type == "cpu" or backend == "dask":
        cells = [{"members": shard} for shard in shards]
        parts: Sequence[Part] = sweep(
            run, cells, seed=None, backend=backend, workers=workers, progress=progress
        ).values
    else:
        parts = [run(members=shard, progress=progress) for shard in shards]
    return _joined(experiment, parts)


def _shard(
    experiment: Experiment,
    members: Sequence[int],
    entropy: int,
    device: str,
    folder: StrPath | None,
    progress: bool = False,
) -> Part:
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
    parts = [
        _shard(experiment, part, entropy, device, folder, progress)
        for part in (members[:half], members[half:])
    ]
    return _merged(parts)


def _run(
    experiment: Experiment,
    members: Sequence[int],
    entropy: int,
    device: str,
    folder: StrPath | None,
    progress: bool,
) -> Part:
    numbers = [np.random.SeedSequence((entropy, s)).generate_state(1)[0] for s in members]
    streams = Streams(numbers, device)
    file = None if folder is None else Path(folder) / f"seeds-{members[0]}-{members[-1]}.pt"
    state = _start(experiment, members, entropy, device, streams)
    state = resumed(file, state)
    streams.restore(state.streams)
    state.pool = _with_room(state.pool, (experiment.generations + 1) * state.histories[0].n, device)
    done = len(state.records)
    for t in tqdm(
        range(done, experiment.generations), disable=not progress, initial=done, desc="generations"
    ):
        _generation(experiment, state, t, streams)
        state.streams = streams.state()
        keep(file, state)
    asked = slice(experiment.generations)  # a checkpoint may hold more
    return {
        "metrics": {
            name: np.stack([record[name] for record in state.records[asked]], axis=2)
            for name in state.records[0]
        },
        "shown": np.stack(state.shown[asked], axis=1),
        "seconds": state.seconds,
    }


def _start(
    experiment: Experiment, members: Sequence[int], entropy: int, device: str, streams: Streams
) -> State:
    real = torch.as_tensor(np.stack([experiment.real_rows(s) for s in members]))
    arms = len(experiment.arms)
    rngs = [np.random.default_rng((entropy, arm, s)) for arm in range(arms) for s in members]
    return State(
        fingerprint(experiment, real.numpy(), members, entropy, torch.device(device).type),
        real.repeat(arms, *[1] * (real.dim() - 1)),
        streams.state(),
        [RowHistory(real.shape[1], rng) for rng in rngs],
    )


def _generation(experiment: Experiment, state: State, t: int, streams: Streams) -> None:
    """Choose rows, train, sample, measure."""
    arms, n = len(experiment.arms), state.histories[0].n
    device = state.pool.device
    temperature = torch.tensor(
        [arm.temperature for arm in experiment.arms], device=device, dtype=torch.float32
    ).repeat_interleave(len(streams))
    clock = time.perf_counter()
    policies = [policy_named(arm.policy) for arm in experiment.arms for _ in range(len(streams))]
    rows = [training_rows(*one) for one in zip(policies, state.histories, strict=True)]
    model = experiment.build(streams, 1 if t == 0 else arms)
    batches = _Minibatches(state.pool, rows, streams, experiment.optimiser.batch, model.arms)
    steps = experiment.optimiser.steps * (t + 1 if experiment.steps_follow_pool else 1)
    fit(model, batches, experiment.optimiser, streams, steps=steps)
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


def _tick(state: State, name: str, since: float) -> float:
    if state.pool.is_cuda:
        torch.cuda.synchronize(state.pool.device)
    now = time.perf_counter()
    state.seconds[name] += now - since
    return now


def _numpy(value: Any) -> Array:
    return value.float().cpu().numpy() if torch.is_tensor(value) else np.asarray(value)


def _merged(parts: Sequence[Part]) -> Part:
    return {
        "metrics": {
            name: np.concatenate([part["metrics"][name] for part in parts], axis=1)
            for name in parts[0]["metrics"]
        },
        "shown": parts[0]["shown"],
        "seconds": {k: sum(part["seconds"][k] for part in parts) for k in parts[0]["seconds"]},
    }


def _joined(experiment: Experiment, parts: Sequence[Part]) -> Evolution:
    whole = _merged(parts)
    names = tuple(arm.name for arm in experiment.arms)
    return Evolution(names, whole["metrics"], whole["shown"], whole["seconds"])
