"""A sweep gives the same numbers wherever it runs, and goes on from what it has kept."""

import os
import sys
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from collapse_lib.sweep import sweep

GRID = {"size": [5, 40], "scale": [1.0, 2.0, 3.0]}
quiet = partial(sweep, progress=False)
on_dask = partial(quiet, backend="dask")
on_loky = partial(quiet, workers=2)


def product(size, scale, *, rng):
    """A number whose last bits depend on the order in which sums are taken."""
    matrix = scale * rng.normal(size=(size, 300))
    return float(np.linalg.inv(matrix @ matrix.T).sum())


def triple(size, scale, *, rng):
    return rng.normal(size=3)


def noted(x, *, folder, rng):
    """Leave a mark for every evaluation."""
    number = rng.random()
    Path(folder, f"{x}-{uuid.uuid4()}").touch()
    return number


def evaluations(folder, x="*"):
    return len(list(Path(folder).glob(f"{x}-*")))


def deadly_once(x, *, folder, rng):
    """The third cell kills its process the first time."""
    mark = Path(folder, "died")
    if x == 3 and not mark.exists():
        mark.touch()
        os._exit(1)
    return noted(x, folder=folder, rng=rng)


def stopping(x, folder, *, rng):
    """Fail at the third cell, until there is a mark."""
    if x == 3 and not Path(folder, "go").exists():
        raise OSError("no marks")
    return noted(x, folder=folder, rng=rng)


def failing(x, *, rng):
    if x == 3:
        raise ArithmeticError("no three")
    return x


def threads(x):
    np.ones((2, 2)) @ np.ones((2, 2))
    return max(pool["num_threads"] for pool in threadpool_info())


@pytest.fixture(scope="module", autouse=True)
def no_worker_stays():
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes and a scheduler that talk over the loopback address."""
    distributed = pytest.importorskip("distributed")
    local = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **local) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        yield client


ON = {"loky": on_loky, "dask": on_dask}


@pytest.fixture(params=["loky", "dask"])
def on_two_workers(request):
    if request.param == "dask":
        request.getfixturevalue("cluster")
    return ON[request.param]


def test_identical_on_one_core_on_two_and_on_a_cluster(cluster):
    one = quiet(product, GRID, seed=3, workers=1).values
    assert len(set(one)) == 6
    assert quiet(product, GRID, seed=3, workers=2).values == one
    assert on_dask(product, GRID, seed=3).values == one
    assert len(cluster.scheduler_info()["workers"]) == 2


@pytest.mark.parametrize("backend", ["threading", "sequential"])
def test_identical_on_other_backends(backend):
    one = quiet(product, GRID, seed=3, workers=1).values
    assert quiet(product, GRID, seed=3, backend=backend, workers=2).values == one


def test_a_cell_has_its_own_stream_whatever_else_is_swept():
    ones, twos = quiet(product, GRID, seed=3, workers=1).array()[0, :2]
    cells = [{"scale": 2.0, "size": np.int64(5)}, {"size": 7, "scale": 1.0}]
    assert quiet(product, cells, seed=3, workers=1).values[0] == twos
    assert quiet(product, cells, seed=4, workers=1).values[0] != twos
    assert twos * 4 != pytest.approx(ones)  # not one stream, scaled


def first(x, *, rng):
    return rng.random()


def test_streams_of_different_cells_are_independent():
    """Uniform, uncorrelated with its neighbour: 400 cells, at four standard errors."""
    numbers = np.array(quiet(first, {"x": range(400)}, seed=0, workers=1).values)
    assert abs(numbers.mean() - 0.5) < 4 / np.sqrt(12 * 400)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 4 / np.sqrt(399)


@pytest.mark.parametrize("workers", [1, 2])
def test_linear_algebra_takes_one_thread(workers):
    before = threadpool_info()
    assert quiet(threads, {"x": [1, 2]}, seed=None, workers=workers).values == (1, 1)
    assert threadpool_info() == before


def expected(folder, cells=range(8)):
    return quiet(partial(noted, folder=folder), {"x": cells}, seed=5, workers=1).values


def test_a_worker_of_a_cluster_that_dies_loses_nothing(cluster, tmp_path):
    result = on_dask(partial(deadly_once, folder=tmp_path), {"x": range(8)}, seed=5)
    assert (tmp_path / "died").exists()
    assert result.values == expected(tmp_path)


def test_an_error_names_the_cell(on_two_workers):
    with pytest.raises(RuntimeError, match=r"1 of 6 cells failed.* {'x': 3}") as error:
        on_two_workers(failing, {"x": range(6)}, seed=1)
    assert 'raise ArithmeticError("no three")' in str(error.value)


def test_a_cell_that_exits_fails():
    with pytest.raises(RuntimeError, match=r"(?s){'x': 1}.*SystemExit: 2"):
        quiet(lambda x: sys.exit(2), {"x": [1]}, seed=None, workers=1)


def test_arrays_have_the_axes_of_the_grid():
    result = quiet(triple, GRID, seed=1, workers=1)
    assert result.shape == (2, 3)
    assert result.cells[1] == {"size": 5, "scale": 2.0}
    assert result.array().shape == (2, 3, 3)
    assert (result.array()[1, 2] == result.values[5]).all()
    assert quiet(product, result.cells, seed=1, workers=1).array().shape == (6,)


def test_a_folder_keeps_what_is_done(tmp_path, on_two_workers):
    marks = tmp_path / "marks"
    marks.mkdir()

    def kept(cells, seed=5):
        cells = [{"x": x, "folder": marks} for x in cells]
        return on_two_workers(stopping, cells, seed=seed, cache=tmp_path / "cache").values

    with pytest.raises(RuntimeError, match=r"(?s)'x': 3.*OSError: no marks"):
        kept(range(5))
    assert evaluations(marks) == 4  # one that fails does not stop the others
    (marks / "go").touch()
    values = kept(range(5))
    assert evaluations(marks) == 5
    assert kept(range(6))[:5] == values
    assert evaluations(marks) == 6
    assert kept(range(6), seed=6)[:5] != values
    assert evaluations(marks) == 12


def test_a_spoiled_file_is_computed_again(tmp_path):
    kept = partial(quiet, first, {"x": [1, 2]}, seed=5, workers=1, cache=tmp_path)
    values = kept().values
    next(tmp_path.rglob("output.pkl")).write_bytes(b"spoiled")
    assert kept().values == values


def test_no_cell_is_computed_for_nothing(tmp_path, on_two_workers):
    on_two_workers(partial(noted, folder=tmp_path), {"x": range(20)}, seed=5)
    assert evaluations(tmp_path) == 20


def test_a_progress_bar_unless_it_is_not_wanted(capfd):
    quiet(first, {"x": [1, 2]}, seed=1, workers=1)
    assert capfd.readouterr() == ("", "")
    sweep(first, {"x": [1, 2]}, seed=1, workers=1)
    assert "2/2" in capfd.readouterr().err


def test_without_distributed_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match="distributed"):
        on_dask(first, GRID, seed=1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quiet(first, {"x": []}, seed=1), ["over", "one or more"]),
        (lambda: quiet(first, [], seed=1), ["over", "one or more"]),
        (lambda: quiet(first, [{"x": 1}, {"x": 1}], seed=1), ["over", "alike", "{'x': 1}"]),
        (lambda: quiet(first, {"x": [1]}, seed=-1), ["seed", "at least 0", "-1"]),
        (lambda: quiet(first, {"x": [1]}, seed=1.5), ["seed", "whole number", "1.5"]),
        (lambda: quiet(first, {"x": [1]}, seed=1, workers=0), ["workers", "at least 1", "0"]),
        (lambda: quiet(first, {"x": [1]}, seed=1, backend="x"), ["backend", "'loky'", "'dask'"]),
        (lambda: quiet(max, {"x": [1]}, seed=1, cache="none"), ["function", "cache", "max"]),
        (lambda: quiet(partial(first), {"x": [1]}, seed=1, cache="none"), ["function", "plain"]),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)
    assert not Path("none").exists()
