"""The molecule: its places in space, its energy, its exact law."""

import numpy as np
import pytest

from collapse_lib.deep import pentane


def test_bonds_angles_and_torsions_are_what_was_asked_for():
    torsions = np.random.default_rng(1).uniform(-np.pi, np.pi, (200, 2))
    x = pentane.coordinates(torsions)
    bonds = np.diff(x, axis=1)
    np.testing.assert_allclose(np.linalg.norm(bonds, axis=2), pentane.BOND)
    cosine = -(bonds[:, :-1] * bonds[:, 1:]).sum(axis=2) / pentane.BOND**2
    np.testing.assert_allclose(cosine, np.cos(pentane.ANGLE))
    for i in range(2):
        left = np.cross(bonds[:, i], bonds[:, i + 1])
        right = np.cross(bonds[:, i + 1], bonds[:, i + 2])
        cosine = (left * right).sum(axis=1)
        sine = (np.cross(left, right) * bonds[:, i + 1]).sum(axis=1) / pentane.BOND
        np.testing.assert_allclose(np.arctan2(sine, cosine), torsions[:, i], atol=1e-9)


def test_energy_is_that_of_the_mirror_image_and_of_the_reversed_molecule():
    torsions = np.random.default_rng(2).uniform(-np.pi, np.pi, (100, 2))
    energy = pentane._energy(torsions)
    np.testing.assert_allclose(pentane._energy(-torsions), energy)
    np.testing.assert_allclose(pentane._energy(torsions[:, ::-1]), energy)


def test_populations_converge_with_the_grid():
    fine, finer = (pentane.populations(pentane.Pentane(grid=g).mass) for g in (720, 1440))
    assert np.abs(fine - finer).max() < 1e-6
    named = dict(zip(pentane.CONFORMERS, fine, strict=True))
    assert named["tt"] == pytest.approx(0.443, abs=5e-4)
    assert named["g+g+"] == pytest.approx(0.026, abs=5e-4)
    assert named["g+g−"] == pytest.approx(0.001, abs=5e-4)


def test_molecules_have_the_law_of_the_grid():
    law = pentane.Pentane()
    drawn = law.sample(100_000, rng=3)
    share = np.bincount(pentane.conformer(drawn), minlength=9) / 100_000
    expected = pentane.populations(law.mass)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected / 100_000)).all()


def test_width_of_the_trans_well():
    law = pentane.Pentane()
    angle = law.sample(200_000, rng=4)[:, 0]
    trans = angle[np.abs(angle) > 2 * np.pi / 3] % (2 * np.pi) - np.pi
    expected = np.degrees(np.sqrt(-2 * np.log(np.abs(np.exp(1j * trans).mean()))))
    assert pentane.well_sd(law.mass) == pytest.approx(expected, rel=0.01)
    # 44 000 samples in the well: a standard error of 0.4 %
    drawn = law.sample(100_000, rng=3)
    assert pentane.sampled_well_sd(drawn) == pytest.approx(pentane.well_sd(law.mass), rel=0.02)


def test_bad_molecules():
    with pytest.raises(ValueError, match="torsions must be rows of two angles"):
        pentane._energy([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="torsions must be finite, got inf"):
        pentane.coordinates([[1.0, np.inf]])
    with pytest.raises(ValueError, match="grid must divide 720"):
        pentane.Pentane().cells(77)
