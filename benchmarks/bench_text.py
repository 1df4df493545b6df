"""Rewriting a text, against sorting the index that every rewriting needs."""

import numpy as np
import pytest

from collapse_lib.data.text import ngram_index, ngram_walk, read


@pytest.mark.parametrize("order", [2, 3, 4])
def test_walk_against_sorting(compare, report, order):
    tokens, rng = read().tokens, np.random.default_rng(1)
    index = ngram_index(tokens, order)
    ours, sorting = compare(
        lambda: ngram_walk(index, rng=rng), lambda: ngram_index(tokens, order), rounds=15
    )
    report(f"{order}-gram walk / sorting its index", ours / sorting, at_most=2)
