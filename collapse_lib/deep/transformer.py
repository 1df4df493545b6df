"""A stack of small decoder-only transformers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from collapse_lib.deep.stack import Stack, Streams

__all__ = ["Transformer"]

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer."""


class Transformer(Stack):
    """Pre-norm decoder over fixed-length sequences; token ``vocabulary`` opens each of them.

    Parameters
    ----------
    streams : Streams
        Initial weights.
    arms : int
    vocabulary, length : int
        Number of tokens; tokens a sequence.
    width, layers, heads : int
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
        return nn.ParameterDict(
            {
                "attention_gain": self.constant(1, width, value=1.0),
                "queries_keys_values": self.random(width, 3 * width, sd=spread),
                "attention_out": self.random(width, width, sd=into_trunk * spread),
                "mlp_gain": self.constant(1, width, value=1.0),
                "mlp_in": self.random(width, 4 * width, sd=spread),
                "mlp_out": self.random(4 * width, width, sd=into_trunk * spread / 2),
            }
        )

    def token_loss(self, y: Tensor, temperature: Tensor | None = None) -> Tensor:
        """−ln probability of every token, (members, batch, length).

        With a temperature, (members,), of the tempered law that `sample` draws from.
        """
        logits = self._logits_of(y)
        if temperature is not None:
            logits = logits / temperature.view(-1, 1, 1)
        loss = F.cross_entropy(
            logits.reshape(-1, self.vocabulary).float(), y.reshape(-1).long(), reduction="none"
        )
        return loss.view(y.shape)

    def loss(self, x: Tensor, streams: Streams | None = None) -> Tensor:
        """Cross-entropy in nats a token, (members, batch)."""
        logits, y = self._logits_of(x).float(), x.flatten(1).long()
        # torch does not say the type of `apply`.
        loss: Tensor = _CrossEntropy.apply(logits, y)  # type: ignore[no-untyped-call]
        return loss.view(x.shape).mean(-1)

    def _logits_of(self, y: Tensor) -> Tensor:
        """Logits of every token given those before it, (members, batch · length, vocabulary)."""
        y = y.long()  # also holds the number of the opening token
        opening = torch.full_like(y[..., :1], self.vocabulary)
        inputs = torch.cat([opening, y[..., :-1]], dim=-1)
        return self._logits(self._trunk(self._embed(inputs, 0), y.shape[1], self.length))

    @torch.no_grad()
    def sample(
        self, n: int, streams: Streams, temperature: Tensor, *, cached: bool = True
    ) -> Tensor:
        """Draw sequences, (members, n, length), with one uniform a token.

        Parameters
        ----------
        temperature : torch.Tensor, (members,)
            Divides the logits.
        cached : bool
            Keep keys and values of earlier tokens, or compute them anew for each token.
        """
        parts = []
        for start in range(0, n, self.sample_chunk):
            rows = min(self.sample_chunk, n - start)
            uniform = streams.uniform(self.length, rows, 1)
            parts.append(self._sample_chunk(self.for_arms(uniform), temperature, cached))
        return torch.cat(parts, dim=1)

    def _sample_chunk(self, uniform: Tensor, temperature: Tensor, cached: bool) -> Tensor:
        members, length, rows, _ = uniform.shape
        y = torch.full((members, rows, length + 1), self.vocabulary, device=uniform.device)
        cache = self._empty_cache(members * rows, uniform) if cached else None
        for t in range(length):
            if cached:
                trunk = self._trunk(self._embed(y[..., t : t + 1], t), rows, 1, cache, t)
            else:
                trunk = self._trunk(self._embed(y[..., : t + 1], 0), rows, t + 1)
                trunk = trunk.view(members, rows, t + 1, self.width)[:, :, -1]
            logits = self._logits(trunk) / temperature.view(-1, 1, 1)
            cumulative = logits.float().softmax(-1).cumsum(-1)
            aim = uniform[:, t] * cumulative[..., -1:]
            drawn = torch.searchsorted(cumulative, aim, right=True)
            y[..., t + 1] = drawn.clamp(max=self.vocabulary - 1)[..., 0]
        return y[..., 1:]

    def _empty_cache(self, batch: int, like: Tensor) -> Cache:
        shape = (batch, self.heads, self.length, self.width // self.heads)
        return [(like.new_empty(shape), like.new_empty(shape)) for _ in self.blocks]

    def _embed(self, tokens: Tensor, start: int) -> Tensor:
        """Token and place vectors, (members, rows · time, width)."""
        members, rows, time = tokens.shape
        offset = torch.arange(members, device=tokens.device).view(-1, 1, 1)
        table = self.token.reshape(-1, self.width)
        x = F.embedding(tokens + offset * (self.vocabulary + 1), table)
        x = x + self.place[:, None, start : start + time]
        return x.view(members, rows * time, self.width)

    def _trunk(
        self, x: Tensor, rows: int, time: int, cache: Cache | None = None, start: int = 0
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
        kept: tuple[Tensor, Tensor] | None,
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
