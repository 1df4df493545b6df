"""Labels measured in another unit: each risk is multiplied by the square of the factor.

A risk is a squared error, so that noise, truth and tolerance in a unit a third as large, three
times the number, make it nine times the number; a share or a penalty stays what it is.
"""

import numpy as np
import pytest

from collapse_lib import kde, regression, ridge
from collapse_lib.loop import Immigration
from collapse_lib.repair import attribution, remedies, universality, verification

FIT = {"d": 3, "T": 9}
TOO_FEW = {"d": 9, "T": 3}
EIGENVALUES, TRUTH, T = [1.0, 0.5, 0.25], [1.0, 2.0, 3.0], [1, 2, 5]
LOOP = {"generations": T}
CONSTANTS = remedies.FilterConstants(0.5, 0.3, 0.1, None)
LABELS = {"d": 3, "rows": 9, "generations": 2, "teacher_rows": 9}


def ridge_risk(truth, noise, teacher_noise, shrink=1.0):
    student = ridge.Ridge(EIGENVALUES, truth, 9, 0.3, noise=noise, shrink=shrink)
    return ridge.ridge_risk(student, ridge.Teacher(2, 8, teacher_noise)).total


def ridge_loop_risk(truth, noise):
    return ridge.ridge_loop_risk(ridge.Ridge(EIGENVALUES, truth, 9, 0.3, noise=noise), 4)


def kernel_risk(truth, residual, noise, teacher_noise, generations):
    population = ridge.Population(np.array(EIGENVALUES), truth, residual)
    teacher = ridge.Teacher(generations, 20, teacher_noise)
    return ridge.kernel_risk(population, 40, 0.3, teacher, noise=noise)


def best_shrunk_ridge(truth, noise, teacher_noise):
    student = ridge.Ridge(np.ones(3), truth, 9, noise=noise)
    best = ridge.best_shrunk_ridge(student, ridge.Teacher(2, 8, teacher_noise))
    return best.penalty, best.shrink


# function; arguments without a unit; arguments in the unit, and in its square
RISKS = [
    (regression.one_fit_risk, FIT, {"noise": 0.7}, {}),
    (regression.one_fit_risk, TOO_FEW, {"noise": 0.7}, {}),
    *(
        (risk, {**fit, "t": T, "design": design}, {"noise": 0.7}, {"signal": 1.3})
        for risk in (regression.replace_risk, regression.accumulate_risk)
        for fit in (FIT, TOO_FEW)
        for design in ("fresh", "frozen")
    ),
    *(
        (risk, {**FIT, **more, "design": design}, {"noise": 0.7}, {})
        for risk, more in (
            (regression.replace_sd, {"t": T}),
            (regression.accumulate_limit, {}),
            (attribution.noise_contribution, {"generation": T}),
        )
        for design in ("fresh", "frozen")
    ),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 5, "t": T},
     {"noise": 0.7}, {}),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 2, "t": T},
     {"noise": 0.7}, {"first": 1.3}),
    (attribution.erased_risk, {**FIT, "generations": 5, "generation": T},
     {"noise": 0.7}, {}),
    (universality.corrected_risk, {**FIT, "index": 5}, {"noise": 0.7}, {}),
    *(
        (remedies.filtered_risk, {"constants": CONSTANTS, "start": start, "t": T},
         {"noise": 0.7}, {"signal": 1.3})
        for start in ("zero", "last")
    ),
    (remedies.input_noise_risk, {**FIT, "t": T, "jitter": 0.4}, {"noise": 0.7}, {"signal": 1.3}),
    (remedies.split_ensemble_risk, {"d": 3, "T": 20, "members": 2, "t": T}, {"noise": 0.7}, {}),
    (remedies.stepped_risk, {**FIT, "steps": [0.5, 0.2]}, {"noise": 0.7}, {}),
    (verification.verified_risk, FIT | {"t": T}, {"noise": 0.7, "tolerance": 1.1},
     {"verifier_risk": 1.3}),
    (ridge_risk, {}, {"truth": TRUTH, "noise": 0.7, "teacher_noise": 1.1}, {}),
    (ridge_risk, {"shrink": 0.8}, {"truth": TRUTH, "noise": 0.7, "teacher_noise": 1.1}, {}),
    (ridge_loop_risk, {}, {"truth": TRUTH, "noise": 0.7}, {}),
    (lambda **given: ridge.label_settings(**given).risk, LABELS,
     {"noise": 0.7, "teacher_noise": 1.1}, {"signal": 1.3}),
    *(
        (kernel_risk, {"generations": generations},
         {"truth": TRUTH, "noise": 0.7, "teacher_noise": 1.1}, {"residual": 0.6})
        for generations in (2, 0)
    ),
    *(
        (lambda **given: kde.moments(**given).total,
         {"n": 9, "generations": 4, "policy": policy},
         {"bandwidth": 0.7}, {"variance": 1.3})
        for policy in (Immigration(0.2), "accumulate")
    ),
]  # fmt: skip
SHARES = [
    (best_shrunk_ridge, {}, {"truth": TRUTH, "noise": 0.7, "teacher_noise": 1.1}),
    (lambda signal, **given: ridge.label_settings(signal=signal**2, **given).ridge_penalty, LABELS,
     {"noise": 0.7, "teacher_noise": 1.1, "signal": 1.3}),
]  # fmt: skip


def scaled(arguments, factor):
    return {name: factor * np.asarray(value) for name, value in arguments.items()}


@pytest.mark.parametrize(("function", "given", "unit", "square"), RISKS)
def test_a_risk_is_in_the_square_of_the_unit(function, given, unit, square):
    once = np.asarray(function(**given, **scaled(unit, 1.0), **scaled(square, 1.0)))
    again = function(**given, **scaled(unit, 3.0), **scaled(square, 9.0))
    assert (once > 0).any()
    np.testing.assert_allclose(again, 9 * once, rtol=1e-12)


@pytest.mark.parametrize(("function", "given", "unit"), SHARES)
def test_a_share_has_no_unit(function, given, unit):
    np.testing.assert_allclose(
        function(**given, **scaled(unit, 3.0)), function(**given, **unit), rtol=1e-6
    )
