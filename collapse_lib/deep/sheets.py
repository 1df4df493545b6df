"""Sheets of images sorted by the class that a fixed classifier sees in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from collapse_lib._types import Floats, Ints
from collapse_lib.checks import whole_number
from collapse_lib.deep.image_metrics import Judge
from collapse_lib.deep.stack import Stack, Streams

__all__ = ["ClassSheet", "by_class", "mosaic"]


def by_class(images: Floats, classes: Ints, labels: Sequence[int], each: int) -> Floats:
    """The first few images of every class, NaN where a class has too few.

    Parameters
    ----------
    images : ndarray, (n, pixels)
    classes : ndarray, (n,)
        The class of each image.
    labels : sequence
        All classes, in the order of the result.
    each : int
        Images a class.

    Returns
    -------
    ndarray, (classes, each, pixels)

    Examples
    --------
    >>> by_class(np.array([[0.25], [0.5]]), np.array([1, 1]), [0, 1], 1).ravel().tolist()
    [nan, 0.25]
    """
    sheet = np.full((len(labels), whole_number("each", each, minimum=1), images.shape[1]), np.nan)
    for place, label in enumerate(labels):
        chosen = images[classes == label][:each]
        sheet[place, : len(chosen)] = chosen
    return sheet.astype(np.float32)


def mosaic(
    sheet: Floats, side: int, *, gap: int = 1, nothing: float = 0.5, between: float = 1.0
) -> Floats:
    """Lay a sheet out as one picture: a column a class.

    Parameters
    ----------
    sheet : ndarray, (classes, each, side²)
        As from `by_class`: 0 is paper, 1 is ink.
    side : int
        Height and width of an image.
    gap : int
        Pixels between images.
    nothing, between : float
        Brightness where there is no image, and of the gaps.

    Returns
    -------
    ndarray, (height, width)
        Brightness: 1 is white.

    Examples
    --------
    >>> mosaic(np.full((3, 2, 16), np.nan), side=4).shape
    (9, 14)
    """
    columns, rows = sheet.shape[:2]
    bright = np.where(np.isnan(sheet), nothing, 1 - sheet.clip(0, 1))
    cells = np.full((columns, rows, side + gap, side + gap), between)
    cells[:, :, :side, :side] = bright.reshape(columns, rows, side, side)
    whole = cells.transpose(1, 2, 0, 3).reshape(rows * (side + gap), columns * (side + gap))
    return whole[: whole.shape[0] - gap, : whole.shape[1] - gap]


class ClassSheet:
    """Passed to an `Experiment` as ``show``: decoder means, sorted by the class seen in them.

    Parameters
    ----------
    judge : Judge
    each : int
        Images a class.
    draws : int
        Images made, of which the first of each class are kept.

    Notes
    -----
    The streams go on as if nothing had been drawn: what is shown changes no number.

    Examples
    --------
    >>> from collapse_lib.deep.vae import VAE
    >>> rng = np.random.default_rng(1)
    >>> judge = Judge.train(rng.random((60, 4)), rng.integers(2, size=60), hidden=(8,))
    >>> vae = VAE(Streams([1]), pixels=4, hidden=4, latent=2)
    >>> ClassSheet(judge, each=3, draws=50)(vae, torch.zeros(1), Streams([2])).shape
    (1, 2, 3, 4)
    """

    def __init__(self, judge: Judge, *, each: int = 4, draws: int = 1000) -> None:
        self.judge, self.each, self.draws = judge, each, draws

    def __call__(self, model: Stack, samples: torch.Tensor, streams: Streams) -> Floats:
        state = streams.state()
        means = model.sample(self.draws, streams, torch.zeros(model.members, device=samples.device))
        streams.restore(state)
        labels = self.judge.network.classes_
        return np.stack(
            [
                by_class(images, self.judge.classes(images), labels, self.each)
                for images in means.float().cpu().numpy()
            ]
        )
