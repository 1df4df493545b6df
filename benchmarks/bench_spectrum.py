"""Deterministic equivalents, and Bartlett factors in place of designs: against drawn designs.

A reference that would take minutes is run for one design, and scaled.
"""

import numpy as np

from collapse_lib.data.images import digits
from collapse_lib.ridge import images as kernel_ridge
from collapse_lib.ridge import simulate_ridge
from collapse_lib.ridge.scaling import PowerLaw
from collapse_lib.ridge.spectrum import kappa, ridge_loop_risk, ridge_risk

D, T, T0, N, PENALTY = 300, 1000, 600, 5, 1e-3
SPECTRUM, W0 = np.ones(D), np.full(D, D**-0.5)
RUNS = 100  # a standard error of 1 % or so


def equivalent():
    ridge_risk(SPECTRUM, W0**2, T, PENALTY, n=N, T0=T0, sigma=0.2, sigma0=0.2)


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
        simulate_ridge(SPECTRUM, W0, T, PENALTY, n=N, T0=T0, rng=1)

    ours, reference = compare(equivalent, one, rounds=5)
    report("R4: one Bartlett run / equivalent", reference / ours, at_least=5)


def test_bartlett_against_drawn_designs(compare, report):
    rng = np.random.default_rng(2)

    def ten():
        simulate_ridge(
            SPECTRUM, W0, T, PENALTY, n=N, T0=T0, sigma=0.2, sigma0=0.2, replicates=10, rng=3
        )

    ours, one = compare(ten, lambda: one_run(rng), rounds=3)
    report("R4: drawn designs / Bartlett factors", 10 * one / ours, at_least=10)


def test_loop_of_ridge_fits(compare, report):
    rng = np.random.default_rng(4)

    def one_generation():
        x = rng.standard_normal((T, D))
        return np.linalg.solve(x.T @ x + PENALTY * T * np.eye(D), x.T @ (x @ W0))

    ours, one = compare(
        lambda: ridge_loop_risk(SPECTRUM, W0**2, T, PENALTY, 100), one_generation, rounds=5
    )
    report("R5: simulation, 100 generations × 100 runs / equivalent", RUNS * 100 * one / ours,
           at_least=10**4)  # fmt: skip


def test_hundred_million_eigenvalues(compare, report):
    law = PowerLaw(2, 0.375, 5 * 10**7)
    k = np.arange(1, 10**6 + 1.0)  # a fiftieth of them

    def blocks():
        law.risk(10**8, 4e-7, n=5, T0=10**8)

    ours, some = compare(blocks, lambda: kappa(k**-2, 4e-7, 10**8), rounds=5)
    report(
        "R11, d = 5·10⁷: κ alone, term by term / all three terms", 50 * some / ours, at_least=1000
    )


def test_digits_experiment(compare, report):
    """The chapter's three panels: features, forty splits twice, theory."""

    def panels():
        data = digits()
        x = kernel_ridge.features(data.pixels.reshape(-1, 64), 120, gamma=0.1)
        y = kernel_ridge.parity(data.labels)
        grid = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
        kernel_ridge.measure(x, y, n=range(11), T=[1000], penalties=grid, T0=400, rng=19)
        sizes = [50, 100, 200, 400, 800, 1297]
        kernel_ridge.measure(x, y, n=[0, 5], T=sizes, penalties=grid, T0=400, rng=20)

    seconds, _ = compare(panels, lambda: None, rounds=2)
    report("digits, three panels", seconds, "s", at_most=15)
