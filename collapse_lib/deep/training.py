"""One fit of a stack: AdamW with a warm-up and a cosine, one gradient for all members."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from collapse_lib.deep.stack import Stack, Streams

__all__ = ["Optimiser", "fit"]

WARM_UP = 20  # steps
FINAL = 0.05  # of the learning rate, at the end


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


def fit(
    model: Stack,
    draw: Callable[[], Tensor],
    optimiser: Optimiser,
    streams: Streams,
    *,
    steps: int | None = None,
) -> torch.Tensor:
    """Train a stack in place.

    Parameters
    ----------
    model : Stack
    draw : callable
        Returns the next minibatch, (members, batch, …).
    optimiser : Optimiser
    streams : Streams
        Noise that the loss needs.
    steps : int, optional
        Instead of ``optimiser.steps``.

    Returns
    -------
    torch.Tensor, (members,)
        Loss of the last minibatch.

    Examples
    --------
    >>> from collapse_lib.deep.vae import VAE
    >>> vae = VAE(Streams([1, 2]), pixels=9, hidden=8, latent=2)
    >>> black = torch.zeros(2, 4, 9)
    >>> fit(vae, lambda: black, Optimiser(3, 4, 1e-2), Streams([3, 4])).shape
    torch.Size([2])
    """
    steps = optimiser.steps if steps is None else steps
    parameters = list(model.parameters())
    adam = torch.optim.AdamW(
        parameters,
        optimiser.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=optimiser.weight_decay,
        fused=True,
    )
    device = parameters[0].device.type
    scaler = torch.amp.GradScaler(device, enabled=optimiser.precision == "float16")
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = optimiser.learning_rate * _schedule(step, steps)
        with _arithmetic(device, optimiser.precision):
            loss = model.loss(draw(), streams).float().mean(1)
        adam.zero_grad(set_to_none=True)
        scaler.scale(loss.sum()).backward()  # a sum keeps the members' gradients apart
        scaler.step(adam)
        scaler.update()
    return loss.detach()


def _schedule(step: int, steps: int) -> float:
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return min(1, (step + 1) / WARM_UP) * (FINAL + (1 - FINAL) * cosine)


def _arithmetic(device: str, precision: str) -> contextlib.AbstractContextManager[object]:
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device, dtype=getattr(torch, precision))
