"""A stack of small diffusion models on the torus of two angles, and their distance from the truth."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from collapse_lib._draws import chunks
from collapse_lib._types import Floats, Ints
from collapse_lib.deep import pentane
from collapse_lib.deep.pentane import CONFORMERS, TURN, Pentane
from collapse_lib.deep.stack import Stack, Streams, affine

__all__ = ["TorsionDiffusion", "TorsionMeasure"]

CLASHES = [CONFORMERS.index(name) for name in ("g+g−", "g−g+")]
FLOOR = 1e-3  # share of a uniform law mixed into a density, so that ln of it is finite


class TorsionDiffusion(Stack):
    """Score network for wrapped-normal noise on two angles, sampled along the probability flow.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms, hidden, steps : int
        Hidden is the width of the two hidden layers; steps are those of the sampler.
    score_scale : float
        Multiplies the score when sampling; 1 is the model's own law.

    References
    ----------
    Song et al., arXiv 2011.13456 (the probability flow); Karras et al., arXiv 2206.00364
    (Heun steps); Jing et al., arXiv 2206.01729 (torsional diffusion).

    Examples
    --------
    >>> model = TorsionDiffusion(Streams([1, 2]), hidden=8)
    >>> model.sample(5, Streams([3, 4]), None).shape
    torch.Size([2, 5, 2])
    """

    CHUNK = 432  # points pushed together: small enough to stay in cache
    ANGLES, LAYERS = 2, 2
    HARMONICS = 3  # the network sees sines and cosines of so many multiples of each angle
    TIME_HARMONICS = 4
    NOISE = (0.05, 4.0)  # radians, smallest and largest
    DATA_SPREAD = 0.25  # radians; below this noise the network's output is scaled down
    WINDINGS = 3  # turns of the circle that the wrapped normal adds up, each way

    def __init__(
        self,
        streams: Streams,
        arms: int = 1,
        *,
        hidden: int = 64,
        steps: int = 12,
        score_scale: float = 1.0,
    ) -> None:
        super().__init__(streams, arms)
        self.steps, self.score_scale = steps, score_scale
        self.place_features = 2 * self.HARMONICS * self.ANGLES
        sizes = [self.place_features + 2 * self.TIME_HARMONICS + 1] + [hidden] * self.LAYERS
        inner = [self.linear(a, b, sd=a**-0.5) for a, b in itertools.pairwise(sizes)]
        last = self.linear(hidden, self.ANGLES, sd=0.1 * hidden**-0.5)
        self.layers = torch.nn.ModuleList([*inner, last])
        del self._streams

    def scaled_score(self, x: Tensor, log_noise: Tensor) -> Tensor:
        """Noise times score at x, (members, batch, 2).

        Log noise has the shape (members, batch, 1), or (1, 1, 1) for one noise level.
        """
        multiples = [k * x for k in range(1, self.HARMONICS + 1)]
        place = torch.cat([torch.sin(m) for m in multiples] + [torch.cos(m) for m in multiples], -1)
        first: Any = self.layers[0]  # a ModuleList does not tell what it holds
        weight, bias = first
        time = self._time_features(log_noise).expand(self.members, -1, -1)
        hidden = torch.baddbmm(bias, time, weight[:, self.place_features :])
        hidden = hidden + torch.bmm(place, weight[:, : self.place_features])
        for layer in self.layers[1:]:
            hidden = affine(F.silu(hidden), layer)
        noise = log_noise.exp()
        return hidden * noise / (noise**2 + self.DATA_SPREAD**2).sqrt()

    def _time_features(self, log_noise: Tensor) -> Tensor:
        low, high = map(math.log, self.NOISE)
        u = (log_noise - low) / (high - low)
        waves = [math.pi * k * u for k in range(1, self.TIME_HARMONICS + 1)]
        parts = [2 * u - 1] + [torch.cos(w) for w in waves] + [torch.sin(w) for w in waves]
        return torch.cat(parts, dim=-1)

    def loss(self, x: Tensor, streams: Streams) -> Tensor:
        """Denoising score matching, (members, batch): stratified noise levels, ± noise pairs."""
        batch = x.shape[1]
        low, high = map(math.log, self.NOISE)
        strata = torch.arange(batch, device=x.device)[None, :, None]
        level = low + (strata + streams.uniform(batch, 1)) / batch * (high - low)
        level = self.for_arms(level).repeat(1, 2, 1)
        normal = self.for_arms(streams.normal(batch, self.ANGLES))
        shift = level.exp() * torch.cat([normal, -normal], dim=1)
        target = self._wrapped_score(shift, level.exp())
        error = self.scaled_score(x.repeat(1, 2, 1) + shift, level) - target
        return (error**2).sum(-1).view(len(x), 2, batch).mean(1)

    def _wrapped_score(self, shift: Tensor, noise: Tensor) -> Tensor:
        """Noise times the score of a normal wrapped around the circle."""
        turns = TURN * torch.arange(-self.WINDINGS, self.WINDINGS + 1.0, device=shift.device)
        images = _wrapped(shift)[..., None] + turns
        weight = (-(images**2) / (2 * noise**2)[..., None]).softmax(-1)
        return -(weight * images).sum(-1) / noise

    @torch.no_grad()
    def sample(self, n: int, streams: Streams, temperature: Tensor | None = None) -> Tensor:
        """Angles in [−π, π) from uniform noise; temperature is not used."""
        start = TURN * (streams.uniform(n, self.ANGLES) - 0.5)
        return _wrapped(self.flow(self.for_arms(start)))

    @torch.no_grad()
    def flow(self, x: Tensor, *, to_noise: bool = False) -> Tensor:
        """Follow the probability flow from noise to data, or back.

        Heun steps, equal in the logarithm of the noise, then half a denoising step.
        """
        low, high = map(math.log, self.NOISE)
        levels = torch.linspace(high, low, self.steps + 1).tolist()
        half = 0.5 * self.score_scale * self.NOISE[0]
        if to_noise:
            levels = levels[::-1]
            x = x - half * self._score_at(x, low)
        for a, b in itertools.pairwise(levels):
            slope = self._slope(x, a)
            x = x + (b - a) / 2 * (slope + self._slope(x + (b - a) * slope, b))
        return x if to_noise else x + half * self._score_at(x, low)

    def _score_at(self, x: Tensor, level: float) -> Tensor:
        return self.scaled_score(x, torch.full((1, 1, 1), level, device=x.device))

    def _slope(self, x: Tensor, level: float) -> Tensor:
        """dx / d ln noise of the probability flow."""
        return -math.exp(level) * self.score_scale * self._score_at(x, level)

    @torch.no_grad()
    def cell_masses(self, grid: int = 72) -> Tensor:
        """The law of the sampler itself, without sampling: masses of cells, (members, grid, grid).

        A cell's corners are pushed from data to noise, where the law is uniform: its mass is
        the area of the image over (2π)², and they add up to 1. Too few sampler steps fold the
        map, and a scaled score contracts more than the steps back can undo: use 8 steps or more,
        and scale 1.
        """
        device = next(self.parameters()).device
        edge = torch.arange(grid, device=device) * TURN / grid - math.pi
        corners = torch.stack(torch.meshgrid(edge, edge, indexing="ij"), -1).view(1, -1, 2)
        corners = corners.expand(self.members, -1, -1)
        pushed = [self.flow(part, to_noise=True) for part in corners.split(self.CHUNK, dim=1)]
        y = torch.cat(pushed, dim=1).view(self.members, grid, grid, 2).double()
        turn = y.new_tensor([TURN, 0.0])
        y = torch.cat([y, y[:, :1] + turn], dim=1)
        y = torch.cat([y, y[:, :, :1] + turn.flip(0)], dim=2)
        along, across = y[:, 1:, 1:] - y[:, :-1, :-1], y[:, :-1, 1:] - y[:, 1:, :-1]
        area = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
        return area / (2 * TURN**2)


class TorsionMeasure:
    """Divergence of the sampler's own law from the exact one, and its conformers.

    Parameters
    ----------
    truth : Pentane
    samples : bool
        Measure many samples instead of the law by areas: for samplers of fewer than eight
        steps, whose map folds, or of a scaled score, which contracts so strongly that steps
        from data to noise do not undo those from noise to data.

    Notes
    -----
    ``kl`` is in nats, truth against model, on cells of ten degrees; ``clash`` is the mass of g+g−
    and g−g+; ``trans_sd`` is in degrees; ``cells`` are the masses of the 36 × 36 grid; ``counts``
    are the conformers of the samples that the loop feeds back.

    Examples
    --------
    >>> measure = TorsionMeasure(Pentane())
    >>> bool(measure.divergence(measure.truth[None])[0] < 1e-3)  # of the law from itself
    True
    """

    GRID, FINE_GRID, DRAWS = 36, 72, 10_000

    def __init__(self, truth: Pentane, *, samples: bool = False) -> None:
        self.truth, self.samples = truth.cells(self.GRID), samples

    def __call__(
        self, model: TorsionDiffusion, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        if self.samples:
            angles = self._many_samples(model, streams)
            cells, counts = self._histogram(angles), _conformer_counts(angles)
            share = counts / counts.sum(axis=1, keepdims=True)
            width = pentane.sampled_well_sd(angles)
        else:
            fine = model.cell_masses(self.FINE_GRID).cpu().numpy().clip(min=0)
            fine /= fine.sum(axis=(1, 2), keepdims=True)
            cells = pentane.coarser(fine, self.GRID)
            share, width = pentane.populations(fine), pentane.well_sd(fine)
        return {
            "kl": self.divergence(cells),
            "populations": share,
            "clash": share[:, CLASHES].sum(axis=1),
            "trans_sd": width,
            "cells": cells,
            "counts": _conformer_counts(samples.cpu().numpy()),
        }

    def divergence(self, cells: Floats) -> Floats:
        """Divergence of the exact law from laws (members, 36, 36), in nats, (members,)."""
        mixed = (1 - FLOOR) * cells + FLOOR / self.truth.size
        kept = self.truth > 0
        logarithm = np.log(self.truth / mixed, where=kept, out=np.zeros_like(mixed))
        divergence: Floats = (self.truth * logarithm).sum(axis=(1, 2))
        return divergence

    def _many_samples(self, model: TorsionDiffusion, streams: Streams) -> Floats:
        parts = chunks(self.DRAWS, 1, at_once=model.CHUNK)
        draws = [model.sample(part.stop - part.start, streams) for part in parts]
        return torch.cat(draws, dim=1).cpu().numpy()

    def _histogram(self, angles: Floats) -> Floats:
        cell = ((angles / TURN + 0.5) * self.GRID).astype(int).clip(0, self.GRID - 1)
        number = cell[..., 0] * self.GRID + cell[..., 1]
        counts = _counts(number, self.GRID**2).reshape(-1, self.GRID, self.GRID)
        return counts / float(number.shape[1])


def _conformer_counts(samples: Floats) -> Ints:
    return _counts(pentane.conformer(samples), len(CONFORMERS))


def _counts(numbers: Ints, kinds: int) -> Ints:
    """How often each number from 0 occurs in every row, (rows, kinds)."""
    return np.stack([np.bincount(row, minlength=kinds) for row in numbers])


def _wrapped(angle: Tensor) -> Tensor:
    """The same angle in [−π, π)."""
    return torch.remainder(angle + math.pi, TURN) - math.pi
