"""Every public function says what it takes, returns and raises, shows it, and names its source."""

import sys
from types import ModuleType

import pytest

pytest.importorskip("torch")

from tools import docstrings

PUBLIC = docstrings.public()


def test_the_library_is_found():
    assert {"loop.run", "gaussian.simulation.simulate", "book.claims.Claim", "deep.vae.VAE"} <= set(
        PUBLIC
    )


def test_every_docstring_is_whole():
    found = {name: faults for name in PUBLIC if (faults := docstrings.faults(PUBLIC[name]))}
    told = "\n".join(f"{name}: {'; '.join(faults)}" for name, faults in found.items())
    assert not found, f"\n{told}"


SOUND = '''
def scaled(x: ArrayLike, factor: float) -> Floats:
    """Return the values, scaled.

    Parameters
    ----------
    x : array_like, (n,)
    factor : float

    Returns
    -------
    ndarray, (n,)

    References
    ----------
    Proved in the chapter *The loop*.

    Examples
    --------
    >>> scaled([1.0], 2.0)
    array([2.])
    """
    return positive("factor", factor) * np.asarray(x)
'''


def judged(source, tmp_path, monkeypatch):
    """Return the faults of the one function that a source text defines."""
    file = tmp_path / "planted_room.py"
    file.write_text(f"from __future__ import annotations\n{source}", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "planted_room", raising=False)
    import planted_room

    assert isinstance(planted_room, ModuleType)
    monkeypatch.delitem(sys.modules, "planted_room")
    sys.modules["planted_room"] = planted_room
    try:
        return docstrings.faults(planted_room.scaled)
    finally:
        del sys.modules["planted_room"]


@pytest.mark.parametrize(
    "said, planted, fault",
    [
        ("", "", None),
        ("    factor : float\n", "", "parameter 'factor' is not documented"),
        ("factor : float", "factr : float", "Unknown parameters {'factr'}"),
        ("array_like, (n,)", "array_like", "x: 'array_like' names no shape"),
        ("Returns\n    -------\n    ndarray, (n,)\n", "", "No Returns section"),
        ("    return", "    if factor > 9:\n        raise OverflowError\n    return", "no Raises section"),
        ("    Proved in the chapter *The loop*.", "    Well known.", "no source"),
        (">>> scaled([1.0], 2.0)\n    array([2.])", "scaled([1.0], 2.0)", "no doctest"),
        ("values, scaled.", "values, scaled", "Summary does not end with a period"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_named(said, planted, fault, tmp_path, monkeypatch):
    assert said in SOUND
    found = judged(SOUND.replace(said, planted, 1) if said else SOUND, tmp_path, monkeypatch)
    assert (not found) if fault is None else any(fault in each for each in found), found
