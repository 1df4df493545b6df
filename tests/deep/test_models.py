"""The stacked models: one member of a stack is the model trained alone."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep.evolve import _Minibatches
from collapse_lib.deep.stack import Streams
from collapse_lib.deep.torsion import TorsionDiffusion, wrapped
from collapse_lib.deep.training import Optimiser, fit
from collapse_lib.deep.transformer import Transformer
from collapse_lib.deep.vae import VAE

RNG = np.random.default_rng(0)
TORUS = torch.tensor(RNG.normal(1, 0.4, (64, 2)), dtype=torch.float32)
STRIPES = np.repeat(RNG.random((64, 4)), 4, axis=1)  # neighbouring pixels are alike
MODELS = {
    "vae": (
        lambda streams, arms=1: VAE(streams, arms, pixels=16, hidden=16, latent=3),
        torch.tensor(STRIPES, dtype=torch.float32),
    ),
    "transformer": (
        lambda streams, arms=1: Transformer(
            streams, arms, vocabulary=13, length=6, width=16, layers=2
        ),
        torch.tensor(RNG.integers(0, 13, (64, 1)) // 2 + np.arange(6)),
    ),
    "diffusion": (lambda streams, arms=1: TorsionDiffusion(streams, arms, hidden=16), TORUS),
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(kind, seeds, steps=50):
    build, data = MODELS[kind]
    streams = Streams(seeds)
    model = build(streams)

    def draw():
        return data[(streams.uniform(8) * len(data)).long()]

    return fit(model, draw, Optimiser(steps, 8, 1e-2), streams), model, streams


@pytest.mark.parametrize("kind", MODELS)
def test_a_member_of_a_stack_is_the_model_trained_alone(kind):
    together, stack, _ = trained(kind, [5, 6, 7])
    alone, model, _ = trained(kind, [6])
    assert together[1].item() == pytest.approx(alone[0].item(), rel=1e-3)
    for a, b in zip(stack.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a[1:2], b, rtol=1e-3, atol=1e-3)
    # the seeds do differ
    assert abs(together[0].item() - together[1].item()) > 1e-3


@pytest.mark.parametrize("kind", MODELS)
def test_arms_of_a_seed_begin_alike_and_sample_alike(kind):
    _, model, streams = trained(kind, [5, 6], steps=3)
    arms = model.for_every_arm(3)
    assert arms.members == 6
    samples = arms.sample(4, streams, torch.ones(6))
    assert torch.equal(samples[0], samples[2]) and torch.equal(samples[1], samples[5])
    assert not torch.equal(samples[0], samples[1])
    build, _ = MODELS[kind]
    fresh = build(Streams([5, 6]), 3)
    for parameter in fresh.parameters():
        assert torch.equal(parameter[0], parameter[2])


@pytest.mark.parametrize("kind", MODELS)
def test_training_lowers_the_loss(kind):
    early, _, _ = trained(kind, [5], steps=2)
    late, _, _ = trained(kind, [5], steps=400)
    assert late.item() < early.item()


class Elsewhere(Streams):
    """Numbers on a device without numbers: what stays behind on the CPU is an error there."""

    def __init__(self, seeds):
        self.device, self.generators = torch.device("meta"), list(seeds)

    def _draw(self, function, shape):
        return torch.stack([function(*shape, device=self.device) for _ in self.generators])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", MODELS)
def test_everything_stays_on_the_device(kind, precision):
    build, data = MODELS[kind]
    streams = Elsewhere([5, 6])
    model = build(streams, 2)
    pool = data.expand(4, *data.shape).to("meta")
    draw = _Minibatches(pool, [np.arange(9), np.arange(5)] * 2, streams, 8, 2)
    with torch.autocast("cpu", getattr(torch, precision), enabled=precision != "float32"):
        loss = model.loss(draw(), streams)
    loss.sum().backward()
    made = model.sample(20, streams, torch.ones(4, device="meta"))
    assert loss.device == made.device == pool.device
    assert all(parameter.grad is not None for parameter in model.parameters())
    if kind == "diffusion":
        assert model.cell_masses(6).device == pool.device


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", MODELS)
def test_half_precision_trains_as_well(kind, precision):
    build, data = MODELS[kind]
    lost = {}
    for arithmetic in ("float32", precision):
        streams = Streams([5, 6])
        model = build(streams)
        fit(
            model,
            lambda: data[None].expand(2, -1, -1),
            Optimiser(60, 64, 1e-2, 0.01, arithmetic),
            streams,
        )
        with torch.no_grad():
            lost[arithmetic] = model.loss(data[None].expand(2, -1, -1), Streams([1, 2])).mean()
        assert all(parameter.isfinite().all() for parameter in model.parameters())
        assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    first = build(Streams([5, 6])).loss(data[None].expand(2, -1, -1), Streams([1, 2])).mean()
    assert first - lost[precision] > 0.8 * (first - lost["float32"])


def test_images_decoded_in_parts_follow_one_law():
    _, model, _ = trained("vae", [5, 6], steps=5)
    still = torch.zeros(2)
    model.CHUNK = 7
    parts = model.sample(20, Streams([1, 2]), still)
    streams = Streams([1, 2])
    for images in parts.split(7, dim=1):
        torch.testing.assert_close(images, model.sample(images.shape[1], streams, still))


def test_cached_sampling_is_uncached_sampling_token_for_token():
    _, model, _ = trained("transformer", [5, 6])
    model.sample_chunk = 20
    temperature = torch.tensor([1.0, 0.7])
    cached = model.sample(50, Streams([1, 2]), temperature)
    naive = model.sample(50, Streams([1, 2]), temperature, cached=False)
    assert torch.equal(cached, naive)


def test_transformer_samples_from_the_law_whose_loss_it_gives():
    torch.manual_seed(0)
    model = Transformer(Streams([3]), vocabulary=3, length=3, width=8)
    for parameter in model.parameters():  # far from uniform
        parameter.data = parameter.data * 3
    texts = torch.cartesian_prod(*[torch.arange(3)] * 3)[None]
    temperature = torch.tensor([0.8])
    law = (-model.token_loss(texts, temperature).sum(-1)).exp()[0].detach().numpy()
    assert law.sum() == pytest.approx(1, abs=1e-5)
    drawn = model.sample(40_000, Streams([4]), temperature)[0]
    number = (drawn * torch.tensor([9, 3, 1])).sum(-1).numpy()
    seen = np.bincount(number, minlength=27)
    chi_square = ((seen - 40_000 * law) ** 2 / (40_000 * law)).sum()
    assert chi_square < 60  # 26 degrees of freedom: p = 2e-4


def test_the_transformer_s_training_loss_is_cross_entropy_and_so_is_its_gradient():
    build, data = MODELS["transformer"]
    model, x = build(Streams([1, 2])), data[:8].expand(2, 8, 6)
    values, gradients = [], []
    for loss in (model.loss(x), model.token_loss(x).mean(-1)):
        values.append(loss.detach())
        gradients.append(torch.autograd.grad((loss * torch.arange(8)).sum(), model.parameters()))
    assert torch.allclose(*values, rtol=1e-5)
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_transformer_does_not_look_ahead():
    model = Transformer(Streams([3]), vocabulary=7, length=5, width=8, layers=2)
    a = torch.tensor([[[1, 2, 3, 4, 5]]])
    b = torch.tensor([[[1, 2, 3, 6, 0]]])
    torch.testing.assert_close(model.token_loss(a)[..., :3], model.token_loss(b)[..., :3])


def test_vae_temperature_zero_gives_decoder_means():
    _, model, _ = trained("vae", [5])
    still = model.sample(6, Streams([1]), torch.zeros(1))
    means = model.decode(Streams([1]).normal(6, model.latent))
    torch.testing.assert_close(still, means.clamp(0, 1))


def test_vae_bound_is_below_the_likelihood():
    """Importance sampling with many codes gives a tighter bound than one code does."""
    _, model, streams = trained("vae", [5], steps=300)
    x = MODELS["vae"][1][None, :16]
    bound = torch.stack([model.loss(x, streams) for _ in range(400)])
    tighter = -(torch.logsumexp(-bound, dim=0) - np.log(400))
    assert (tighter < bound.mean(0)).all()


def test_diffusion_law_adds_up_and_agrees_with_samples():
    build, _ = MODELS["diffusion"]
    data = 0.4 * torch.randn(512, 2, generator=torch.Generator().manual_seed(1)) + 1
    streams = Streams([5])
    model = build(streams)
    fit(
        model,
        lambda: data[(streams.uniform(64) * 512).long()],
        Optimiser(300, 64, 1e-2),
        streams,
    )
    law = model.cell_masses(36)[0].detach().numpy()
    assert law.sum() == pytest.approx(1, abs=1e-6)
    drawn = model.sample(20_000, Streams([9]))[0].numpy()
    seen = np.histogram2d(*drawn.T, bins=36, range=[[-np.pi, np.pi]] * 2)[0] / 20_000
    # total variation of 20 000 draws over the 300-odd cells that matter is about .05
    assert np.abs(seen - law).sum() / 2 < 0.08
    assert np.abs(law - 1 / 36**2).sum() / 2 > 0.5


def test_flow_there_and_back():
    _, model, _ = trained("diffusion", [5], steps=200)
    many = copy.deepcopy(model)
    many.steps = 200
    there = many.flow(TORUS[None], to_noise=True)
    back = wrapped(many.flow(there) - TORUS[None])
    assert back.abs().median() < 1e-2


def test_wrapped_score_is_the_derivative_of_the_wrapped_density():
    _, model, _ = trained("diffusion", [5], steps=1)
    shift = torch.linspace(-3, 3, 25, dtype=torch.float64).view(1, -1, 1).requires_grad_()
    for noise in (0.3, 2.0):
        turns = 2 * np.pi * torch.arange(-9, 10.0, dtype=torch.float64)
        log_density = torch.logsumexp(-((shift + turns) ** 2) / (2 * noise**2), dim=-1)
        (score,) = torch.autograd.grad(log_density.sum(), shift)
        ours = model._wrapped_score(shift, torch.full_like(shift, noise))
        torch.testing.assert_close(ours, noise * score, atol=1e-5, rtol=1e-4)
