"""Formulas are typeset by Node: as MathML that holds the TeX, and as boxes; a bad one is named."""

import doctest
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "_ext"))

import typeset


def test_a_formula_is_there_for_eyes_ears_and_the_clipboard():
    html = typeset.typeset(r"\frac{\pi^2}{6}", display=False)
    assert "<mfrac>" in html and 'class="katex-html" aria-hidden="true"' in html
    assert r'<annotation encoding="application/x-tex">\frac{\pi^2}{6}</annotation>' in html
    assert "katex-display" in typeset.typeset("x", display=True)


@pytest.mark.parametrize("bad", [r"\frac{1", r"\nosuchcommand", "é"])
def test_a_formula_that_cannot_be_read_is_an_error_and_the_next_is_set(bad):
    with pytest.raises(typeset.UnreadableFormula):
        typeset.typeset(bad, display=False)
    assert typeset.typeset("y", display=False)


def test_lines_are_aligned():
    assert doctest.testmod(typeset).failed == 0
    assert typeset.lines(r"\begin{cases}a\\b\end{cases}").startswith(r"\begin{cases}")
