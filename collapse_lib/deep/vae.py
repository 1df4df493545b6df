"""A stack of small variational autoencoders, and what is measured of its images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from collapse_lib._types import Floats
from collapse_lib.deep.judge import Judge, frechet_distance, precision_and_recall
from collapse_lib.deep.stack import Stack, Streams, affine

__all__ = ["VAE", "ImageMeasure"]


class VAE(Stack):
    """Two-layer encoder and decoder, Gaussian likelihood with one learned noise level.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms, pixels, hidden, latent : int
        Pixels of an image, width of the hidden layers, numbers in a code.

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
        """Negative evidence lower bound in nats per image, (members, batch)."""
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


class ImageMeasure:
    """Held-out likelihood, Fréchet distance, precision, recall, classes of made images.

    Parameters
    ----------
    real, test : ndarray, (n, pixels)
    judge : Judge

    Notes
    -----
    ``negative_elbo`` is in nats per image on the test images, averaged over four draws of the
    code; ``own_negative_elbo`` the same on the model's own samples. ``noise`` is the learned
    standard deviation of a pixel. ``classes`` counts those with at least 1 % of the made
    images; ``class_share`` is a vector; ``variance`` is total pixel variance as a share of the
    test images'.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images, labels = rng.random((60, 4)), rng.integers(2, size=60)
    >>> measure = ImageMeasure(images, images[:20], Judge.train(images, labels, hidden=(8,)))
    >>> measure.real_features.shape
    (60, 8)
    """

    DRAWS = 4  # of the code
    POINTS = 600  # images used for precision and recall, whose cost is quadratic
    MOST = 10_000  # made images that the judge looks at

    def __init__(self, real: Floats, test: Floats, judge: Judge) -> None:
        self.test, self.judge = torch.as_tensor(test), judge
        self.real_features = judge.features(real)
        self.test_variance = np.var(test, axis=0).sum()

    def __call__(
        self, model: VAE, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        test = self.test.to(samples.device).expand(model.members, -1, -1)
        draws = [model.loss(test, streams).mean(1) for _ in range(self.DRAWS)]
        looked_at = samples[:, : self.MOST].float().cpu().numpy()
        rows = [self._of_images(images) for images in looked_at]
        measured: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return measured | {
            "negative_elbo": torch.stack(draws).mean(0),
            "own_negative_elbo": model.loss(samples[:, : test.shape[1]], streams).mean(1),
            "noise": model.log_noise.exp().flatten(),
        }

    def _of_images(self, images: Floats) -> dict[str, Any]:
        features = self.judge.features(images)
        share = (self.judge.classes(images)[:, None] == self.judge.labels).mean(axis=0)
        near = precision_and_recall(self.real_features[: self.POINTS], features[: self.POINTS])
        return {
            "frechet": frechet_distance(self.real_features, features),
            "precision": near[0],
            "recall": near[1],
            "class_share": share,
            "classes": (share >= 0.01).sum(),
            "variance": images.var(axis=0).sum() / self.test_variance,
        }
