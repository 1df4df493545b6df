"""Learning curves of kernel ridge on labels that kernel models made: any images, any kernel.

Fits are scikit-learn's. Its ``alpha`` is λT. `stored_mnist` holds what `mnist_curves` gave on
the 10 000 test images of MNIST, for readers who do not have them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.kernel_ridge import KernelRidge

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from collapse_lib._types import ArrayLike, Floats, Ints, Rng
from collapse_lib.checks import as_generator, positive, whole_number
from collapse_lib.ridge.images import Repeats, design_checked, matched, parity

__all__ = ["KERNELS", "MNIST", "Curves", "learning_curves", "mnist_curves", "stored_mnist"]

#: The two kernels of the published experiment, for pixels from 0 to 1, as scikit-learn's
#: arguments; the widths and the exponents ℓ are this book's choice.
KERNELS: dict[str, dict[str, Any]] = {
    "RBF": {"kernel": "rbf", "gamma": 0.01},
    "polynomial": {"kernel": "polynomial", "degree": 5, "gamma": 1 / 784, "coef0": 1},
}

#: The settings of `mnist_curves`; ``ell`` is read off the two kernels' spectra.
MNIST: dict[str, Any] = {
    "n": 5,
    "T0": 500,
    "T": [1, 3, 10, 30, 100, 300, 1000],
    "ell": {"RBF": 0.77, "polynomial": 1.0},
    "repeats": 24,
}


@dataclass(frozen=True)
class Curves(Repeats):
    """Test error against the size of the downstream training set.

    Attributes
    ----------
    errors : ndarray, (repeats, sizes, 2)
        Mean squared distance from the noiseless target; last axis: λ = T^−ℓ, and
        λ = (T₀/n)^−ℓ for every T.
    mean, stderr : ndarray, (sizes, 2)
        Their mean over the repeats and its standard error.
    T : tuple
        The sizes.
    """

    T: tuple[int, ...]


def learning_curves(
    images: ArrayLike,
    targets: ArrayLike,
    kernel: dict[str, Any],
    *,
    n: int,
    T0: int,
    T: Iterable[int],
    ell: float,
    generator_penalty: float = 1e-4,
    test: int = 1000,
    repeats: int = 12,
    noise: float = 1.0,
    rng: Rng = None,
) -> Curves:
    """Fit n kernel models in a row, each to the labels of the one before, and then a last one.

    Parameters
    ----------
    images : array_like, (images, pixels)
    targets : array_like, (images,)
        Noiseless targets.
    kernel : dict
        Arguments of ``sklearn.kernel_ridge.KernelRidge``, such as ``KERNELS["RBF"]``.
    n : int
        Generations, at least 1. The first learns from the targets plus noise.
    T0 : int
        Images of each generator, drawn without replacement.
    T : list of int
        Sizes of the last training set; a smaller set is part of a larger one.
    ell : float
        ℓ, above 0.
    generator_penalty : float
        λ of the generators; their noise is to get through.
    test : int
        Images held out at random in each repeat.
    repeats : int
    noise : float
        Standard deviation of all label noise.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Curves

    Examples
    --------
    >>> images = np.random.default_rng(1).random((60, 4))
    >>> run = learning_curves(images, images[:, 0], KERNELS["RBF"], n=2, T0=20, T=[5, 30],
    ...                       ell=0.8, test=10, repeats=2, rng=2)
    >>> run.errors.shape
    (2, 2, 2)
    """
    images, targets = matched(images, targets)
    n, rng = whole_number("n", n, minimum=1), as_generator(rng)
    T, T0, test, repeats = design_checked(T, T0, test, repeats, len(images))
    ell = positive("ell", ell)
    errors = np.empty((repeats, len(T), 2))
    for repeat in range(repeats):
        order = rng.permutation(len(images))
        held, train = order[:test], order[test:]
        model = None
        for _ in range(n):
            rows = rng.choice(train, T0, replace=False)
            noisy = _labels(model, images, targets, rows) + noise * rng.standard_normal(T0)
            model = _fit(kernel, generator_penalty, images[rows], noisy)
        rows = rng.choice(train, max(T), replace=False)
        noisy = _labels(model, images, targets, rows) + noise * rng.standard_normal(max(T))
        for j, size in enumerate(T):
            for k, base in enumerate((size, T0 / n)):
                last = _fit(kernel, base**-ell, images[rows[:size]], noisy[:size])
                errors[repeat, j, k] = np.mean((last.predict(images[held]) - targets[held]) ** 2)
    return Curves(errors, T)


def mnist_curves(
    images: ArrayLike, labels: ArrayLike, *, repeats: int = MNIST["repeats"], rng: Rng = 1
) -> dict[str, Any]:
    """Compute both kernels' curves on MNIST: the experiment behind `stored_mnist`.

    Parameters
    ----------
    images : array_like, (images, 784)
        Pixels from 0 to 1.
    labels : array_like of int, (images,)
        Digits; the target is the digit mod 2, plus noise.
    repeats : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    dict
        For each kernel ``mean`` and ``stderr``, each a list of pairs (λ = T^−ℓ, fixed λ), one
        for each T.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> run = mnist_curves(rng.random((2100, 784)), rng.integers(10, size=2100), repeats=2)
    >>> len(run["RBF"]["mean"])
    7
    """
    targets = (parity(labels) + 1) / 2
    given = {name: MNIST[name] for name in ("n", "T0", "T")}
    found = {}
    for name, kernel in KERNELS.items():
        run = learning_curves(
            images, targets, kernel, ell=MNIST["ell"][name], repeats=repeats, rng=rng, **given
        )
        found[name] = {
            "mean": run.mean.round(4).tolist(),
            "stderr": run.stderr.round(4).tolist(),
        }
    return found


def stored_mnist() -> dict[str, Any]:
    """Return what `mnist_curves` gave on the 10 000 test images of MNIST.

    Returns
    -------
    dict
        As from `mnist_curves`.

    References
    ----------
    The theorem that it illustrates is in the chapter *Scaling laws*.

    Examples
    --------
    >>> sorted(stored_mnist())
    ['RBF', 'polynomial']
    """
    curves: dict[str, Any] = json.loads(
        files("collapse_lib.ridge").joinpath("mnist_curves.json").read_text("utf-8")
    )
    return curves


def _labels(model: KernelRidge | None, images: Floats, targets: Floats, rows: Ints) -> Floats:
    return targets[rows] if model is None else model.predict(images[rows])


def _fit(kernel: dict[str, Any], penalty: float, x: Floats, y: Floats) -> KernelRidge:
    from sklearn.kernel_ridge import KernelRidge

    return KernelRidge(alpha=penalty * len(x), **kernel).fit(x, y)
