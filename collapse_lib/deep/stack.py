"""Many small models trained as one: every parameter has a leading axis of members.

Members are arms × seeds, arm by arm: member a·S + s is seed s of arm a. The arms of a seed
start from the same weights and meet the same noise, so that differences between them are
paired. Every seed has a random stream of its own: its numbers do not depend on which other
seeds share the stack.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Optimiser", "Stack", "Streams", "fit"]

WARM_UP = 20  # steps
FINAL = 0.05  # of the learning rate, at the end


class Streams:
    """One random stream per seed, drawn from together.

    Parameters
    ----------
    seeds : iterable of int
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

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, (seeds, *shape)."""
        return self._draw(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers on [0, 1), (seeds, *shape)."""
        return self._draw(torch.rand, shape)

    def state(self) -> list[Tensor]:
        """What `restore` needs to go on from here."""
        return [generator.get_state() for generator in self.generators]

    def restore(self, state: Iterable[Tensor]) -> None:
        """Go on from where ``state`` was taken."""
        for generator, kept in zip(self.generators, state, strict=True):
            generator.set_state(kept.cpu())

    def _draw(self, function: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        return torch.stack(
            [function(*shape, generator=g, device=self.device) for g in self.generators]
        )


class Stack(nn.Module):
    """Base of the stacked models.

    A subclass builds its parameters with `random`, `constant` and `linear`, and defines
    ``loss(x, streams)``, (members, batch), and ``sample(n, streams, temperature)``,
    (members, n, …), where temperature has the shape (members,).

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms : int

    Attributes
    ----------
    seeds, arms : int
        Their product is the number of members.
    """

    def __init__(self, streams: Streams, arms: int = 1) -> None:
        super().__init__()
        self.seeds, self.arms = len(streams), arms
        self._streams = streams  # until the parameters are built

    @property
    def members(self) -> int:
        return self.seeds * self.arms

    def random(self, *shape: int, sd: float) -> nn.Parameter:
        """Normal weights, drawn once per seed and the same in all its arms."""
        return nn.Parameter(self.for_arms(sd * self._streams.normal(*shape)))

    def constant(self, *shape: int, value: float = 0.0) -> nn.Parameter:
        """Weights that all start at one value."""
        device = self._streams.device
        return nn.Parameter(torch.full((self.members, *shape), value, device=device))

    def linear(self, inputs: int, outputs: int, *, sd: float | None = None) -> nn.ParameterList:
        """Weight and bias of an affine map; Glorot's initial spread by default."""
        sd = (2 / (inputs + outputs)) ** 0.5 if sd is None else sd
        return nn.ParameterList([self.random(inputs, outputs, sd=sd), self.constant(1, outputs)])

    def for_arms(self, per_seed: Tensor) -> Tensor:
        """Repeat (seeds, …) for every arm, (members, …)."""
        return per_seed.repeat(self.arms, *[1] * (per_seed.dim() - 1))

    def for_every_arm(self, arms: int) -> Stack:
        """A copy of a one-arm stack with its members repeated for several arms."""
        tiled = copy.deepcopy(self)
        tiled.arms = self.arms * arms
        for parameter in tiled.parameters():
            parameter.data = parameter.data.repeat(arms, *[1] * (parameter.dim() - 1))
        return tiled

    def loss(self, x: Tensor, streams: Streams) -> Tensor:
        raise NotImplementedError

    def sample(self, n: int, streams: Streams, temperature: Tensor) -> Tensor:
        raise NotImplementedError


def affine(x: Tensor, layer: Any) -> Tensor:
    """The affine map x W + b of every member, (members, rows, …), by a layer of `Stack.linear`."""
    weight, bias = layer  # a list of parameters: a ModuleList does not tell what it holds
    return torch.baddbmm(bias, x, weight)


@dataclass(frozen=True)
class Optimiser:
    """How long and how fast to train.

    Attributes
    ----------
    steps, batch : int
    learning_rate, weight_decay : float
    precision : {"float32", "bfloat16", "float16"}
        Arithmetic of the forward pass; the weights stay in float32.
    """

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.01
    precision: str = "float32"


def fit(model: Stack, draw: Callable[[], Tensor], optimiser: Optimiser, streams: Streams) -> Tensor:
    """Train a stack in place: AdamW with a warm-up and a cosine, one gradient for all members.

    Parameters
    ----------
    model : Stack
    draw : callable
        Returns the next minibatch, (members, batch, …).
    optimiser : Optimiser
    streams : Streams
        Noise that the loss needs.

    Returns
    -------
    Tensor, (members,)
        Loss of the last minibatch.

    Examples
    --------
    >>> from collapse_lib.deep.vae import VAE
    >>> vae = VAE(Streams([1, 2]), pixels=9, hidden=8, latent=2)
    >>> black = torch.zeros(2, 4, 9)
    >>> fit(vae, lambda: black, Optimiser(3, 4, 1e-2), Streams([3, 4])).shape
    torch.Size([2])
    """
    rate, decay = optimiser.learning_rate, optimiser.weight_decay
    parameters = list(model.parameters())
    adam = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.98), weight_decay=decay, fused=True)
    device, precision = parameters[0].device.type, optimiser.precision
    scaler = torch.amp.GradScaler(device, enabled=precision == "float16")
    half = torch.autocast(device, getattr(torch, precision), enabled=precision != "float32")
    for step in range(optimiser.steps):
        for group in adam.param_groups:
            group["lr"] = rate * _schedule(step, optimiser.steps)
        with half:
            loss = model.loss(draw(), streams).float().mean(1)
        adam.zero_grad(set_to_none=True)
        scaler.scale(loss.sum()).backward()  # a sum keeps the members' gradients apart
        scaler.step(adam)
        scaler.update()
    return loss.detach()


def _schedule(step: int, steps: int) -> float:
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return min(1, (step + 1) / WARM_UP) * (FINAL + (1 - FINAL) * cosine)
