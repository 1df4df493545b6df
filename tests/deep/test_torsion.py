"""The diffusion model: its law by areas, its flow, and its distance from the truth."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep.pentane import Pentane, coarser
from collapse_lib.deep.stack import Optimiser, Streams, fit
from collapse_lib.deep.torsion import TorsionDiffusion, TorsionMeasure, _wrapped

TORUS = torch.tensor(np.random.default_rng(0).normal(1, 0.4, (64, 2)), dtype=torch.float32)


def trained(seeds, steps=50):
    streams = Streams(seeds)
    model = TorsionDiffusion(streams, hidden=16)

    def draw():
        return TORUS[(streams.uniform(8) * len(TORUS)).long()]

    fit(model, draw, Optimiser(steps, 8, 1e-2), streams)
    return model, streams


def test_diffusion_law_adds_up_and_agrees_with_samples():
    data = 0.4 * torch.randn(512, 2, generator=torch.Generator().manual_seed(1)) + 1
    streams = Streams([5])
    model = TorsionDiffusion(streams, hidden=16)
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
    model, _ = trained([5], steps=200)
    many = copy.deepcopy(model)
    many.steps = 200
    there = many.flow(TORUS[None], to_noise=True)
    back = _wrapped(many.flow(there) - TORUS[None])
    assert back.abs().median() < 1e-2


def test_wrapped_score_is_the_derivative_of_the_wrapped_density():
    model, _ = trained([5], steps=1)
    shift = torch.linspace(-3, 3, 25, dtype=torch.float64).view(1, -1, 1).requires_grad_()
    for noise in (0.3, 2.0):
        turns = 2 * np.pi * torch.arange(-9, 10.0, dtype=torch.float64)
        log_density = torch.logsumexp(-((shift + turns) ** 2) / (2 * noise**2), dim=-1)
        (score,) = torch.autograd.grad(log_density.sum(), shift)
        ours = model._wrapped_score(shift, torch.full_like(shift, noise))
        torch.testing.assert_close(ours, noise * score, atol=1e-5, rtol=1e-4)


def test_torsion_measure_of_the_truth_is_zero():
    truth = Pentane()

    class Exact:
        def cell_masses(self, grid):
            return torch.as_tensor(truth.cells(grid))[None]

    samples = torch.as_tensor(truth.sample(500, rng=1))[None]
    seen = TorsionMeasure(truth)(Exact(), samples, None, None)
    assert abs(seen["kl"][0]) < 2e-3  # the floor of 1e-3 mixed in
    assert seen["clash"][0] == pytest.approx(0.002, abs=5e-4)
    assert seen["populations"][0].sum() == pytest.approx(1)
    assert seen["cells"].shape == (1, 36, 36)
    assert seen["counts"].sum() == 500
    assert seen["counts"][0, 0] / 500 == pytest.approx(0.443, abs=0.1)


def test_areas_and_samples_measure_the_same_law():
    model = TorsionDiffusion(Streams([1]), hidden=16)
    streams = Streams([2])
    made = model.sample(10, streams)
    by_area = TorsionMeasure(Pentane())(model, made, None, streams)
    by_samples = TorsionMeasure(Pentane(), samples=True)(model, made, None, streams)
    # an untrained model is nearly uniform: both see that
    assert by_samples["kl"][0] == pytest.approx(by_area["kl"][0], rel=0.1)
    assert coarser(by_samples["cells"], 6).max() < 0.08
