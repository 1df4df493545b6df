"""Deterministic equivalents, and Bartlett factors in place of designs: against drawn designs.

A reference that would take minutes is run for one design, and scaled.
"""

import numpy as np

from collapse_lib.data.images import digits
from collapse_lib.ridge import (
    PowerLaw,
    Ridge,
    Teacher,
    kappa,
    kernel_experiment,
    kernel_features,
    parity,
    ridge_loop_risk,
    ridge_risk,
    simulate_ridge,
)

D, T, T0, N, PENALTY = 300, 1000, 600, 5, 1e-3
W0 = np.full(D, D**-0.5)
STUDENT = Ridge(np.ones(D), W0, T, PENALTY, noise=0.2)
TEACHER = Teacher(N, T0, noise=0.2)
RUNS = 100  # a standard error of 1 % or so


def equivalent():
    ridge_risk(STUDENT, TEACHER)


def one_run(rng):
    """Generators by pinv, then ridge, each on a design that is drawn."""
    w = W0
    for _ in range(N):
        x = rng.standard_normal((T0, D))
        w = np.linalg.pinv(x) @ (x @ w + 0.2 * rng.standard_normal(T0))
    x = rng.standard_normal((T, D))
    y = x @ w + 0.2 * rng.standard_normal(T)
    w = np.linalg.solve(x.T @ x + PENALTY * T * np.eye(D), x.T @ y)
    return (w - W0) @ (w - W0)


def test_equivalent_against_simulation(compare, report):
    rng = np.random.default_rng(1)
    ours, one = compare(equivalent, lambda: one_run(rng), rounds=5)
    report("R4: simulation, 100 runs / equivalent", RUNS * one / ours, at_least=10**4)


def test_equivalent_against_one_bartlett_run(compare, report):
    def one():
        simulate_ridge(STUDENT, TEACHER, rng=1)

    ours, reference = compare(equivalent, one, rounds=5)
    report("R4: one Bartlett run / equivalent", reference / ours, at_least=5)


def test_bartlett_against_drawn_designs(compare, report):
    rng = np.random.default_rng(2)

    def ten():
        simulate_ridge(STUDENT, TEACHER, replicates=10, rng=3)

    ours, one = compare(ten, lambda: one_run(rng), rounds=3)
    report("R4: drawn designs / Bartlett factors", 10 * one / ours, at_least=10)


def test_loop_of_ridge_fits(compare, report):
    rng = np.random.default_rng(4)

    def one_generation():
        x = rng.standard_normal((T, D))
        return np.linalg.solve(x.T @ x + PENALTY * T * np.eye(D), x.T @ (x @ W0))

    ours, one = compare(lambda: ridge_loop_risk(STUDENT, 100), one_generation, rounds=5)
    report("R5: simulation, 100 generations × 100 runs / equivalent", RUNS * 100 * one / ours,
           at_least=10**4)  # fmt: skip


def test_hundred_million_eigenvalues(compare, report):
    law = PowerLaw(2, 0.375, 5 * 10**7)
    k = np.arange(1, 10**6 + 1.0)  # a fiftieth of them

    def blocks():
        ridge_risk(law.student(10**8, 4e-7), Teacher(5, 10**8))

    ours, some = compare(blocks, lambda: kappa(k**-2, 4e-7, 10**8), rounds=5)
    report(
        "R11, d = 5·10⁷: κ alone, term by term / all three terms", 50 * some / ours, at_least=1000
    )


def test_digits_experiment(compare, report):
    """The chapter's three panels: features, forty splits twice, theory."""

    def panels():
        data = digits()
        x = kernel_features(data.pixels.reshape(-1, 64), 120, gamma=0.1)
        y = parity(data.labels)
        grid = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
        kernel_experiment(x, y, Teacher(range(11), 400), rows=[1000], penalties=grid, rng=19)
        sizes = [50, 100, 200, 400, 800, 1297]
        kernel_experiment(x, y, Teacher([0, 5], 400), rows=sizes, penalties=grid, rng=20)

    seconds, _ = compare(panels, lambda: None, rounds=2)
    report("digits, three panels", seconds, "s", at_most=15)
