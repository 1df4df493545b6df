"""What a new run's claims may differ by from the stored ones, and what they may not."""

import importlib.util
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[2] / "chapters" / "conftest.py"


@pytest.fixture(scope="module")
def sanitize():
    spec = importlib.util.spec_from_file_location("comparison_of_claims", CONFTEST)
    comparison = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(comparison)
    return lambda value: comparison.sanitize(None, value)


def record(**changes):
    return [
        {"theory": 0.1, "measured": 0.1005705, "rival": {"value": 0.18, "z": -180.7}, **changes}
    ]


@pytest.mark.parametrize("measured", [0.1005705, 0.10057050000000001, 0.1005704999999999])
def test_the_last_digits_may_differ(sanitize, measured):
    """Six digits of this number end in a five that is rounded up or down."""
    assert sanitize(record()) == sanitize(record(measured=measured))


@pytest.mark.parametrize(
    "change", [{"measured": 0.100571}, {"rival": {"value": 0.18, "z": -180.8}}, {"theory": 0.2}]
)
def test_a_number_may_not(sanitize, change):
    assert sanitize(record()) != sanitize(record(**change))


def test_a_record_that_varies_is_compared_without_its_numbers(sanitize):
    assert sanitize(record(varies=True)) == sanitize(record(varies=True, measured=7.0))
