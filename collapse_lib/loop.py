"""The self-consuming loop, by definition.

A model is fitted, samples are drawn from it, a policy decides what the next model
is trained on, and the next model is fitted. Everything here is written to be read:
it is the definition that each chapter starts from and the oracle that each fast
simulator is tested against.

Conventions. Generation 0 is the truth; generation t is the t-th fit. Data are
arrays of shape (replicates, items, ...) and parameters of shape (replicates, ...),
so that independent runs of the loop are an axis, never a Python loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from collapse_lib._types import Array, ArrayLike, Floats, Rng
from collapse_lib.checks import array, as_generator, one_of, share, whole_number

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Family",
    "FreshReal",
    "History",
    "Immigration",
    "LastK",
    "OnlyReal",
    "PartlyReal",
    "Policy",
    "RandomPast",
    "Replace",
    "Trajectory",
    "policy_named",
    "run",
]


class Family(Protocol):
    """What the loop asks of a family of models."""

    def fit(self, data: Array) -> Array:
        """Map data (replicates, items, ...) to parameters (replicates, ...)."""

    def sample(self, params: Array, size: int, rng: np.random.Generator) -> Array:
        """Draw data (replicates, size, ...) from the models with these parameters."""


class Policy(Protocol):
    """Decides what the next model is trained on."""

    name: str

    def training_set(self, history: History, n: int) -> Array:
        """Return the next training set, (replicates, items, ...)."""


@dataclass
class History:
    """What the loop has made so far, and the one way to make more of it.

    Attributes
    ----------
    family : Family
    rng : numpy.random.Generator
    models : list of ndarray, (replicates, ...)
        Parameters of the truth and of every fit.
    batches : list of ndarray, (replicates, items, ...)
        Every batch kept, in order.
    """

    family: Family
    rng: np.random.Generator
    models: list[Array]
    batches: list[Array] = field(default_factory=list)

    @property
    def is_first_fit(self) -> bool:
        return len(self.models) == 1

    def draw(self, size: int, *, model: int = -1) -> Array:
        """Draw a batch from one of the models, by default the newest."""
        return self.family.sample(self.models[model], size, self.rng)

    def keep(self, batch: Array) -> None:
        """Remember a batch."""
        self.batches.append(batch)

    def pool(self, last: int = 0) -> Array:
        """Return all batches kept as one data set, or only the ``last`` so many."""
        return np.concatenate(self.batches[-last:], axis=1)


@dataclass(frozen=True)
class OnlyReal:
    """Train on n real items each time, drawn afresh, and on nothing made: the control.

    Examples
    --------
    >>> policy_named("only-real")
    OnlyReal()
    """

    name = "only-real"

    def training_set(self, history: History, n: int) -> Array:
        return history.draw(n, model=0)


@dataclass(frozen=True)
class Replace:
    """Train on n fresh draws from the newest model, and on nothing else.

    Examples
    --------
    >>> policy_named("replace")
    Replace()
    """

    name = "replace"

    def training_set(self, history: History, n: int) -> Array:
        return history.draw(n)


@dataclass(frozen=True)
class Accumulate:
    """Draw n from the newest model, keep every batch, train on all of them.

    Examples
    --------
    >>> policy_named("accumulate")
    Accumulate()
    """

    name = "accumulate"

    def training_set(self, history: History, n: int) -> Array:
        history.keep(history.draw(n))
        return history.pool()


@dataclass(frozen=True)
class AccumulateSubsample:
    """Keep every batch, but train on n items drawn from them without replacement.

    Examples
    --------
    >>> policy_named("accumulate-subsample")
    AccumulateSubsample()
    """

    name = "accumulate-subsample"

    def training_set(self, history: History, n: int) -> Array:
        history.keep(history.draw(n))
        pool = history.pool()
        order = history.rng.random(pool.shape[:2]).argsort(axis=1)[:, :n]
        return np.take_along_axis(pool, _for_items(order, pool), axis=1)


@dataclass(frozen=True)
class PartlyReal:
    """Train on the same ``real`` real items each time, and n draws from the newest model.

    The first fit has no model before it and sees the real items alone.

    Parameters
    ----------
    real : int
        At least 1.

    Examples
    --------
    >>> PartlyReal(3)
    PartlyReal(real=3)
    """

    real: int
    name = "partly-real"

    def __post_init__(self) -> None:
        object.__setattr__(self, "real", whole_number("real", self.real, minimum=1))

    def training_set(self, history: History, n: int) -> Array:
        if history.is_first_fit:
            history.keep(history.draw(self.real, model=0))
            return history.pool()
        return np.concatenate([history.pool(), history.draw(n)], axis=1)  # real, then made


@dataclass(frozen=True)
class FreshReal:
    """Train on ``real`` new real items each time, and n draws from the newest model.

    The first fit has no model before it and sees real items alone.

    Parameters
    ----------
    real : int
        Real items per generation, at least 1.

    Examples
    --------
    >>> FreshReal(3)
    FreshReal(real=3)
    """

    real: int
    name = "fresh-real"

    def __post_init__(self) -> None:
        object.__setattr__(self, "real", whole_number("real", self.real, minimum=1))

    def training_set(self, history: History, n: int) -> Array:
        real = history.draw(self.real, model=0)
        if history.is_first_fit:
            return real
        return np.concatenate([real, history.draw(n)], axis=1)


@dataclass(frozen=True)
class Immigration:
    """Train on n items: each is real with chance ``fraction``, else from the newest model.

    Parameters
    ----------
    fraction : float
        From 0 to 1.

    Examples
    --------
    >>> Immigration(0.1)
    Immigration(fraction=0.1)
    """

    fraction: float
    name = "immigration"

    def __post_init__(self) -> None:
        object.__setattr__(self, "fraction", share("fraction", self.fraction))

    def training_set(self, history: History, n: int) -> Array:
        made = history.draw(n)
        real = history.draw(n, model=0)
        is_real = history.rng.random(made.shape[:2]) < self.fraction
        return np.where(_for_items(is_real, made), real, made)


@dataclass(frozen=True)
class LastK:
    """Train on n // k items from each of the last k models (the truth counts as one).

    Parameters
    ----------
    k : int
        Models in the window, at least 1 and at most n.
    reuse : bool
        Whether the batches drawn earlier from those models are used again, or items are
        drawn afresh in every generation.

    Examples
    --------
    >>> LastK(2)
    LastK(k=2, reuse=False)
    """

    k: int
    reuse: bool = False
    name = "last-k"

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole_number("k", self.k, minimum=1))

    def training_set(self, history: History, n: int) -> Array:
        share = n // self.k
        if share == 0:
            raise ValueError(f"n must be at least k = {self.k} for LastK, got {n}")
        if self.reuse:
            history.keep(history.draw(share))
            return history.pool(last=self.k)
        window = range(1, min(self.k, len(history.models)) + 1)
        return np.concatenate([history.draw(share, model=-i) for i in window], axis=1)


@dataclass(frozen=True)
class RandomPast:
    """Train on n items, each drawn from an earlier model (or the truth) picked at random.

    Examples
    --------
    >>> policy_named("random-past")
    RandomPast()
    """

    name = "random-past"

    def training_set(self, history: History, n: int) -> Array:
        draws = np.stack([history.draw(n, model=i) for i in range(len(history.models))])
        pick = history.rng.integers(len(draws), size=draws.shape[1:3])
        replicate, item = np.ogrid[: pick.shape[0], : pick.shape[1]]
        return draws[pick, replicate, item]


SIMPLE_POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (OnlyReal(), Replace(), Accumulate(), AccumulateSubsample(), RandomPast())
}


def policy_named(policy: str | Policy) -> Policy:
    """Return a policy from its name, if it has no parameters, or the policy itself.

    Parameters
    ----------
    policy : Policy or str

    Returns
    -------
    Policy

    Examples
    --------
    >>> policy_named("accumulate")
    Accumulate()
    """
    if isinstance(policy, str):
        return SIMPLE_POLICIES[one_of("policy", policy, tuple(SIMPLE_POLICIES))]
    if isinstance(policy, type) or not hasattr(policy, "training_set"):
        raise ValueError(
            f"policy must be a policy or one of {tuple(SIMPLE_POLICIES)}, got {policy!r}"
        )
    return policy


@dataclass(frozen=True)
class Trajectory:
    """The fitted parameters of every replicate in every generation.

    Attributes
    ----------
    params : ndarray, (replicates, generations + 1, ...)
        Parameters; index 0 on the second axis is the truth.
    policy : Policy
        What chose the training sets.
    n : int
        Draws per generation.
    """

    params: Floats
    policy: Policy
    n: int


def run(
    family: Family,
    policy: str | Policy,
    *,
    truth: ArrayLike,
    n: int,
    generations: int,
    replicates: int = 1,
    rng: Rng = None,
) -> Trajectory:
    """Run the self-consuming loop.

    Parameters
    ----------
    family : Family
        How to fit and how to sample.
    policy : Policy or str
        What to train on; a string names a policy without parameters.
    truth : array_like, (…)
        Parameters of the real distribution.
    n : int
        Draws per generation, at least 2.
    generations : int
        Number of fits.
    replicates : int
        Independent runs.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Trajectory

    Examples
    --------
    >>> from collapse_lib.families import Categorical
    >>> dice = np.full(6, 1 / 6)
    >>> result = run(Categorical(6), "replace", truth=dice, n=6, generations=4, replicates=3, rng=1)
    >>> result.params.shape
    (3, 5, 6)
    """
    policy = policy_named(policy)
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    truth = array("truth", truth)
    replicates = whole_number("replicates", replicates, minimum=1)

    everywhere = np.broadcast_to(truth, (replicates, *truth.shape))
    history = History(family, as_generator(rng), models=[everywhere])
    for _ in range(generations):
        data = policy.training_set(history, n)  # what the next model is trained on
        history.models.append(family.fit(data))  # the next model
    return Trajectory(np.stack(history.models, axis=1), policy, n)


def _for_items(items: Array, data: Array) -> Array:
    """Give an array (replicates, items) as many axes as the data have."""
    return items.reshape(items.shape + (1,) * (data.ndim - 2))
