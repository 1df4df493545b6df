"""Benchmarks are ratios: ours and a reference, timed in turn in the same run."""

from time import perf_counter

import pytest

ROWS = []


def pytest_configure(config):
    config.addinivalue_line("python_files", "bench_*.py")


@pytest.fixture
def compare(benchmark):
    """Time a function and its reference in turn; return (best of ours, best of the reference)."""

    def timed(ours, reference, *, rounds=7):
        reference_times = []

        def time_reference():
            start = perf_counter()
            reference()
            reference_times.append(perf_counter() - start)

        benchmark.pedantic(ours, setup=time_reference, rounds=rounds, warmup_rounds=1)
        return benchmark.stats.stats.min, min(reference_times)

    return timed


@pytest.fixture
def report():
    """Note a measured value and what it must be, for the table at the end, and check it."""

    def row(what, value, unit="×", *, at_least=None, at_most=None):
        wanted = f"≥ {at_least:g}" if at_least is not None else ""
        wanted = f"≤ {at_most:g}" if at_most is not None else wanted
        ROWS.append(
            (what, f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}", wanted)
        )
        assert at_least is None or value >= at_least, f"{what}: {value:.3g} is below {at_least}"
        assert at_most is None or value <= at_most, f"{what}: {value:.3g} is above {at_most}"

    return row


def pytest_terminal_summary(terminalreporter):
    if not ROWS:
        return
    terminalreporter.section("ratios")
    width = max(len(what) for what, *_ in ROWS)
    terminalreporter.write_line(f"{'':{width}}  {'measured':>12}  wanted")
    for what, value, wanted in ROWS:
        terminalreporter.write_line(f"{what:{width}}  {value:>12}  {wanted}")
