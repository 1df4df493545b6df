"""A sweep gives the same numbers wherever it runs, and loses nothing when a worker dies."""

import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from collapse_lib.sweep import SweepFailed, SweepResult, sweep

GRID = {"size": [5, 40], "scale": [1.0, 2.0, 3.0]}
quiet = partial(sweep, progress=False)
on_dask = partial(quiet, backend="dask")
on_loky = partial(quiet, workers=2)


def product(size, scale, *, rng):
    """A number whose last bits depend on the order in which sums are taken."""
    matrix = scale * rng.normal(size=(size, 300))
    return float(np.linalg.inv(matrix @ matrix.T).sum())


def pair(size, scale, *, rng):
    return {"mean": rng.normal(size=3), "size": size}


def noted(x, *, folder, rng):
    """Leave a mark for every evaluation."""
    number = rng.random()
    Path(folder, f"{x}-{os.getpid()}-{time.monotonic_ns()}").touch()
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


def deadly(x, *, folder, rng):
    if x == 3:
        noted(x, folder=folder, rng=rng)
        time.sleep(0.1)
        os._exit(1)
    time.sleep(0.3)  # others are with the workers whenever the third cell kills one
    return noted(x, folder=folder, rng=rng)


def slow(x, *, folder, rng):
    number = noted(x, folder=folder, rng=rng)
    time.sleep(0.2)
    return number


def failing(x, *, rng):
    if x == 3:
        raise ArithmeticError("no three")
    return x


def untransportable(x, *, rng):
    return threading.Lock() if x == 3 else x


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


@pytest.mark.parametrize("backend", ["threading", "sequential", "multiprocessing"])
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


def test_a_worker_that_dies_loses_nothing(on_two_workers, tmp_path):
    result = on_two_workers(partial(deadly_once, folder=tmp_path), {"x": range(8)}, seed=5)
    assert (tmp_path / "died").exists()
    assert result.values == expected(tmp_path)


def test_a_worker_that_is_killed_loses_nothing(on_two_workers, tmp_path):
    def kill():
        while not (marks := list(tmp_path.glob("2-*"))) and not given_up.is_set():
            time.sleep(0.01)
        if marks:
            killed.append(int(marks[0].name.split("-")[1]))
            os.kill(killed[0], signal.SIGKILL)

    killed, given_up = [], threading.Event()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result = on_two_workers(partial(slow, folder=tmp_path), {"x": range(8)}, seed=5)
    finally:
        given_up.set()
        killer.join()
    assert killed and killed[0] != os.getpid()
    assert evaluations(tmp_path, 2) >= 2  # the cell that was lost ran again
    assert result.values == expected(tmp_path)


def test_a_cell_that_always_kills_its_worker_is_the_only_one_lost(on_two_workers, tmp_path):
    result = on_two_workers(partial(deadly, folder=tmp_path), {"x": range(8)}, seed=5)
    assert [(lost.number, lost.cell) for lost in result.failures] == [(3, {"x": 3})]
    assert "Worker" in result.failures[0].error
    assert evaluations(tmp_path, 3) <= 8  # 3 by loky, twice 4 by Dask
    values = expected(tmp_path)
    assert result.results == (*values[:3], None, *values[4:])


def test_a_cell_that_raises_is_kept_with_its_error(on_two_workers):
    result = on_two_workers(failing, {"x": range(6)}, seed=1)
    assert result.results == (0, 1, 2, None, 4, 5)
    (failure,) = result.failures
    assert (failure.number, failure.cell) == (3, {"x": 3})
    assert failure.error == "ArithmeticError: no three"
    assert 'raise ArithmeticError("no three")' in failure.traceback
    for ask in (lambda: result.values, result.array):
        with pytest.raises(SweepFailed, match=r"1 of 6 cells failed.*'x': 3.*no three"):
            ask()
    np.testing.assert_array_equal(result.array(failed=np.nan), [0, 1, 2, np.nan, 4, 5])


def test_a_result_that_cannot_travel_is_the_only_one_lost(on_two_workers):
    result = on_two_workers(untransportable, {"x": range(6)}, seed=1)
    assert result.results == (0, 1, 2, None, 4, 5)
    assert "cannot pickle" in result.failures[0].error


def test_a_cell_that_exits_fails():
    result = quiet(lambda x: sys.exit(2), {"x": [1]}, seed=None, workers=1)
    assert result.failures[0].error == "SystemExit: 2"


def test_arrays_have_the_axes_of_the_grid():
    result = quiet(pair, GRID, seed=1, workers=1)
    assert isinstance(result, SweepResult) and result.axes == {
        "size": (5, 40), "scale": (1.0, 2.0, 3.0),
    }  # fmt: skip
    assert result.cells[1] == {"size": 5, "scale": 2.0}
    assert result.array("mean").shape == (2, 3, 3)
    assert result.array("size").tolist() == [[5] * 3, [40] * 3]
    assert quiet(product, result.cells, seed=1, workers=1).array().shape == (6,)
    assert quiet(first, {"x": [1j, 2j]}, seed=1, workers=1).array("real").shape == (2,)


def test_a_folder_keeps_what_is_done(tmp_path):
    marks, cache = tmp_path / "marks", tmp_path / "cache"
    marks.mkdir()
    kept = partial(quiet, workers=1, cache=cache)

    def counted(x, *, rng):
        if x == stop:
            raise KeyboardInterrupt
        return noted(x, folder=marks, rng=rng)

    stop = 3
    with pytest.raises(KeyboardInterrupt):
        kept(counted, {"x": range(6)}, seed=5)
    assert evaluations(marks) == 3
    stop = None  # in the closure of the function: another function
    kept(counted, {"x": range(6)}, seed=5)
    assert evaluations(marks) == 9
    assert kept(counted, {"x": range(7)}, seed=5).values == expected(tmp_path, range(7))
    assert evaluations(marks) == 10
    kept(counted, {"x": range(6)}, seed=6)
    assert evaluations(marks) == 16


def test_an_interrupted_sweep_resumes_where_it_stopped(tmp_path):
    call = partial(deadly_once, folder=tmp_path)
    kept = partial(quiet, seed=5, cache=tmp_path / "cache")
    kept(call, {"x": range(3)}, workers=1)
    assert kept(call, {"x": range(8)}, workers=2).values == expected(tmp_path / "..")
    assert (tmp_path / "died").exists()
    assert [evaluations(tmp_path, x) for x in range(3)] == [1, 1, 1]


def test_a_failed_cell_is_tried_again(tmp_path):
    def once(x):
        done = (tmp_path / "tried").exists()
        (tmp_path / "tried").touch()
        if not done:
            raise OSError("first time")
        return x

    kept = partial(quiet, once, {"x": [1]}, seed=None, workers=1, cache=tmp_path / "cache")
    assert kept().failures and kept().values == (1,)


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


def test_without_distributed_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match="pip install distributed"):
        on_dask(first, GRID, seed=1)


def test_without_a_cluster_the_error_says_so(monkeypatch):
    distributed = pytest.importorskip("distributed")

    def none():
        raise ValueError("No global client found and no address provided")

    monkeypatch.setattr(distributed, "get_client", none)
    with pytest.raises(ValueError, match=r"distributed\.Client"):
        on_dask(first, GRID, seed=1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quiet(first, {"x": 3}, seed=1), ["over", "'x'", "3"]),
        (lambda: quiet(first, {"x": "abc"}, seed=1), ["over", "'x'", "'abc'"]),
        (lambda: quiet(first, {"x": []}, seed=1), ["over", "'x'", "at least one"]),
        (lambda: quiet(first, [], seed=1), ["over", "at least one cell"]),
        (lambda: quiet(first, [1], seed=1), ["over", "dict", "[1]"]),
        (lambda: quiet(first, 5, seed=1), ["over", "dict", "5"]),
        (lambda: quiet(first, [{"x": 1}, {"x": 1}], seed=1), ["over", "twice", "{'x': 1}"]),
        (lambda: quiet(first, {"rng": [1]}, seed=1), ["over", "'rng'"]),
        (lambda: quiet(first, {"x": [lambda: 1]}, seed=1), ["over", "pickled", "x"]),
        (lambda: quiet(first, {"x": [1]}, seed=-1), ["seed", "at least 0", "-1"]),
        (lambda: quiet(first, {"x": [1]}, seed=1.5), ["seed", "whole number", "1.5"]),
        (lambda: quiet(first, {"x": [1]}, seed=1, workers=0), ["workers", "at least 1", "0"]),
        (lambda: quiet(first, {"x": [1]}, seed=1, backend="x"), ["backend", "'loky'", "'dask'"]),
        (lambda: on_dask(first, {"x": [1]}, seed=1, workers=2), ["workers", "None", "2"]),
        (lambda: quiet(3, {"x": [1]}, seed=1), ["function", "callable", "3"]),
        (lambda: quiet(first, {"x": [1]}, seed=1, cache=__file__), ["cache", "folder", "test_"]),
        (lambda: quiet(max, {"x": [1]}, seed=1, cache="none"), ["function", "cache", "max"]),
        (lambda: quiet(eval("lambda x: 1"), {"x": [1]}, seed=1, cache="none"),
         ["function", "source"]),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)
    assert not Path("none").exists()
