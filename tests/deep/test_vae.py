"""The autoencoder: its bound, its temperature, and what is measured of its images."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.data.images import train_and_test
from collapse_lib.deep.judge import Judge
from collapse_lib.deep.stack import Optimiser, Streams, fit
from collapse_lib.deep.vae import VAE, ImageMeasure

# Neighbouring pixels are alike.
STRIPES = torch.tensor(np.repeat(np.random.default_rng(0).random((64, 4)), 4, axis=1)).float()


def trained(seeds, steps=50):
    streams = Streams(seeds)
    model = VAE(streams, pixels=16, hidden=16, latent=3)

    def draw():
        return STRIPES[(streams.uniform(8) * len(STRIPES)).long()]

    fit(model, draw, Optimiser(steps, 8, 1e-2), streams)
    return model, streams


def test_images_decoded_in_parts_follow_one_law():
    model, _ = trained([5, 6], steps=5)
    still = torch.zeros(2)
    model.CHUNK = 7
    parts = model.sample(20, Streams([1, 2]), still)
    streams = Streams([1, 2])
    for images in parts.split(7, dim=1):
        torch.testing.assert_close(images, model.sample(images.shape[1], streams, still))


def test_vae_temperature_zero_gives_decoder_means():
    model, _ = trained([5])
    still = model.sample(6, Streams([1]), torch.zeros(1))
    means = model.decode(Streams([1]).normal(6, model.latent))
    torch.testing.assert_close(still, means.clamp(0, 1))


def test_vae_bound_is_below_the_likelihood():
    """Importance sampling with many codes gives a tighter bound than one code does."""
    model, streams = trained([5], steps=300)
    x = STRIPES[None, :16]
    bound = torch.stack([model.loss(x, streams) for _ in range(400)])
    tighter = -(torch.logsumexp(-bound, dim=0) - np.log(400))
    assert (tighter < bound.mean(0)).all()


def test_measures_of_images():
    rng = np.random.default_rng(1)
    pytest.importorskip("sklearn")
    labels = np.repeat([0, 1], 50)
    real = (0.2 + 0.6 * labels[:, None] + 0.05 * rng.standard_normal((100, 9))).astype("float32")
    measure = ImageMeasure(real, real, Judge.train(real, labels))
    measure.POINTS = 50
    model = VAE(Streams([1, 2]), pixels=9, hidden=8, latent=2)
    made = torch.as_tensor(np.stack([real, real[labels == 1].repeat(2, axis=0)]))
    with torch.no_grad():
        seen = measure(model, made, torch.ones(2), Streams([1, 2]))
    assert seen["frechet"][0] == pytest.approx(0, abs=1e-5) and seen["frechet"][1] > 0.1
    assert seen["classes"].tolist() == [2, 1]
    assert seen["class_share"].tolist() == [[0.5, 0.5], [0, 1]]
    assert seen["variance"][0] == pytest.approx(1, rel=1e-5) and seen["variance"][1] < 0.2
    assert seen["negative_elbo"].shape == (2,)


def test_an_image_measure_reports_one_number_a_member():
    data = train_and_test()
    judge = Judge.train(data.train[:300], data.train_labels[:300], hidden=(16, 8))
    model = VAE(Streams([1, 2]), arms=2, pixels=64, hidden=8, latent=2)
    streams = Streams([3, 4])
    samples = model.sample(50, streams, torch.ones(4))
    measure = ImageMeasure(data.train, data.test, judge)
    measure.POINTS = 40
    measured = measure(model, samples, torch.ones(4), streams)
    assert all(len(value) == 4 for value in measured.values())
    assert measured["class_share"].shape == (4, 10)
    assert torch.allclose(measured["noise"], torch.tensor(np.exp(-1.0)).float())
    # An untrained decoder's own samples suit it better than digits do.
    assert (measured["own_negative_elbo"] < measured["negative_elbo"]).all()
