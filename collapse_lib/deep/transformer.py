"""A stack of small decoder-only transformers, and what is measured of their text."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from collapse_lib._draws import chunks
from collapse_lib._types import Ints
from collapse_lib.deep.stack import Stack, Streams
from collapse_lib.deep.topic_language import TopicLanguage

__all__ = ["TextMeasure", "Transformer"]

Kept = tuple[Tensor, Tensor]
"""Keys and values of a layer."""

COLDEST = 1e-30  # stands for temperature 0: no word but the likeliest has a chance


class Transformer(Stack):
    """Pre-norm decoder over fixed-length sequences; token ``vocabulary`` opens each of them.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms, vocabulary, length, width, layers, heads : int
        Length is in tokens per sequence.
    sample_chunk : int
        Sequences drawn together; on a GPU as many as memory holds.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", arXiv 1706.03762; Radford et al., "Language
    Models are Unsupervised Multitask Learners" (2019) for normalising before each block.

    Examples
    --------
    >>> model = Transformer(Streams([1, 2]), vocabulary=11, length=4, width=8)
    >>> model.sample(5, Streams([3, 4]), torch.ones(2)).shape
    torch.Size([2, 5, 4])
    """

    def __init__(
        self,
        streams: Streams,
        arms: int = 1,
        *,
        vocabulary: int,
        length: int,
        width: int = 32,
        layers: int = 1,
        heads: int = 2,
        sample_chunk: int = 128,
    ) -> None:
        super().__init__(streams, arms)
        self.sample_chunk = sample_chunk
        self.vocabulary, self.length, self.width, self.heads = vocabulary, length, width, heads
        self.token = self.random(vocabulary + 1, width, sd=width**-0.5)
        self.place = self.random(length, width, sd=0.02)
        self.blocks = nn.ModuleList([self._block(layers) for _ in range(layers)])
        self.final_gain = self.constant(1, width, value=1.0)
        self.head = self.linear(width, vocabulary, sd=0.02)
        del self._streams

    def _block(self, layers: int) -> nn.ParameterDict:
        width, spread = self.width, self.width**-0.5
        into_trunk = (2 * layers) ** -0.5  # keeps the sum over all branches at unit size
        parameters = {
            "attention_gain": self.constant(1, width, value=1.0),
            "queries_keys_values": self.random(width, 3 * width, sd=spread),
            "attention_out": self.random(width, width, sd=into_trunk * spread),
            "mlp_gain": self.constant(1, width, value=1.0),
            "mlp_in": self.random(width, 4 * width, sd=spread),
            "mlp_out": self.random(4 * width, width, sd=into_trunk * spread / 2),
        }
        return nn.ParameterDict(parameters)

    def loss(self, x: Tensor, streams: Streams | None = None) -> Tensor:
        """Cross-entropy in nats per token, (members, batch)."""
        logits, y = self._logits_of(x).float(), x.flatten(1).long()
        # torch does not say the type of `apply`.
        loss: Tensor = _CrossEntropy.apply(logits, y)  # type: ignore[no-untyped-call]
        return loss.view(x.shape).mean(-1)

    def _logits_of(self, y: Tensor) -> Tensor:
        """Logits of every token given those before it, (members, batch · length, vocabulary)."""
        y = y.long()  # also holds the number of the opening token
        opening = torch.full_like(y[..., :1], self.vocabulary)
        inputs = torch.cat([opening, y[..., :-1]], dim=-1)
        return self._logits(self._trunk(self._embed(inputs, 0), y.shape[1], y.shape[2]))

    @torch.no_grad()
    def sample(self, n: int, streams: Streams, temperature: Tensor) -> Tensor:
        """Draw sequences with one uniform per token; temperature divides the logits."""
        parts = []
        for part in chunks(n, 1, at_once=self.sample_chunk):
            uniform = streams.uniform(self.length, part.stop - part.start, 1)
            parts.append(self._sample_chunk(self.for_arms(uniform), temperature))
        return torch.cat(parts, dim=1)

    def _sample_chunk(self, uniform: Tensor, temperature: Tensor) -> Tensor:
        members, length, rows, _ = uniform.shape
        y = torch.full((members, rows, length + 1), self.vocabulary, device=uniform.device)
        shape = (members * rows, self.heads, length, self.width // self.heads)
        cache = [(uniform.new_empty(shape), uniform.new_empty(shape)) for _ in self.blocks]
        divisor = temperature.clamp(min=COLDEST).view(-1, 1, 1)
        for t in range(length):
            trunk = self._trunk(self._embed(y[..., t : t + 1], t), rows, 1, cache, t)
            cumulative = (self._logits(trunk) / divisor).float().softmax(-1).cumsum(-1)
            aim = uniform[:, t] * cumulative[..., -1:]
            drawn = torch.searchsorted(cumulative, aim, right=True)
            y[..., t + 1] = drawn.clamp(max=self.vocabulary - 1)[..., 0]
        return y[..., 1:]

    def _embed(self, tokens: Tensor, start: int) -> Tensor:
        """Token and place vectors, (members, rows · time, width)."""
        members, rows, time = tokens.shape
        offset = torch.arange(members, device=tokens.device).view(-1, 1, 1)
        table = self.token.reshape(-1, self.width)
        x = F.embedding(tokens + offset * (self.vocabulary + 1), table)
        x = x + self.place[:, None, start : start + time]
        return x.view(members, rows * time, self.width)

    def _trunk(
        self, x: Tensor, rows: int, time: int, cache: list[Kept] | None = None, start: int = 0
    ) -> Tensor:
        block: Any  # a ModuleList does not tell what it holds
        for layer, block in enumerate(self.blocks):
            kept = None if cache is None else cache[layer]
            x = x + self._attend(x, block, rows, time, kept, start)
            hidden = F.relu(self._read(x, block["mlp_gain"], block["mlp_in"]))
            x = x + torch.bmm(hidden, block["mlp_out"])
        return x

    def _logits(self, trunk: Tensor) -> Tensor:
        weight, bias = self.head
        return self._read(trunk, self.final_gain, weight, bias)

    def _attend(
        self,
        x: Tensor,
        block: nn.ParameterDict,
        rows: int,
        time: int,
        kept: Kept | None,
        start: int,
    ) -> Tensor:
        each = (self.members * rows, time, 3, self.heads, self.width // self.heads)
        stacked = self._read(x, block["attention_gain"], block["queries_keys_values"])
        query, key, value = stacked.view(each).permute(2, 0, 3, 1, 4)
        if kept is None:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            keys, values = kept
            now = slice(start, start + time)
            keys[:, :, now], values[:, :, now] = key, value
            seen = slice(0, start + time)
            mixed = F.scaled_dot_product_attention(query, keys[:, :, seen], values[:, :, seen])
        mixed = mixed.transpose(1, 2).reshape(self.members, rows * time, self.width)
        return torch.bmm(mixed, block["attention_out"])

    def _read(self, x: Tensor, gain: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Normalise x and map it; the gain goes into the weight, which is smaller than x."""
        x, weight = F.layer_norm(x, x.shape[-1:]), gain.mT * weight
        return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)


class _CrossEntropy(torch.autograd.Function):
    """Cross-entropy that computes the softmax once: torch's takes the exponentials again to train.

    Probabilities below 1e-38 count as that in the value, not in the gradient.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, y: Tensor) -> Tensor:
        p = logits.softmax(-1)
        ctx.save_for_backward(p, y)
        return -p.gather(-1, y[..., None])[..., 0].clamp_min(1e-38).log()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        p, y = ctx.saved_tensors
        each = gradients[0][..., None]
        return (p * each).scatter_add_(-1, y[..., None], -each), None


class TextMeasure:
    """Held-out cross-entropy, surviving words and repetition of made text.

    Parameters
    ----------
    train, test : ndarray of int, (rows, length)
    vocabulary : int
    truth : TopicLanguage, optional
        If given, ``kl`` is the divergence of the model from it, in nats per token.

    Notes
    -----
    ``cross_entropy`` is in nats per token on the test rows, at temperature 1; ``counts`` are the
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

    CHUNK = 32  # test rows whose logits are held together

    def __init__(
        self, train: Ints, test: Ints, vocabulary: int, *, truth: TopicLanguage | None = None
    ) -> None:
        self.test, self.vocabulary = torch.as_tensor(test), vocabulary
        self.present = np.bincount(np.ravel(train), minlength=vocabulary) > 0
        self.entropy = None
        if truth is not None:
            self.entropy = -truth.log_probability(test).mean() / np.shape(test)[1]

    def __call__(
        self, model: Transformer, samples: Tensor, temperature: Tensor, streams: Streams
    ) -> dict[str, Any]:
        losses = [
            model.loss(part.to(samples.device).expand(model.members, -1, -1))
            for part in self.test.split(self.CHUNK)
        ]
        cross_entropy = torch.cat(losses, dim=1).mean(1)
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
