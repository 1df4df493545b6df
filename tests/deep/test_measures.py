"""What is measured of a stack, and the records of larger runs."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep import measures, presets, records
from collapse_lib.deep.evolve import Evolution
from collapse_lib.deep.pentane import Pentane, coarser
from collapse_lib.deep.stack import Streams
from collapse_lib.deep.topic_language import TopicLanguage
from collapse_lib.deep.torsion import TorsionDiffusion
from collapse_lib.deep.transformer import Transformer


def test_text_measures_by_hand():
    train = np.array([[0, 1, 2, 0]])
    model = Transformer(Streams([1, 2]), vocabulary=5, length=4, width=8)
    made = torch.tensor([[[0, 0, 0, 1]], [[2, 1, 0, 3]]])
    measure = measures.TextMeasure(train, train, 5)
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
    ours = -model.token_loss(torch.as_tensor(texts)[None])[0].sum(-1).detach().numpy()
    exact = (truth * (np.log(truth) - ours)).sum() / 3
    test = language.sample(40_000, 3, rng=2)
    with torch.no_grad():
        measure = measures.TextMeasure(test, test, 3, truth=language, chunk=5000)
        seen = measure(model, torch.as_tensor(test[None, :10]), torch.ones(1), Streams([1]))
    assert float(seen["kl"][0]) == pytest.approx(exact, abs=0.01)
    assert exact > 0.02


def test_torsion_measure_of_the_truth_is_zero():
    truth = Pentane()

    class Exact:
        def cell_masses(self, grid):
            return torch.as_tensor(truth.cells(grid))[None]

    samples = torch.as_tensor(truth.sample(500, rng=1))[None]
    seen = measures.TorsionMeasure(truth)(Exact(), samples, None, None)
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
    by_area = measures.TorsionMeasure(Pentane())(model, made, None, streams)
    by_samples = measures.TorsionMeasure(Pentane(), samples=True)(model, made, None, streams)
    # an untrained model is nearly uniform: both see that
    assert by_samples["kl"][0] == pytest.approx(by_area["kl"][0], rel=0.1)
    assert coarser(by_samples["cells"], 6).max() < 0.08


def test_measures_of_images():
    rng = np.random.default_rng(1)
    pytest.importorskip("sklearn")
    from collapse_lib.deep.image_metrics import Judge
    from collapse_lib.deep.vae import VAE

    labels = np.repeat([0, 1], 50)
    real = (0.2 + 0.6 * labels[:, None] + 0.05 * rng.standard_normal((100, 9))).astype("float32")
    measure = measures.ImageMeasure(real, real, Judge.train(real, labels), points=50)
    model = VAE(Streams([1, 2]), pixels=9, hidden=8, latent=2)
    made = torch.as_tensor(np.stack([real, real[labels == 1].repeat(2, axis=0)]))
    with torch.no_grad():
        seen = measure(model, made, torch.ones(2), Streams([1, 2]))
    assert seen["frechet"][0] == pytest.approx(0, abs=1e-5) and seen["frechet"][1] > 0.1
    assert seen["classes"].tolist() == [2, 1]
    assert seen["class_share"].tolist() == [[0.5, 0.5], [0, 1]]
    assert seen["variance"][0] == pytest.approx(1, rel=1e-5) and seen["variance"][1] < 0.2
    assert seen["negative_elbo"].shape == (2,)


def test_presets_say_what_is_allowed():
    assert presets.choose_preset("cpu").device == "cpu"
    with pytest.raises(ValueError, match="name must be one of 'cpu', 't4', 'gpu'"):
        presets.choose_preset("tpu")
    if not torch.cuda.is_available():
        assert presets.choose_preset().name == "cpu"
        with pytest.raises(ValueError, match="without a GPU"):
            presets.choose_preset("gpu")


def test_records_come_back_as_they_were(tmp_path):
    values = np.arange(12.0).reshape(2, 3, 2)
    evolution = Evolution(
        ("replace", "accumulate"),
        {"kl": values, "cells": np.zeros((2, 3, 2, 4))},
        np.zeros(1),
        {"train": 1.25},
    )
    preset = dataclasses.replace(presets.PRESETS["cpu"], name="tiny")
    path = tmp_path / "run.json"
    assert records.load_record(path) is None
    records.save_record(path, evolution, preset=preset)
    record = records.load_record(path)
    assert record.seeds == 3 and record.measured_on["preset"] == "tiny"
    np.testing.assert_array_equal(record.metrics["kl"]["accumulate"], values[1])
    assert list(record.metrics) == ["kl"]
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="path must name a stored run"):
        records.load_record(path)
