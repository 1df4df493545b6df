"""A linear softmax layer over shared context features, fitted by maximum likelihood.

The next word after context c has probabilities softmax(φ_c W): the contexts share the d × s
table of scores W through their feature vectors φ_c. One-hot features share nothing, and the
fit is then the next-word frequencies of each context.

The model: C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import Floats
from collapse_lib.checks import array, whole_number

__all__ = ["fit", "predict"]

RIDGE = 1e-6  # keeps the scores finite where the likelihood has no maximum
LONGEST_STEP = 2.0  # largest change of a score in one Newton step


def predict(features: Floats, scores: Floats) -> Floats:
    """Next-word probabilities of every context.

    Parameters
    ----------
    features : ndarray, (replicates, contexts, d)
    scores : ndarray, (replicates, d, words − 1)
        The last word has score zero.

    Returns
    -------
    ndarray, (replicates, contexts, words)

    Examples
    --------
    >>> predict(np.ones((1, 1, 1)), np.zeros((1, 1, 2))).round(3)
    array([[[0.333, 0.333, 0.333]]])
    """
    score = features @ scores
    score = np.concatenate([score, np.zeros((*score.shape[:2], 1))], axis=2)
    weight = np.exp(score - score.max(axis=2, keepdims=True))
    chances: Floats = weight / weight.sum(axis=2, keepdims=True)
    return chances


def fit(
    features: Floats, frequencies: Floats, *, start: Floats | None = None, steps: int = 8
) -> Floats:
    """Fit the scores by maximum likelihood, every context weighing the same.

    Parameters
    ----------
    features : ndarray, (replicates, contexts, d)
    frequencies : ndarray, (replicates, contexts, words)
        Next-word frequencies of each context.
    start : ndarray, (replicates, d, words − 1), optional
        Scores to start from; by default zero.
    steps : int
        Newton steps, at least 1. Eight are plenty from the scores of the model sampled from.

    Returns
    -------
    ndarray, (replicates, d, words − 1)

    Notes
    -----
    Newton's method; a step is shortened if it would move a score by more than 2. A ridge of
    1e-6 keeps the scores finite where a word is missing from the data.

    Examples
    --------
    >>> seen = np.array([[[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]])
    >>> one_hot = np.eye(2)[None]
    >>> predict(one_hot, fit(one_hot, seen)).round(3)
    array([[[0.5, 0.3, 0.2],
            [0.1, 0.1, 0.8]]])
    """
    features = array("features", features, ndim=3)
    frequencies = array("frequencies", frequencies, ndim=3)
    if features.shape[:2] != frequencies.shape[:2]:
        raise ValueError(
            "features and frequencies must be (replicates, contexts, …) alike, "
            f"got {features.shape} and {frequencies.shape}"
        )
    runs, _, d = features.shape
    free = frequencies.shape[2] - 1
    shape = (runs, d, free)
    scores = np.zeros(shape) if start is None else array("start", start, ndim=3)
    if scores.shape != shape:
        raise ValueError(f"start must be (replicates, d, words − 1) = {shape}, got {scores.shape}")
    diagonal = np.arange(free)
    for _ in range(whole_number("steps", steps, minimum=1)):
        p = predict(features, scores)[..., :free]
        slope = features.swapaxes(1, 2) @ (frequencies[..., :free] - p) - RIDGE * scores
        spread = -p[..., :, None] * p[..., None, :]
        spread[..., diagonal, diagonal] += p
        curvature = np.einsum("rca,rcij,rcb->raibj", features, spread, features, optimize=True)
        curvature = curvature.reshape(runs, d * free, d * free) + RIDGE * np.eye(d * free)
        step = np.linalg.solve(curvature, slope.reshape(runs, -1, 1)).reshape(scores.shape)
        longest = np.abs(features @ step).max(axis=(1, 2), keepdims=True)
        scores = scores + step * np.minimum(1, LONGEST_STEP / np.maximum(longest, LONGEST_STEP))
    return scores
