"""A stack of small variational autoencoders."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from collapse_lib.deep.stack import Stack, Streams, affine

__all__ = ["VAE"]


class VAE(Stack):
    """Two-layer encoder and decoder, Gaussian likelihood with one learned noise level.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms : int
    pixels, hidden, latent : int
        Sizes of an image, of the hidden layers and of the code.

    References
    ----------
    Kingma & Welling, "Auto-Encoding Variational Bayes", arXiv 1312.6114.

    Examples
    --------
    >>> vae = VAE(Streams([1, 2]), pixels=9, hidden=8, latent=3)
    >>> vae.sample(5, Streams([3, 4]), torch.ones(2)).shape
    torch.Size([2, 5, 9])
    """

    CHUNK = 4096  # images decoded together

    def __init__(
        self, streams: Streams, arms: int = 1, *, pixels: int, hidden: int = 128, latent: int = 6
    ) -> None:
        super().__init__(streams, arms)
        self.latent, self.pixels = latent, pixels
        self.encoder = torch.nn.ModuleList(
            [self.linear(pixels, hidden), self.linear(hidden, 2 * latent)]
        )
        self.decoder = torch.nn.ModuleList(
            [self.linear(latent, hidden), self.linear(hidden, pixels)]
        )
        self.log_noise = self.constant(1, 1, value=-1.0)
        del self._streams

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code, each (members, batch, latent)."""
        hidden = affine(x, self.encoder[0]).relu_()
        mean, log_variance = affine(hidden, self.encoder[1]).chunk(2, dim=-1)
        return mean, log_variance.clamp(-10, 4)

    def decode(self, code: Tensor) -> Tensor:
        """Mean image of a code, (members, batch, pixels)."""
        return affine(affine(code, self.decoder[0]).relu_(), self.decoder[1]).sigmoid_()

    def loss(self, x: Tensor, streams: Streams) -> Tensor:
        """Negative evidence lower bound in nats an image, (members, batch)."""
        mean, log_variance = self.encode(x)
        noise = self.for_arms(streams.normal(x.shape[1], self.latent))
        image = self.decode(mean + (0.5 * log_variance).exp() * noise)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)
        log_noise = self.log_noise.squeeze(-1)
        error = ((x - image) ** 2).sum(-1) / (2 * (2 * log_noise).exp())
        return error + self.pixels * (log_noise + 0.5 * math.log(2 * math.pi)) + divergence

    @torch.no_grad()
    def sample(self, n: int, streams: Streams, temperature: Tensor) -> Tensor:
        """Images, clipped to [0, 1]. Temperature scales the pixel noise: 0 gives decoder means."""
        images = self.log_noise.new_empty(self.members, n, self.pixels)
        for part in images.split(self.CHUNK, dim=1):  # views: each is filled in place
            part.copy_(self.decode(self.for_arms(streams.normal(part.shape[1], self.latent))))
            noise = self.for_arms(streams.normal(part.shape[1], self.pixels))
            part.add_(temperature.view(-1, 1, 1) * (noise * self.log_noise.exp())).clamp_(0, 1)
        return images
