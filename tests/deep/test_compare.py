"""Paired differences and their intervals, and runs that come back as they were stored."""

import json

import numpy as np
import pytest

from collapse_lib.deep import compare


def test_t_interval_covers_as_often_as_it_says():
    values = np.random.default_rng(5).standard_normal((20_000, 4))
    mean, half = compare.mean_interval(values, axis=1)
    covered = (np.abs(mean) < half).mean()
    assert abs(covered - 0.95) < 0.005  # se .0015


def test_pairing_removes_what_the_seeds_share():
    rng = np.random.default_rng(6)
    shared = 10 * rng.standard_normal(6)
    a, b = shared + 1 + 0.1 * rng.standard_normal(6), shared + 0.1 * rng.standard_normal(6)
    result = compare.paired_difference(a, b)
    assert result.excludes_zero and result.wins == 6 and result.p < 1e-3
    assert result.low < 1 < result.high


def test_too_few_seeds():
    with pytest.raises(ValueError, match="values must be at least two seeds, got 1"):
        compare.mean_interval([1.0])
    with pytest.raises(ValueError, match="a and b must be two seeds or more each"):
        compare.paired_difference([1.0, 2.0], [1.0])


def test_records_come_back_as_they_were(tmp_path):
    values = np.arange(12.0).reshape(2, 3, 2)
    pytest.importorskip("torch")
    evolution = compare.Evolution(
        ("replace", "accumulate"),
        {"kl": values, "cells": np.zeros((2, 3, 2, 4))},
        np.zeros(1),
        {"train": 1.25},
    )
    path = tmp_path / "run.json"
    assert compare.load_record(path) is None
    compare.save_record(path, evolution, preset="tiny", device="cpu")
    record = compare.load_record(path)
    assert record.seeds == 3 and record.measured_on["preset"] == "tiny"
    np.testing.assert_array_equal(record.of("kl", "accumulate"), values[1])
    assert list(record.metrics) == ["kl"]
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="path must name a stored run"):
        compare.load_record(path)
