"""A language with known truth: hidden topics that re-weight one Zipf law of words.

The forward algorithm gives the exact probability of every text, so that a model's distance
from the truth is measured against the truth itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from collapse_lib._types import ArrayLike, Floats, Ints, Rng
from collapse_lib.checks import as_generator, positive, probability, whole_number

__all__ = ["TopicLanguage"]


@dataclass(frozen=True)
class TopicLanguage:
    """A hidden Markov model: a topic stays with probability ``stay``, else another is drawn.

    Attributes
    ----------
    words, topics : int
    stay : float
        Probability that the next word has the same topic without a new draw.
    exponent : float
        Of the Zipf law; the word of rank r has weight r to the minus this.
    contrast : float
        Standard deviation of the logarithm by which a topic changes a word's weight.
    seed : int
        Draws the language itself: `emission` of words by topics, `transition` and `start` of
        the topics.

    References
    ----------
    L. R. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989).

    Examples
    --------
    >>> language = TopicLanguage(words=2, topics=2)
    >>> texts = np.array([[a, b] for a in range(2) for b in range(2)])
    >>> round(float(np.exp(language.log_probability(texts)).sum()), 10)
    1.0
    """

    words: int = 256
    topics: int = 6
    stay: float = 0.9
    exponent: float = 1.2
    contrast: float = 1.5
    seed: int = 0
    emission: Floats = field(init=False, repr=False, compare=False)
    transition: Floats = field(init=False, repr=False, compare=False)
    start: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole_number("words", self.words, minimum=2)
        whole_number("topics", self.topics, minimum=1)
        probability("stay", self.stay)
        positive("exponent", self.exponent, zero=True)
        positive("contrast", self.contrast, zero=True)
        rng = as_generator(self.seed)
        weights = np.arange(1, self.words + 1) ** -float(self.exponent)
        emission = weights * np.exp(self.contrast * rng.standard_normal((self.topics, self.words)))
        drawn = rng.dirichlet(np.full(self.topics, 0.5), self.topics)
        transition = self.stay * np.eye(self.topics) + (1 - self.stay) * drawn
        values, vectors = np.linalg.eig(transition.T)
        resting = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
        object.__setattr__(self, "emission", emission / emission.sum(axis=1, keepdims=True))
        object.__setattr__(self, "transition", transition)
        object.__setattr__(self, "start", resting / resting.sum())

    def sample(self, rows: int, length: int, *, rng: Rng = None) -> Ints:
        """Draw texts, (rows, length), of int16 word numbers."""
        rng = as_generator(rng)
        text = np.empty((rows, length), dtype=np.int16)
        topic = _draw(np.broadcast_to(self.start, (rows, self.topics)), rng)
        for t in range(length):
            text[:, t] = _draw(self.emission[topic], rng)
            topic = _draw(self.transition[topic], rng)
        return text

    def log_probability(self, text: ArrayLike) -> Floats:
        """ln probability of each text, (rows,), by the forward algorithm."""
        text = np.asarray(text)
        if text.ndim != 2 or (text < 0).any() or (text >= self.words).any():
            raise ValueError(f"text must be rows of numbers from 0 to {self.words - 1}, got {text}")
        forward = np.broadcast_to(self.start, (len(text), self.topics))
        total = np.zeros(len(text))
        for t in range(text.shape[1]):
            forward = forward * self.emission.T[text[:, t]]
            seen = forward.sum(axis=1, keepdims=True)
            total += np.log(seen[:, 0])
            forward = forward / seen @ self.transition
        return total


def _draw(probabilities: Floats, rng: np.random.Generator) -> Ints:
    """One draw from each row."""
    cumulative = probabilities.cumsum(axis=1)
    aim = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
    drawn: Ints = (aim >= cumulative).sum(axis=1).clip(max=cumulative.shape[1] - 1)
    return drawn
