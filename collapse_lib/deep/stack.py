"""Many small models as one: every parameter has a leading axis of members.

Members are arms × seeds, arm by arm: member a·S + s is seed s of arm a. The arms of a seed
start from the same weights and meet the same noise, so that differences between them are
paired. Every seed has a random stream of its own: its numbers do not depend on which other
seeds share the stack.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

__all__ = ["Stack", "Streams", "affine"]


class Streams:
    """One random stream a seed, drawn from together.

    Parameters
    ----------
    seeds : sequence of int
    device : str or torch.device

    Examples
    --------
    >>> both, alone = Streams([3, 7]), Streams([7])
    >>> bool((both.normal(2, 5)[1] == alone.normal(2, 5)[0]).all())
    True
    """

    def __init__(self, seeds: Iterable[int], device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.generators = [torch.Generator(self.device).manual_seed(int(s)) for s in seeds]

    def __len__(self) -> int:
        return len(self.generators)

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal numbers, (seeds, *shape)."""
        return self._draw(torch.randn, shape)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Uniform numbers on [0, 1), (seeds, *shape)."""
        return self._draw(torch.rand, shape)

    def state(self) -> list[torch.Tensor]:
        """What `restore` needs to go on from here."""
        return [generator.get_state() for generator in self.generators]

    def restore(self, state: Iterable[torch.Tensor]) -> None:
        """Go on from where ``state`` was taken."""
        for generator, kept in zip(self.generators, state, strict=True):
            generator.set_state(kept.cpu())

    def _draw(self, function: Callable[..., torch.Tensor], shape: tuple[int, ...]) -> torch.Tensor:
        return torch.stack(
            [function(*shape, generator=g, device=self.device) for g in self.generators]
        )


class Stack(nn.Module):
    """Base of the stacked models.

    A subclass builds its parameters with `random` and `constant`, and defines
    ``loss(x, streams)``, (members, batch), and ``sample(n, streams, temperature)``,
    (members, n, …).

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms : int

    Attributes
    ----------
    seeds, arms : int
        Their product is the number of members, the leading axis of every parameter.
    """

    def __init__(self, streams: Streams, arms: int = 1) -> None:
        super().__init__()
        self.seeds, self.arms = len(streams), arms
        self._streams = streams  # until the parameters are built

    @property
    def members(self) -> int:
        return self.seeds * self.arms

    def random(self, *shape: int, sd: float) -> nn.Parameter:
        """Normal weights, drawn once a seed and the same in all its arms."""
        return nn.Parameter(self.for_arms(sd * self._streams.normal(*shape)))

    def constant(self, *shape: int, value: float = 0.0) -> nn.Parameter:
        """Weights that all start at one value."""
        device = self._streams.device
        return nn.Parameter(torch.full((self.members, *shape), value, device=device))

    def linear(self, inputs: int, outputs: int, *, sd: float | None = None) -> nn.ParameterList:
        """Weight and bias of an affine map; He's initial spread by default."""
        sd = (2 / (inputs + outputs)) ** 0.5 if sd is None else sd
        return nn.ParameterList([self.random(inputs, outputs, sd=sd), self.constant(1, outputs)])

    def for_arms(self, per_seed: torch.Tensor) -> torch.Tensor:
        """Repeat (seeds, …) for every arm, (members, …)."""
        return per_seed.repeat(self.arms, *[1] * (per_seed.dim() - 1))

    def for_every_arm(self, arms: int) -> Stack:
        """A copy of a one-arm stack with its members repeated for several arms."""
        tiled = copy.deepcopy(self)
        tiled.arms = self.arms * arms
        for parameter in tiled.parameters():
            parameter.data = parameter.data.repeat(arms, *[1] * (parameter.dim() - 1))
        return tiled

    def loss(self, x: torch.Tensor, streams: Streams) -> torch.Tensor:
        raise NotImplementedError

    def sample(self, n: int, streams: Streams, temperature: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


def affine(x: torch.Tensor, layer: Any) -> torch.Tensor:
    """The affine map x W + b of every member.

    Parameters
    ----------
    x : Tensor, (members, rows, inputs)
    layer : ParameterList
        As from `Stack.linear`.

    Returns
    -------
    Tensor, (members, rows, outputs)

    Examples
    --------
    >>> affine(torch.ones(1, 1, 2), [torch.ones(1, 2, 3), torch.zeros(1, 1, 3)])
    tensor([[[2., 2., 2.]]])
    """
    weight, bias = layer  # a list of parameters: a ModuleList does not tell what it holds
    return torch.baddbmm(bias, x, weight)
