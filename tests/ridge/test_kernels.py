"""Kernel ridge on images: the pipeline against its definition, and theory on inputs that obey it."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from collapse_lib.data import images
from collapse_lib.ridge import Teacher, kernels
from collapse_lib.ridge.kernels import (
    Population,
    kernel_experiment,
    kernel_features,
    kernel_risk,
    parity,
)
from tests.properties import least_values, squared_unit

NINE = np.ones((9, 2)), np.ones(9)


@pytest.fixture(scope="module")
def digits():
    data = images.digits()
    x = kernel_features(data.pixels.reshape(-1, 64), 120, gamma=0.1)
    return x, parity(data.labels)


def orthogonal(rows, p, rng):
    """Features with exactly orthogonal columns and a falling spectrum."""
    q, _ = np.linalg.qr(rng.standard_normal((rows, p)))
    return q * np.sqrt(rows / np.arange(1.0, p + 1))


def test_features_have_no_sign_of_the_labels_and_are_orthogonal(digits):
    x, _ = digits
    gram = x.T @ x
    assert abs(gram - np.diag(gram.diagonal())).max() < 1e-8 * gram.max()
    assert (np.diff(gram.diagonal()) < 1e-9).all() and abs(x.mean(axis=0)).max() < 1e-8


def test_features_are_those_of_the_centred_kernel():
    x = np.random.default_rng(0).normal(size=(40, 3))
    kernel = np.exp(-0.2 * ((x[:, None] - x) ** 2).sum(axis=2))
    centre = np.eye(40) - 1 / 40
    values = np.linalg.eigvalsh(centre @ kernel @ centre)[::-1]
    made = kernel_features(x, 5, gamma=0.2)
    assert np.allclose((made**2).sum(axis=0), values[:5], rtol=1e-10)


def test_the_unit_of_the_features_does_not_matter():
    x = orthogonal(200, 5, np.random.default_rng(3))
    large, plain = (Population.of(unit * x, x.sum(axis=1)) for unit in (1e3, 1.0))
    assert np.allclose(large.truth * 1e3, plain.truth) and np.allclose(
        large.spectrum, 1e6 * plain.spectrum
    )


def test_population_is_least_squares(digits):
    x, y = digits
    population = Population.of(x, y)
    w, missed, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.allclose(w, population.truth) and np.isclose(missed[0] / len(y), population.residual)


def test_exponents_of_exact_power_laws():
    k = np.arange(1, 2001.0)
    beta, r = 1.5, 0.4
    missed = k ** (-2 * beta * r)
    energy = np.append(1, missed[:-1]) - missed
    population = Population(k**-beta, np.sqrt(energy * k**beta), missed[-1])
    assert np.allclose(population.exponents(), (beta, r), rtol=1e-6)


def test_exponents_use_the_components_that_they_are_told_to():
    """Outside them the spectrum is another; one component more on either side shows."""
    k = np.arange(1, 61.0)
    spectrum = np.where(k < 10, 1000.0, np.where(k > 40, 1e-9, k**-1.5))
    population = Population(spectrum, np.sqrt(k**-2.0 / spectrum), 0.01)
    assert np.isclose(population.exponents(10, 40)[0], 1.5, rtol=1e-12)
    short = Population(spectrum[:40], population.truth[:40], 0.01)
    assert np.isclose(short.exponents()[0], 1.5, rtol=1e-12)
    bent = Population(k**-1.5 * (1 + (k == 10)), population.truth, 0.01)
    assert bent.exponents() == bent.exponents(10) != bent.exponents(11)
    for wrong in [(9, 40), (10, 41)]:
        assert abs(population.exponents(*wrong)[0] - 1.5) > 0.1


def test_what_no_predictor_reaches_is_noise_where_real_labels_are_used():
    spectrum, w0 = np.array([1.0, 0.1]), np.array([1.0, 2.0])
    rest, none = Population(spectrum, w0, 0.2), Population(spectrum, w0, 0.0)
    noisier = kernel_risk(none, 50, 0.1, noise=np.sqrt(0.25 + 0.2)) + 0.2
    assert np.isclose(kernel_risk(rest, 50, 0.1, noise=0.5), noisier, rtol=1e-12)
    real = Teacher(0, 40)
    assert kernel_risk(rest, 50, 0.1, real, noise=0.5) == kernel_risk(rest, 50, 0.1, noise=0.5)
    noisier = kernel_risk(none, 50, 0.1, Teacher(1, 40, np.sqrt(1.2)), noise=0.5) + 0.2
    found = kernel_risk(rest, 50, 0.1, Teacher(1, 40), noise=0.5)
    assert np.isclose(found, noisier, rtol=1e-12)


def test_theory_on_gaussian_features():
    """Gaussian inputs, independent noise: measurement is theory up to O(1/T)."""
    rng = np.random.default_rng(1)
    p, rows = 30, 12_000
    x = orthogonal(rows, p, rng)
    y = x @ np.ones(p) + 0.3 * rng.standard_normal(rows)
    population = Population.of(x, y)
    run = kernel_experiment(
        x, y, Teacher([0, 1, 4], 100, noise=0.5), rows=[150, 400], penalties=[0.01, 0.1],
        noise=0.5, repeats=150, test=2000, rng=2,
    )  # fmt: skip
    for i, generations in enumerate(run.generations):
        teacher = Teacher(generations, 100, noise=0.5)
        for j, size in enumerate(run.rows):
            risk = kernel_risk(population, size, run.penalties, teacher, noise=0.5)
            error = 4 * run.stderr[i, j] + 0.015 * risk
            assert (abs(run.mean[i, j] - risk) < error).all()


def test_one_repeat_against_scikit_learn():
    rng = np.random.default_rng(3)
    x = orthogonal(300, 5, rng)
    y = x.sum(axis=1)
    run = kernel_experiment(
        x, y, Teacher(0, 20), rows=[40], penalties=[0.2], test=100, repeats=2, noise=0, rng=4
    )
    order = np.random.default_rng(4).permutation(300)
    held, rows = order[:100], order[100:140]
    fit = Ridge(alpha=0.2 * 40, fit_intercept=False).fit(x[rows], y[rows])
    assert np.isclose(run.errors[0, 0, 0, 0], np.mean((fit.predict(x[held]) - y[held]) ** 2))


def test_generators_without_noise_pass_the_truth_on():
    x = np.random.default_rng(5).standard_normal((80, 4))
    rng = np.random.default_rng(6)
    made = kernels._generators(x, x @ [1, 2, 3, 4], Teacher(5, 20, noise=0), 5, rng)
    assert np.allclose(made, [[1, 2, 3, 4]] * 5)


def test_best_penalty_on_digits_is_theory_s(digits):
    x, y = digits
    grid = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
    run = kernel_experiment(x, y, Teacher([0, 1, 5, 10], 400), rows=[1000], penalties=grid, rng=1)
    population = Population.of(x, y)
    theory = [kernel_risk(population, 1000, grid, Teacher(n, 400)) for n in run.generations]
    found = run.mean[:, 0].argmin(axis=1)
    assert found.tolist() == np.argmin(theory, axis=1).tolist() == [1, 2, 3, 4]


def test_learning_curves_by_hand(monkeypatch):
    monkeypatch.setattr(kernels, "TEACHER_PENALTY", 1e-9)
    rng = np.random.default_rng(7)
    pixels = rng.random((60, 3))
    kernel = {"kernel": "linear"}
    errors = kernels._learning_curves(
        pixels, pixels[:, 0], kernel, 1.0, Teacher(1, 30, noise=0), rows=[20, 30], test=20,
        repeats=2, rng=8,
    )  # fmt: skip
    order = np.random.default_rng(8)
    held = order.permutation(60)
    train, held = held[20:], held[:20]
    order.choice(train, 30, replace=False), order.standard_normal(30)
    rows = order.choice(train, 30, replace=False)
    for k, penalty in enumerate([1 / 20, 1 / 30]):
        x = pixels[rows[:20]]
        w = np.linalg.solve(x.T @ x + 20 * penalty * np.eye(3), x.T @ x[:, 0])
        error = np.mean((pixels[held] @ w - pixels[held, 0]) ** 2)
        assert np.isclose(errors[0, 0, k], error, rtol=1e-5)
    assert np.array_equal(errors[:, 1, 0], errors[:, 1, 1])  # T = T0: the same penalty


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: kernel_features([1, 2], 1), "images must be .* with 2 axes"),
        (lambda: kernel_features(np.ones((3, 2)), 3), "p must be below"),
        (lambda: Population.of([[1, 0]], [1, 2]), "targets must be"),
        (lambda: Population.of([[1, 1], [1, 2]], [1, 2]), "orthogonal"),
        (lambda: Population.of([[1, 0], [1, 0]], [1, 2]), "column of zeros"),
        (
            lambda: kernel_experiment(*NINE, Teacher(0, 5), rows=[9], penalties=[1], test=2),
            "rows must be at most images − test = 7",
        ),
        (
            lambda: kernel_experiment(*NINE, Teacher(0, 3), rows=[5], penalties=[1], test=2),
            "the teacher's rows must be a whole number, at least 4",
        ),
        (
            lambda: kernel_experiment(*NINE, Teacher(0, 5), rows=[5], penalties=[0], test=2),
            "penalties",
        ),
        (
            lambda: kernels._learning_curves(
                *NINE, {}, 1, Teacher(1, 9), rows=[5], test=2, repeats=2, rng=1
            ),
            "also the teacher's, got 9",
        ),
        (
            lambda: kernel_experiment(
                *NINE, Teacher(0, 5, design="frozen"), rows=[5], penalties=[1], test=2
            ),
            "design must be one of 'fresh'",
        ),
        (
            lambda: kernel_risk(Population(np.ones(1), np.ones(1), 0.2), 9, 1, Teacher([1, 2], 9)),
            "generations must be a whole number",
        ),
        (lambda: Population.of([[1, 0], [0, 1]], [1, np.nan]), "targets must be finite"),
        (
            lambda: kernel_risk(Population(np.ones(1), np.ones(1), -0.2), 9, 1),
            "residual must be",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("check", least_values(
    (kernel_features, {"images": np.eye(4)[:, :3], "gamma": 1.0}, {"p": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


def risk_after(generations, truth, residual, noise, teacher_noise):
    population = Population(np.array([1.0, 0.5, 0.25]), truth, residual)
    teacher = Teacher(generations, 20, teacher_noise)
    return kernel_risk(population, 40, 0.3, teacher, noise=noise)


@pytest.mark.parametrize("check", squared_unit(
    *(
        (risk_after, {"generations": generations},
         {"truth": [1.0, 2.0, 3.0], "noise": 0.7, "teacher_noise": 1.1}, {"residual": 0.6})
        for generations in (2, 0)
    ),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
