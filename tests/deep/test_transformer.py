"""The transformer: its law, its samples, and what is measured of its text."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F

from collapse_lib.deep.stack import Optimiser, Streams, fit
from collapse_lib.deep.topic_language import TopicLanguage
from collapse_lib.deep.transformer import TextMeasure, Transformer

TEXT = torch.tensor(np.random.default_rng(0).integers(0, 13, (64, 1)) // 2 + np.arange(6))


def trained(seeds, steps=50):
    streams = Streams(seeds)
    model = Transformer(streams, vocabulary=13, length=6, width=16, layers=2)

    def draw():
        return TEXT[(streams.uniform(8) * len(TEXT)).long()]

    fit(model, draw, Optimiser(steps, 8, 1e-2), streams)
    return model, streams


def token_loss(model, y, temperature=1.0):
    """−ln probability of every token by torch, of the law that `sample` draws from."""
    logits = model._logits_of(y) / temperature
    flat = logits.reshape(-1, model.vocabulary), y.reshape(-1)
    return F.cross_entropy(*flat, reduction="none").view(y.shape)


def test_sampling_with_a_cache_draws_by_the_law_of_whole_rows_token_for_token():
    model, _ = trained([5, 6])
    model.sample_chunk = 20
    temperature = torch.tensor([1.0, 0.7])
    made = model.sample(50, Streams([1, 2]), temperature)
    streams = Streams([1, 2])
    for rows in made.split(20, dim=1):
        uniform = streams.uniform(6, rows.shape[1], 1).transpose(1, 2)
        with torch.no_grad():
            law = (model._logits_of(rows) / temperature.view(-1, 1, 1)).softmax(-1)
        below = law.view(*rows.shape, 13).cumsum(-1)
        assert torch.equal((uniform * below[..., -1:] >= below).sum(-1), rows)


def test_transformer_samples_from_the_law_whose_loss_it_gives():
    torch.manual_seed(0)
    model = Transformer(Streams([3]), vocabulary=3, length=3, width=8)
    for parameter in model.parameters():  # far from uniform
        parameter.data = parameter.data * 3
    texts = torch.cartesian_prod(*[torch.arange(3)] * 3)[None]
    temperature = torch.tensor([0.8])
    law = (-token_loss(model, texts, temperature).sum(-1)).exp()[0].detach().numpy()
    assert law.sum() == pytest.approx(1, abs=1e-5)
    drawn = model.sample(40_000, Streams([4]), temperature)[0]
    number = (drawn * torch.tensor([9, 3, 1])).sum(-1).numpy()
    seen = np.bincount(number, minlength=27)
    chi_square = ((seen - 40_000 * law) ** 2 / (40_000 * law)).sum()
    assert chi_square < 60  # 26 degrees of freedom: p = 2e-4


def test_at_temperature_zero_every_word_is_the_likeliest():
    model, _ = trained([5, 6])
    made = model.sample(7, Streams([1, 2]), torch.tensor([0.0, 0.0]))
    with torch.no_grad():
        likeliest = model._logits_of(made).argmax(-1).view(made.shape)
    assert torch.equal(made, likeliest)
    assert made.max() < 12  # the last word of the vocabulary never occurs in the text
    assert torch.equal(made[:, :1].expand(made.shape), made)


def test_the_transformer_s_training_loss_is_cross_entropy_and_so_is_its_gradient():
    model = Transformer(Streams([1, 2]), vocabulary=13, length=6, width=16, layers=2)
    x = TEXT[:8].expand(2, 8, 6)
    values, gradients = [], []
    for loss in (model.loss(x), token_loss(model, x).mean(-1)):
        values.append(loss.detach())
        gradients.append(torch.autograd.grad((loss * torch.arange(8)).sum(), model.parameters()))
    assert torch.allclose(*values, rtol=1e-5)
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_transformer_does_not_look_ahead():
    model = Transformer(Streams([3]), vocabulary=7, length=5, width=8, layers=2)
    a = torch.tensor([[[1, 2, 3, 4, 5]]])
    b = torch.tensor([[[1, 2, 3, 6, 0]]])
    torch.testing.assert_close(token_loss(model, a)[..., :3], token_loss(model, b)[..., :3])


def test_text_measures_by_hand():
    train = np.array([[0, 1, 2, 0]])
    model = Transformer(Streams([1, 2]), vocabulary=5, length=4, width=8)
    made = torch.tensor([[[0, 0, 0, 1]], [[2, 1, 0, 3]]])
    measure = TextMeasure(train, train, 5)
    seen = measure(model, made, torch.ones(2), Streams([1, 2]))
    assert seen["counts"].tolist() == [[3, 1, 0, 0, 0], [1, 1, 1, 1, 0]]
    np.testing.assert_allclose(seen["survival"], [2 / 3, 1])
    np.testing.assert_allclose(seen["repeats"], [2 / 3, 0])
    np.testing.assert_allclose(seen["distinct_pairs"], [2 / 3, 1])
    assert "kl" not in seen


def test_divergence_from_the_language_is_that_of_all_its_texts():
    language = TopicLanguage(words=3, topics=2, seed=1)
    model = Transformer(Streams([1]), vocabulary=3, length=3, width=8)
    texts = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    truth = np.exp(language.log_probability(texts))
    ours = -token_loss(model, torch.as_tensor(texts)[None])[0].sum(-1).detach().numpy()
    exact = (truth * (np.log(truth) - ours)).sum() / 3
    test = language.sample(40_000, 3, rng=2)
    with torch.no_grad():
        measure = TextMeasure(test, test, 3, truth=language)
        measure.CHUNK = 5000
        seen = measure(model, torch.as_tensor(test[None, :10]), torch.ones(1), Streams([1]))
    assert float(seen["kl"][0]) == pytest.approx(exact, abs=0.01)
    assert exact > 0.02
