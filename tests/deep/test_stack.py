"""The stacked models: one member of a stack is the model trained alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep.evolve import _Minibatches
from collapse_lib.deep.stack import Optimiser, Streams, fit
from collapse_lib.deep.torsion import TorsionDiffusion
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
