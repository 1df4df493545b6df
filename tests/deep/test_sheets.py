"""Sheets of images by class, the split of images at hand, what an image measure reports."""

import numpy as np
import pytest

from collapse_lib.data import images
from collapse_lib.data.images import train_and_test

torch = pytest.importorskip("torch")

from collapse_lib.deep.image_metrics import Judge
from collapse_lib.deep.measures import ImageMeasure
from collapse_lib.deep.sheets import ClassSheet, by_class, mosaic
from collapse_lib.deep.stack import Streams
from collapse_lib.deep.vae import VAE


def test_by_class_keeps_order_and_marks_what_is_missing():
    made = np.arange(12.0).reshape(6, 2)
    sheet = by_class(made, np.array([2, 0, 2, 2, 0, 2]), [0, 1, 2], 3)
    assert sheet.shape == (3, 3, 2)
    assert (sheet[0, :2] == made[[1, 4]]).all() and np.isnan(sheet[0, 2]).all()
    assert np.isnan(sheet[1]).all()
    assert (sheet[2] == made[[0, 2, 3]]).all()


def test_a_mosaic_has_a_column_a_class():
    sheet = np.full((2, 2, 4), np.nan)
    sheet[0, 0] = [0, 1, 1, 0]
    expected = [[1, 0, 1, 0.5, 0.5], [0, 1, 1, 0.5, 0.5], [1] * 5, [0.5, 0.5, 1, 0.5, 0.5]]
    np.testing.assert_array_equal(mosaic(sheet, 2)[:4], expected)
    assert mosaic(sheet, 2).shape == (5, 5)


def test_the_split_holds_every_image_once():
    data = train_and_test(test=400)
    assert data.train.dtype == np.float32 and len(data.train) == 1397 and data.side == 8
    whole = np.concatenate([data.train, data.test])
    order = np.lexsort(whole.T)
    real = images.digits().pixels.reshape(1797, 64).astype(np.float32)
    np.testing.assert_array_equal(whole[order], real[np.lexsort(real.T)])
    assert len(train_and_test(rows=50).train) == len(train_and_test(rows=50).train_labels) == 50


def made_up(parts):
    """Stands in for `mnist`: what of it is at hand."""

    def mnist(part, folder, download):
        if part not in parts:
            raise images.DataUnavailable(part)
        size = {"test": 30, "train": 60}[part]
        pixels = np.linspace(0, 1, size)[:, None, None] * np.ones((1, 3, 3))
        return images.Images(pixels, np.arange(size), f"MNIST {part}")

    return mnist


@pytest.mark.parametrize(
    "parts, name, sizes",
    [
        (("test", "train"), "MNIST train", (60, 10)),
        (("test",), "MNIST test", (20, 10)),
        (("train",), "digits", (1787, 10)),
        ((), "digits", (1787, 10)),
    ],
)
def test_the_best_source_at_hand_is_taken(monkeypatch, parts, name, sizes):
    monkeypatch.setattr(images, "mnist", made_up(parts))
    data = train_and_test("mnist", test=10)
    assert (data.name, (len(data.train), len(data.test))) == (name, sizes)
    assert len(data.train_labels) == sizes[0]
    if name == "MNIST test":
        assert not set(data.train_labels) & set(data.test_labels)


@pytest.mark.parametrize("bad", [{"source": "letters"}, {"rows": 0}, {"test": 0}])
def test_bad_splits(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}"):
        train_and_test(**bad)


@pytest.fixture(scope="module")
def small():
    data = train_and_test()
    judge = Judge.train(data.train[:300], data.train_labels[:300], hidden=(16, 8))
    model = VAE(Streams([1, 2]), arms=2, pixels=64, hidden=8, latent=2)
    return data, judge, model


def test_a_sheet_changes_no_number(small):
    _, judge, model = small
    streams = Streams([3, 4])
    before = [state.clone() for state in streams.state()]
    shown = ClassSheet(judge, each=3, draws=40)(model, torch.zeros(4, 5, 64), streams)
    assert shown.shape == (4, 10, 3, 64)
    assert all((a == b).all() for a, b in zip(before, streams.state(), strict=True))
    np.testing.assert_array_equal(shown[:2], shown[2:])  # the arms of a seed share their noise


def test_an_image_measure_reports_one_number_a_member(small):
    data, judge, model = small
    streams = Streams([3, 4])
    samples = model.sample(50, streams, torch.ones(4))
    measured = ImageMeasure(data.train, data.test, judge, points=40)(
        model, samples, torch.ones(4), streams
    )
    assert all(len(value) == 4 for value in measured.values())
    assert measured["class_share"].shape == (4, 10)
    assert torch.allclose(measured["noise"], torch.tensor(np.exp(-1.0)).float())
    # An untrained decoder's own samples suit it better than digits do.
    assert (measured["own_negative_elbo"] < measured["negative_elbo"]).all()
