"""A stack of small diffusion models on a torus of angles."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from collapse_lib.deep.stack import Stack, Streams, affine

__all__ = ["TorsionDiffusion", "wrapped"]

TURN = 2 * math.pi


class TorsionDiffusion(Stack):
    """Score network for wrapped-normal noise on angles, sampled along the probability flow.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms : int
    angles, hidden, layers : int
        Angles a molecule; width and number of hidden layers.
    harmonics : int
        The network sees sines and cosines of so many multiples of each angle.
    noise : (float, float)
        Smallest and largest noise, in radians.
    steps : int
        Steps of the sampler.
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
    WINDINGS = 3  # turns of the circle that the wrapped normal adds up, each way
    TIME_HARMONICS = 4
    DATA_SPREAD = 0.25  # radians; below this noise the network's output is scaled down

    def __init__(
        self,
        streams: Streams,
        arms: int = 1,
        *,
        angles: int = 2,
        hidden: int = 64,
        layers: int = 2,
        harmonics: int = 3,
        noise: tuple[float, float] = (0.05, 4.0),
        steps: int = 12,
        score_scale: float = 1.0,
    ) -> None:
        super().__init__(streams, arms)
        self.angles, self.harmonics, self.noise = angles, harmonics, noise
        self.steps, self.score_scale = steps, score_scale
        self.place_features = 2 * harmonics * angles
        sizes = [self.place_features + 2 * self.TIME_HARMONICS + 1] + [hidden] * layers
        inner = [self.linear(a, b, sd=a**-0.5) for a, b in itertools.pairwise(sizes)]
        last = self.linear(hidden, angles, sd=0.1 * hidden**-0.5)
        self.layers = torch.nn.ModuleList([*inner, last])
        del self._streams

    def scaled_score(self, x: Tensor, log_noise: Tensor) -> Tensor:
        """Noise times score, (members, batch, angles).

        Parameters
        ----------
        x : Tensor, (members, batch, angles)
        log_noise : Tensor, (members, batch, 1), or (1, 1, 1) for one noise level
        """
        multiples = [k * x for k in range(1, self.harmonics + 1)]
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
        low, high = map(math.log, self.noise)
        u = (log_noise - low) / (high - low)
        waves = [math.pi * k * u for k in range(1, self.TIME_HARMONICS + 1)]
        parts = [2 * u - 1] + [torch.cos(w) for w in waves] + [torch.sin(w) for w in waves]
        return torch.cat(parts, dim=-1)

    def loss(self, x: Tensor, streams: Streams) -> Tensor:
        """Denoising score matching, (members, batch): stratified noise levels, ± noise pairs."""
        batch = x.shape[1]
        low, high = map(math.log, self.noise)
        strata = torch.arange(batch, device=x.device)[None, :, None]
        level = low + (strata + streams.uniform(batch, 1)) / batch * (high - low)
        level = self.for_arms(level).repeat(1, 2, 1)
        normal = self.for_arms(streams.normal(batch, self.angles))
        shift = level.exp() * torch.cat([normal, -normal], dim=1)
        target = self._wrapped_score(shift, level.exp())
        error = self.scaled_score(x.repeat(1, 2, 1) + shift, level) - target
        return (error**2).sum(-1).view(len(x), 2, batch).mean(1)

    def _wrapped_score(self, shift: Tensor, noise: Tensor) -> Tensor:
        """Noise times the score of a normal wrapped around the circle."""
        turns = TURN * torch.arange(-self.WINDINGS, self.WINDINGS + 1.0, device=shift.device)
        images = wrapped(shift)[..., None] + turns
        weight = (-(images**2) / (2 * noise**2)[..., None]).softmax(-1)
        return -(weight * images).sum(-1) / noise

    @torch.no_grad()
    def sample(self, n: int, streams: Streams, temperature: Tensor | None = None) -> Tensor:
        """Angles in [−π, π), (members, n, angles), from uniform noise; temperature is not used."""
        start = TURN * (streams.uniform(n, self.angles) - 0.5)
        return wrapped(self.flow(self.for_arms(start)))

    @torch.no_grad()
    def flow(self, x: Tensor, *, to_noise: bool = False) -> Tensor:
        """Follow the probability flow from noise to data, or back.

        Heun steps, equal in the logarithm of the noise, then half a denoising step.
        """
        low, high = map(math.log, self.noise)
        levels = torch.linspace(high, low, self.steps + 1).tolist()
        half = 0.5 * self.score_scale * self.noise[0]
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
        """The law of the sampler itself, without sampling: masses of cells of two angles.

        A cell's corners are pushed from data to noise, where the law is uniform: its mass is
        the area of the image over (2π)². Too few sampler steps fold the map, and a scaled
        score contracts more than the steps back can undo: use 8 steps or more, and scale 1.

        Returns
        -------
        Tensor, (members, grid, grid)
            They add up to 1.
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


def wrapped(angle: Tensor) -> Tensor:
    """The same angle in [−π, π).

    Parameters
    ----------
    angle : Tensor, (…)
        In radians.

    Returns
    -------
    Tensor, of the same shape

    Examples
    --------
    >>> round(float(wrapped(torch.tensor(2 * math.pi + 1))), 5)
    1.0
    """
    return torch.remainder(angle + math.pi, TURN) - math.pi
