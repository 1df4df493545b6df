"""The judge of pictures: distances with known values, and sheets by class."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep import judge
from collapse_lib.deep.stack import Streams
from collapse_lib.deep.vae import VAE


def test_frechet_distance_of_gaussians_is_exact():
    """Samples whose first two moments are exactly those of two given Gaussians."""
    rng = np.random.default_rng(1)

    def exactly(mean, covariance):
        x = rng.standard_normal((50, 3))
        x -= x.mean(axis=0)
        white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
        return mean + white @ np.linalg.cholesky(covariance).T

    a = np.diag([1.0, 4.0, 9.0])
    b = np.diag([4.0, 4.0, 1.0])
    distance = judge.frechet_distance(
        exactly(np.zeros(3), a), exactly(np.array([1.0, 2.0, 0.0]), b)
    )
    assert distance == pytest.approx(1 + 4 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, abs=1e-9)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    turned = judge.frechet_distance(
        exactly(np.zeros(3), turn @ a @ turn.T), exactly(np.zeros(3), turn @ b @ turn.T)
    )
    assert turned == pytest.approx(5, abs=1e-9)


def test_precision_and_recall_tell_two_failures_apart():
    rng = np.random.default_rng(2)
    real = rng.standard_normal((300, 2))
    narrow = judge.precision_and_recall(real, 0.05 * real[:200])
    wide = judge.precision_and_recall(real, 6 * rng.standard_normal((300, 2)))
    assert narrow[0] == 1 and narrow[1] < 0.2
    assert wide[0] < 0.3 and wide[1] > 0.9


def test_bad_images():
    with pytest.raises(ValueError, match="a and b must be"):
        judge.frechet_distance(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="real and made must be more than 3 points each"):
        judge.precision_and_recall(np.zeros((3, 2)), np.zeros((9, 2)))


def test_judge_knows_digits():
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    images = digits.data / 16
    trained = judge.Judge.train(images[400:], digits.target[400:])
    assert (trained.classes(images[:400]) == digits.target[:400]).mean() > 0.9
    features = trained.features(images[:400])
    scores = features @ trained.network.coefs_[-1] + trained.network.intercepts_[-1]
    assert (scores.argmax(axis=1) == trained.classes(images[:400])).all()


def test_by_class_keeps_order_and_marks_what_is_missing():
    made = np.arange(12.0).reshape(6, 2)
    sheet = judge.by_class(made, np.array([2, 0, 2, 2, 0, 2]), [0, 1, 2], 3)
    assert sheet.shape == (3, 3, 2)
    assert (sheet[0, :2] == made[[1, 4]]).all() and np.isnan(sheet[0, 2]).all()
    assert np.isnan(sheet[1]).all()
    assert (sheet[2] == made[[0, 2, 3]]).all()


def test_a_mosaic_has_a_column_a_class():
    sheet = np.full((2, 2, 4), np.nan)
    sheet[0, 0] = [0, 1, 1, 0]
    expected = [[1, 0, 1, 0.5, 0.5], [0, 1, 1, 0.5, 0.5], [1] * 5, [0.5, 0.5, 1, 0.5, 0.5]]
    np.testing.assert_array_equal(judge.mosaic(sheet, 2)[:4], expected)
    assert judge.mosaic(sheet, 2).shape == (5, 5)


def test_a_sheet_changes_no_number():
    rng = np.random.default_rng(1)
    small = judge.Judge.train(rng.random((60, 9)), np.arange(60) % 10, hidden=(16, 8))
    model = VAE(Streams([1, 2]), arms=2, pixels=9, hidden=8, latent=2)
    streams = Streams([3, 4])
    before = [state.clone() for state in streams.state()]
    shown = judge.ClassSheet(small, each=3, draws=40)(model, torch.zeros(4, 5, 9), streams)
    assert shown.shape == (4, 10, 3, 9)
    assert all((a == b).all() for a, b in zip(before, streams.state(), strict=True))
    np.testing.assert_array_equal(shown[:2], shown[2:])  # the arms of a seed share their noise
