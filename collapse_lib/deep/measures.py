"""What is measured of a stack in every generation; each measure is passed to an `Experiment`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from collapse_lib._types import Floats, Ints
from collapse_lib.deep.image_metrics import Judge, frechet_distance, precision_and_recall
from collapse_lib.deep.pentane import (
    CONFORMERS,
    Pentane,
    coarser,
    conformer,
    populations,
    sampled_well_sd,
    well_sd,
)
from collapse_lib.deep.stack import Streams
from collapse_lib.deep.topic_language import TopicLanguage
from collapse_lib.deep.torsion import TorsionDiffusion
from collapse_lib.deep.transformer import Transformer
from collapse_lib.deep.vae import VAE

__all__ = ["ImageMeasure", "TextMeasure", "TorsionMeasure"]

CLASHES = [CONFORMERS.index(name) for name in ("g+g−", "g−g+")]
FLOOR = 1e-3  # share of a uniform law mixed into a density, so that ln of it is finite


class ImageMeasure:
    """Held-out likelihood, Fréchet distance, precision, recall, classes of made images.

    Parameters
    ----------
    real, test : ndarray, (n, pixels)
    judge : Judge
    points : int
        Images used for precision and recall, whose cost is quadratic.
    most : int
        Made images that the classifier looks at.

    Notes
    -----
    ``negative_elbo`` is in nats an image on the test images, averaged over four draws of the
    code; ``own_negative_elbo`` the same on the model's own samples. ``noise`` is the learned
    standard deviation of a pixel. ``classes`` counts those with at least 1 % of the made images; ``class_share`` is a
    vector; ``variance`` is total pixel variance as a share of the test images'.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images, labels = rng.random((60, 4)), rng.integers(2, size=60)
    >>> measure = ImageMeasure(images, images[:20], Judge.train(images, labels, hidden=(8,)))
    >>> measure.real_features.shape
    (60, 8)
    """

    DRAWS = 4

    def __init__(
        self, real: Floats, test: Floats, judge: Judge, *, points: int = 600, most: int = 10_000
    ) -> None:
        self.test, self.judge, self.points = torch.as_tensor(test), judge, points
        self.most = most
        self.real_features = judge.features(real)
        self.test_variance = np.var(test, axis=0).sum()

    def __call__(
        self, model: VAE, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        test = self.test.to(samples.device).expand(model.members, -1, -1)
        draws = [model.loss(test, streams).mean(1) for _ in range(self.DRAWS)]
        looked_at = samples[:, : self.most].float().cpu().numpy()
        rows = [self._of_images(images) for images in looked_at]
        measured: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return measured | {
            "negative_elbo": torch.stack(draws).mean(0),
            "own_negative_elbo": model.loss(samples[:, : test.shape[1]], streams).mean(1),
            "noise": model.log_noise.exp().flatten(),
        }

    def _of_images(self, images: Floats) -> dict[str, Any]:
        features = self.judge.features(images)
        labels = self.judge.network.classes_
        share = (self.judge.classes(images)[:, None] == labels).mean(axis=0)
        near = precision_and_recall(self.real_features[: self.points], features[: self.points])
        return {
            "frechet": frechet_distance(self.real_features, features),
            "precision": near[0],
            "recall": near[1],
            "class_share": share,
            "classes": (share >= 0.01).sum(),
            "variance": images.var(axis=0).sum() / self.test_variance,
        }


class TextMeasure:
    """Held-out cross-entropy, surviving words and repetition of made text.

    Parameters
    ----------
    train, test : ndarray of int, (rows, length)
    vocabulary : int
    truth : TopicLanguage, optional
        If given, ``kl`` is the divergence of the model from it, in nats a token.
    chunk : int
        Test rows whose logits are held together.

    Notes
    -----
    ``cross_entropy`` is in nats a token on the test rows, at temperature 1; ``counts`` are the
    words of the made text; ``survival`` is the share of the training text's words among them;
    ``distinct_pairs`` is different neighbouring pairs over all pairs; ``repeats`` is the share
    of words equal to the one before.

    Examples
    --------
    >>> text = np.array([[0, 1, 1], [2, 0, 2]])
    >>> measure = TextMeasure(text, text, vocabulary=4)
    >>> model = Transformer(Streams([1]), vocabulary=4, length=3, width=4)
    >>> measured = measure(model, torch.as_tensor(text)[None], torch.ones(1), Streams([2]))
    >>> measured["counts"].tolist(), measured["survival"].tolist()
    ([[2, 2, 2, 0]], [1.0])
    """

    def __init__(
        self,
        train: Ints,
        test: Ints,
        vocabulary: int,
        *,
        truth: TopicLanguage | None = None,
        chunk: int = 32,
    ) -> None:
        self.test, self.vocabulary, self.chunk = torch.as_tensor(test), vocabulary, chunk
        self.present = np.bincount(np.ravel(train), minlength=vocabulary) > 0
        self.entropy = None
        if truth is not None:
            self.entropy = -truth.log_probability(test).mean() / np.shape(test)[1]

    def __call__(
        self, model: Transformer, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        parts = [
            model.loss(part.to(samples.device).expand(model.members, -1, -1))
            for part in self.test.split(self.chunk)
        ]
        cross_entropy = torch.cat(parts, dim=1).mean(1)
        rows = [self._of_text(text) for text in samples.cpu().numpy()]
        measured: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        measured["cross_entropy"] = cross_entropy
        if self.entropy is not None:
            measured["kl"] = cross_entropy - self.entropy
        return measured

    def _of_text(self, text: Ints) -> dict[str, Any]:
        counts = np.bincount(text.ravel(), minlength=self.vocabulary)
        pairs = text[:, :-1].astype(int) * self.vocabulary + text[:, 1:]
        return {
            "counts": counts,
            "survival": (counts[self.present] > 0).mean(),
            "distinct_pairs": np.unique(pairs).size / pairs.size,
            "repeats": (text[:, 1:] == text[:, :-1]).mean(),
        }


class TorsionMeasure:
    """Divergence of the sampler's own law from the exact one, and its conformers.

    Parameters
    ----------
    truth : Pentane
    grid : int
        Cells a side on which the law is computed; 36 (ten degrees) for the divergence.
    samples : bool
        Measure many samples instead of the law by areas: for samplers of fewer than eight
        steps, whose map folds, or of a scaled score, which contracts so strongly that steps
        from data to noise do not undo those from noise to data.

    Notes
    -----
    ``kl`` is in nats, truth against model; ``clash`` is the mass of g+g− and g−g+;
    ``trans_sd`` is in degrees; ``cells`` are the masses of the 36 × 36 grid; ``counts`` are
    the conformers of the samples that the loop feeds back.

    Examples
    --------
    >>> measure = TorsionMeasure(Pentane())
    >>> bool(measure.divergence(measure.truth[None])[0] < 1e-3)  # of the law from itself
    True
    """

    KL_GRID, DRAWS = 36, 10_000

    def __init__(self, truth: Pentane, *, grid: int = 72, samples: bool = False) -> None:
        self.truth, self.grid, self.samples = truth.cells(self.KL_GRID), grid, samples

    def __call__(
        self, model: TorsionDiffusion, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        if self.samples:
            angles = self._many_samples(model, streams)
            cells = self._histogram(angles)
            counts = _conformer_counts(angles)
            share, width = counts / counts.sum(axis=1, keepdims=True), sampled_well_sd(angles)
        else:
            fine = model.cell_masses(self.grid).cpu().numpy().clip(min=0)
            fine /= fine.sum(axis=(1, 2), keepdims=True)
            cells = coarser(fine, self.KL_GRID)
            share, width = populations(fine), well_sd(fine)
        return {
            "kl": self.divergence(cells),
            "populations": share,
            "clash": share[:, CLASHES].sum(axis=1),
            "trans_sd": width,
            "cells": cells,
            "counts": _conformer_counts(samples.cpu().numpy()),
        }

    def divergence(self, cells: Floats) -> Floats:
        """Divergence of the exact law from laws on the 36 × 36 grid, in nats.

        Parameters
        ----------
        cells : ndarray, (members, 36, 36)

        Returns
        -------
        ndarray, (members,)
        """
        mixed = (1 - FLOOR) * cells + FLOOR / self.truth.size
        kept = self.truth > 0
        divergence: Floats = (
            self.truth * np.log(self.truth / mixed, where=kept, out=np.zeros_like(mixed))
        ).sum(axis=(1, 2))
        return divergence

    def _many_samples(self, model: TorsionDiffusion, streams: Streams) -> Floats:
        draws = [model.sample(model.CHUNK, streams) for _ in range(self.DRAWS // model.CHUNK)]
        return torch.cat(draws, dim=1).cpu().numpy()

    def _histogram(self, angles: Floats) -> Floats:
        cell = ((angles / (2 * np.pi) + 0.5) * self.KL_GRID).astype(int)
        cell = cell.clip(0, self.KL_GRID - 1)
        number = cell[..., 0] * self.KL_GRID + cell[..., 1]
        counts = [np.bincount(row, minlength=self.KL_GRID**2) for row in number]
        share: Floats = np.reshape(counts, (-1, self.KL_GRID, self.KL_GRID)) / number.shape[1]
        return share


def _conformer_counts(samples: Floats) -> Ints:
    numbers = conformer(samples)
    return np.stack([np.bincount(row, minlength=len(CONFORMERS)) for row in numbers])
