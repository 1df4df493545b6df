"""Rewriting a text, against sorting the index that every rewriting needs."""

import numpy as np
import pytest

from collapse_lib.data import text
from collapse_lib.words import ngram


@pytest.mark.parametrize("order", [2, 3, 4])
def test_walk_against_sorting(compare, report, order):
    tokens, rng = text.read().tokens, np.random.default_rng(1)
    index = ngram.index(tokens, order)
    ours, sorting = compare(
        lambda: ngram.walk(index, rng=rng), lambda: ngram.index(tokens, order), rounds=15
    )
    report(f"{order}-gram walk / sorting its index", ours / sorting, at_most=2)
