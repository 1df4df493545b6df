"""Leaving a generation out by subtraction, against refitting from the rows."""

import numpy as np
import pytest

from collapse_lib import regression
from collapse_lib.book.claims import standard_error
from collapse_lib.repair import attribution
from tests.properties import least_values, squared_unit

D, T, GENERATIONS = 3, 9, 6
TRUTH = np.array([1.0, -2.0, 0.5])


def loop(x, noise, labelled_by_nobody=None):
    """Labels and last fit of the loop from its rows; a generation may never have been made."""
    w, rows, labels = TRUTH, [], []
    for i in range(len(x)):
        y = x[i] @ w + noise[i]
        if i != labelled_by_nobody:
            rows.append(x[i])
            labels.append(y)
            w = np.linalg.lstsq(np.vstack(rows), np.concatenate(labels), rcond=None)[0]
    return rows, labels, w


@pytest.fixture
def made():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((GENERATIONS, T, D)) @ np.array([[1, 0.5, 0], [0, 1, 0], [0, 0, 3]])
    noise = rng.standard_normal((GENERATIONS, T))
    return x, noise, attribution.summarise(x, np.stack(loop(x, noise)[1]), TRUTH)


def test_erasing_rows_is_refitting_without_them(made):
    x, noise, lineage = made
    rows, labels, _ = loop(x, noise)
    for i, erased in enumerate(lineage.erase_each()):
        kept = [j for j in range(GENERATIONS) if j != i]
        refit = np.linalg.lstsq(
            np.vstack([rows[j] for j in kept]),
            np.concatenate([labels[j] for j in kept]),
            rcond=None,
        )[0]
        np.testing.assert_allclose(erased, refit, rtol=0, atol=1e-10)


def test_never_made_is_the_loop_run_again(made):
    x, noise, lineage = made
    for i, without in enumerate(lineage.never_made_each()):
        np.testing.assert_allclose(without, loop(x, noise, i)[2], rtol=0, atol=1e-10)


def test_relabelled_is_the_loop_run_again_without_that_noise(made):
    x, noise, lineage = made
    for i, clean in enumerate(lineage.relabel_each()):
        silent = np.where(np.arange(GENERATIONS)[:, None] == i, 0, noise)
        np.testing.assert_allclose(clean, loop(x, silent)[2], rtol=0, atol=1e-10)
    np.testing.assert_allclose(lineage.fits()[-1], loop(x, noise)[2], atol=1e-10)


def test_the_parts_add_up_to_the_error(made):
    """Every generation's noise adds its own piece to today's weights, and nothing else does."""
    lineage = made[2]
    last = lineage.fits()[-1]
    pieces = last - lineage.relabel_each()
    np.testing.assert_allclose(pieces.sum(axis=0), last - TRUTH, atol=1e-10)


@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_simulated_lineages_have_the_law_of_the_loop(design):
    """20 000 runs: a standard error of 0.5 % of the risk."""
    options = {"generations": 5, "replicates": 20_000, "design": design, "rng": 2}
    last = attribution.simulate(D, T, **options).fits()[:, -1]
    risk = (last**2).sum(axis=1)
    theory = regression.accumulate_risk(D, T, 5, design=design)
    assert abs(risk.mean() - theory) < 4 * standard_error(risk)


@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_noise_contributions(design):
    lineage = attribution.simulate(D, T, generations=4, replicates=40_000, design=design, rng=3)
    pieces = lineage.fits()[:, -1:] - lineage.relabel_each()
    measured = (pieces**2).sum(axis=2)
    theory = attribution.noise_contribution(D, T, np.arange(1, 5), design=design)
    assert (np.abs(measured.mean(axis=0) - theory) < 4 * standard_error(measured)).all()
    risk = regression.accumulate_risk(D, T, 4, design=design)
    assert np.isclose(theory.sum(), risk)
    i = np.arange(1, 5)
    stated = 1 / (i * (i * T - D - 1)) if design == "fresh" else 1 / (i**2 * (T - D - 1))
    np.testing.assert_allclose(theory, D * stated, rtol=1e-12)


def test_erased_risk_is_that_of_frozen_designs():
    lineage = attribution.simulate(D, T, generations=5, replicates=40_000, design="frozen", rng=4)
    risk = (lineage.erase_each() ** 2).sum(axis=2)
    theory = attribution.erased_risk(D, T, 5, np.arange(1, 6))
    assert (np.abs(risk.mean(axis=0) - theory) < 4 * standard_error(risk)).all()
    # paired with the full fit, a difference of 1 % of the risk shows
    full = (lineage.fits()[:, -1] ** 2).sum(axis=1)
    change = risk - full[:, None]
    expected = theory - regression.accumulate_risk(D, T, 5, design="frozen")
    assert (np.abs(change.mean(axis=0) - expected) < 4 * standard_error(change)).all()


def test_never_made_has_the_risk_of_a_shorter_loop():
    lineage = attribution.simulate(D, T, generations=4, replicates=40_000, rng=5)
    risk = (lineage.never_made_each() ** 2).sum(axis=2)
    shorter = regression.accumulate_risk(D, T, 3)
    assert (np.abs(risk.mean(axis=0) - shorter) < 4 * standard_error(risk)).all()


@pytest.mark.parametrize("generation", [1, 3, 6])
def test_inherited_share_without_noise(generation):
    shift = np.array([1.0, 2.0, 3.0])
    lineage = attribution.simulate(
        D, T, generations=6, design="frozen", noise=0, shift=(generation, shift), rng=6
    )
    full = lineage.fits()[0, -1]
    erased = lineage.erase_each()[0, generation - 1]
    np.testing.assert_allclose(full, shift / generation, atol=1e-10)
    np.testing.assert_allclose(erased, (6 - generation) / 5 * full, atol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attribution.summarise(np.ones((2, 3, 1)), np.ones(2), [1.0]), "x, y and truth"),
        (lambda: attribution.simulate(3, 2, generations=2), "T must be"),
        (lambda: attribution.simulate(2, 4, generations=2, design="old"), "design"),
        (lambda: attribution.simulate(2, 4, generations=2, shift=(0, [1, 1])), "shift"),
        (lambda: attribution.erased_risk(2, 9, 5, 6), "generation .* at most 5"),
        (lambda: attribution.noise_contribution(2, 9, 0), "generation must be a whole"),
        (lambda: attribution.erased_risk(2, 9, 1, 1), "generations must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_single_generation_cannot_be_left_out():
    lineage = attribution.simulate(2, 5, generations=1, rng=1)
    with pytest.raises(ValueError, match="at least 2 generations"):
        lineage.erase_each()


@pytest.mark.parametrize("check", least_values(
    (attribution.noise_contribution, {"d": 3, "T": 9, "generation": 2},
     {"T": 5, "generation": 1}),
    (attribution.erased_risk, {"d": 3, "T": 9, "generations": 3, "generation": 1},
     {"T": 5, "generations": 2, "generation": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    *(
        (attribution.noise_contribution,
         {"d": 3, "T": 9, "generation": [1, 2, 5], "design": design}, {"noise": 0.7}, {})
        for design in ("fresh", "frozen")
    ),
    (attribution.erased_risk, {"d": 3, "T": 9, "generations": 5, "generation": [1, 2, 5]},
     {"noise": 0.7}, {}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
