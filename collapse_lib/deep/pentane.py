"""n-Pentane with stiff bonds and angles: two torsion angles whose exact law is known.

The energies are those of the TraPPE united-atom force field; the clash of the two end groups
is not put in by hand but follows from their distance in space. Angles are in radians, from
−π to π, and π is *trans*.

The energies: M. G. Martin and J. I. Siepmann, J. Phys. Chem. B 102 (1998). The circular standard
deviation: K. V. Mardia and P. E. Jupp, Directional Statistics (2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints, Rng
from collapse_lib.checks import array, as_generator, positive, whole_number

__all__ = [
    "CONFORMERS",
    "Pentane",
    "cell_centres",
    "conformer",
    "coordinates",
    "populations",
    "sampled_well_sd",
    "well_sd",
]

BOND, ANGLE = 1.54, math.radians(114)  # ångström; between bonds
TORSION = (355.03, -68.19, 791.32)  # kelvin
METHYL_DEPTH, METHYL_SIZE = 98.0, 3.75  # kelvin, ångström: Lennard-Jones of the end groups
TURN = 2 * math.pi

CONFORMERS = ("tt", "tg+", "tg−", "g+t", "g+g+", "g+g−", "g−t", "g−g+", "g−g−")


def coordinates(torsions: ArrayLike) -> Floats:
    """Places of the five carbon groups, in ångström.

    Parameters
    ----------
    torsions : array_like, (n, 2)

    Returns
    -------
    ndarray, (n, 5, 3)

    Examples
    --------
    >>> places = coordinates([[np.pi, np.pi]])  # trans-trans: a flat zigzag
    >>> bool(np.allclose(places[..., 2], 0)), round(float(np.ptp(places[..., 0])), 1)
    (True, 4.3)
    """
    torsions = _two_angles(torsions)
    places = np.zeros((len(torsions), 5, 3))
    places[:, 1, 0] = BOND
    places[:, 2] = places[:, 1] + BOND * np.array([-math.cos(ANGLE), math.sin(ANGLE), 0])
    for i in range(2):
        along = _unit(places[:, i + 2] - places[:, i + 1])
        normal = _unit(np.cross(places[:, i + 1] - places[:, i], along))
        across = np.cross(normal, along)
        cosine, sine = np.cos(torsions[:, i, None]), np.sin(torsions[:, i, None])
        turned = cosine * across + sine * normal
        step = -math.cos(ANGLE) * along + math.sin(ANGLE) * turned
        places[:, i + 3] = places[:, i + 2] + BOND * step
    return places


def _energy(torsions: ArrayLike) -> Floats:
    """Energy in kelvin, (n,): two torsions, and the Lennard-Jones energy of the end groups."""
    torsions = _two_angles(torsions)
    first, second, third = TORSION
    bending = (
        first * (1 + np.cos(torsions))
        + second * (1 - np.cos(2 * torsions))
        + third * (1 + np.cos(3 * torsions))
    ).sum(axis=1)
    places = coordinates(torsions)
    square = ((places[:, 0] - places[:, 4]) ** 2).sum(axis=1)
    sixth = (METHYL_SIZE**2 / square) ** 3
    total: Floats = bending + np.minimum(4 * METHYL_DEPTH * (sixth**2 - sixth), 1e5)
    return total


@dataclass(frozen=True)
class Pentane:
    """The Boltzmann law of the two torsions, on a fine grid.

    Attributes
    ----------
    temperature : float
        Kelvin.
    grid : int
        Cells a side.

    Examples
    --------
    >>> law = Pentane()
    >>> dict(zip(CONFORMERS, populations(law.cells(72)).round(3).tolist()))["tt"]
    0.443
    """

    temperature: float = 300.0
    grid: int = 720
    mass: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positive("temperature", self.temperature)
        whole_number("grid", self.grid, minimum=72)
        angle = cell_centres(self.grid)
        torsions = np.stack(np.meshgrid(angle, angle, indexing="ij"), axis=-1).reshape(-1, 2)
        weight = np.exp(-_energy(torsions) / self.temperature).reshape(self.grid, self.grid)
        object.__setattr__(self, "mass", weight / weight.sum())

    def sample(self, n: int, *, rng: Rng = None) -> Floats:
        """Draw torsions, (n, 2): a cell by its mass, then a uniform place in it."""
        rng = as_generator(rng)
        cumulative = self.mass.ravel().cumsum()
        drawn = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
        cell = np.stack(np.divmod(drawn, self.grid), axis=-1)
        return (cell + rng.random((n, 2))) * TURN / self.grid - math.pi

    def cells(self, grid: int) -> Floats:
        """Masses of a coarser grid's cells, (grid, grid); it must divide the fine one."""
        if self.grid % whole_number("grid", grid, minimum=1):
            raise ValueError(f"grid must divide {self.grid}, got {grid}")
        return coarser(self.mass, grid)


def cell_centres(grid: int) -> Floats:
    """Angles in the middle of a grid's cells.

    Parameters
    ----------
    grid : int

    Returns
    -------
    ndarray, (grid,)

    Examples
    --------
    >>> (cell_centres(4) / math.pi).tolist()
    [-0.75, -0.25, 0.25, 0.75]
    """
    return (np.arange(grid) + 0.5) * TURN / grid - math.pi


def coarser(mass: Floats, grid: int) -> Floats:
    """Add up the cells of a grid, (…, fine, fine) → (…, grid, grid)."""
    factor = mass.shape[-1] // grid
    added: Floats = mass.reshape(*mass.shape[:-2], grid, factor, grid, factor).sum(axis=(-3, -1))
    return added


def conformer(torsions: ArrayLike) -> Ints:
    """Number of the conformer in `CONFORMERS`: each angle is trans, gauche+ or gauche−.

    Parameters
    ----------
    torsions : array_like, (…, 2)

    Returns
    -------
    ndarray of int, (…)

    Examples
    --------
    >>> [CONFORMERS[i] for i in conformer([[3.1, -3.1], [1.1, -1.1]])]
    ['tt', 'g+g−']
    """
    first, second = np.moveaxis(_well(np.asarray(torsions, dtype=float)), -1, 0)
    number: Ints = 3 * first + second
    return number


def populations(cells: Floats) -> Floats:
    """Masses of the nine conformers.

    Parameters
    ----------
    cells : ndarray, (…, grid, grid)

    Returns
    -------
    ndarray, (…, 9)

    Examples
    --------
    >>> populations(np.full((36, 36), 1 / 36**2)).round(3)[:2]  # uniform: a third is trans
    array([0.111, 0.111])
    """
    angle = cell_centres(cells.shape[-1])
    number = conformer(np.stack(np.meshgrid(angle, angle, indexing="ij"), axis=-1))
    return np.stack([(cells * (number == k)).sum(axis=(-2, -1)) for k in range(9)], axis=-1)


def well_sd(cells: Floats) -> FloatOrArray:
    """Circular standard deviation, in degrees, of the first angle inside its trans well.

    Parameters
    ----------
    cells : ndarray, (…, grid, grid)

    Returns
    -------
    ndarray, (…)

    Examples
    --------
    >>> float(well_sd(np.full((720, 720), 1.0)).round(1))  # uniform in the trans well
    35.3
    """
    return _trans_sd(cell_centres(cells.shape[-1]), cells.sum(axis=-1))


def sampled_well_sd(torsions: Floats) -> FloatOrArray:
    """The same for samples instead of cells.

    Parameters
    ----------
    torsions : ndarray, (…, n, 2)

    Returns
    -------
    ndarray, (…)
        NaN without a sample in the well.

    Examples
    --------
    >>> float(sampled_well_sd(np.radians([[175.0, 60.0], [-175.0, 60.0], [60.0, 60.0]])).round(1))
    5.0
    """
    return _trans_sd(torsions[..., 0], np.ones(1))


def _trans_sd(angle: Floats, mass: Floats) -> FloatOrArray:
    mass = mass * (_well(angle) == 0)
    with np.errstate(invalid="ignore"):
        length = np.abs((mass * np.exp(1j * angle)).sum(axis=-1)) / mass.sum(axis=-1)
    sd: FloatOrArray = np.degrees(np.sqrt(-2 * np.log(np.minimum(length, 1))))
    return sd


def _well(angle: Floats) -> Ints:
    """0 trans, 1 gauche+, 2 gauche−."""
    return np.where(np.abs(angle) > TURN / 3, 0, np.where(angle > 0, 1, 2))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _two_angles(torsions: ArrayLike) -> Floats:
    torsions = array("torsions", torsions, ndim=2)
    if torsions.shape[1] != 2:
        raise ValueError(f"torsions must be rows of two angles, got shape {torsions.shape}")
    return torsions
