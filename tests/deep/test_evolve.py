"""The loop for deep models: rows, resuming, stacking, clusters."""

import ast
import functools
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib import loop
from collapse_lib.deep import evolve as evolve_module
from collapse_lib.deep.evolve import Arm, Experiment, _row_history, _training_rows, evolve
from collapse_lib.deep.stack import Optimiser
from collapse_lib.deep.vae import VAE

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
DATA = np.random.default_rng(0).random((40, 9)).astype("float32")
ARMS = (Arm("replace"), Arm("accumulate"), Arm("accumulate-subsample"), Arm("replace", 0.5))


def measure(model, samples, temperature, streams):
    return {
        "mean": samples.mean((1, 2)),
        "spread": samples.std((1, 2)),
        "pixel": samples.mean(1),
    }


def experiment(**changes):
    settings = {
        "build": functools.partial(VAE, pixels=9, hidden=8, latent=2),
        "data": DATA,
        "arms": ARMS,
        "generations": 4,
        "optimiser": Optimiser(5, 8, 1e-2),
        "measure": measure,
    }
    return Experiment(**(settings | changes))


def run(changes=None, **options):
    options = {"seeds": 2, "backend": "sequential", "progress": False} | options
    return evolve(experiment(**(changes or {})), **options)


def same(a, b, **tolerance):
    for name in a.metrics:
        np.testing.assert_allclose(a.metrics[name], b.metrics[name], **tolerance)
    np.testing.assert_allclose(a.shown, b.shown, **tolerance)


def test_axes():
    result = run(seeds=3)
    assert result.metrics["mean"].shape == (4, 3, 4)
    assert result.metrics["pixel"].shape == (4, 3, 4, 9)
    assert result.shown.shape == (4, 4, 8, 9)
    assert result.arms == ("replace", "accumulate", "accumulate-subsample", "replace, θ = 0.5")
    assert result.paired("mean", "replace", "accumulate").seeds == 3
    assert set(result.seconds) == {"train", "sample", "measure"}


def test_arms_share_generation_zero_and_then_part():
    result = run()
    replace, accumulate = result.of("mean", "replace"), result.of("mean", "accumulate")
    assert (replace[:, 0] == accumulate[:, 0]).all()
    assert (replace[:, 1:] != accumulate[:, 1:]).all()


def test_a_seed_does_not_depend_on_its_stack():
    same(run(seeds=3), run(seeds=3, seeds_a_stack=3), rtol=1e-3, atol=1e-4)


def test_same_seed_same_numbers_and_another_seed_others():
    same(run(), run(), rtol=0)
    assert (run().metrics["mean"] != run(seed=1).metrics["mean"]).all()


class Interrupted(Exception):
    pass


def test_an_interrupted_run_resumes_bit_for_bit(tmp_path, monkeypatch):
    whole = run(checkpoints=tmp_path / "whole")
    real_generation = evolve_module._generation

    def stops_at_two(experiment, state, t, streams):
        if t == 2:
            raise Interrupted
        real_generation(experiment, state, t, streams)

    monkeypatch.setattr(evolve_module, "_generation", stops_at_two)
    with pytest.raises(Exception, match="Interrupted"):
        run(checkpoints=tmp_path / "part")
    calls = []

    def counted(experiment, state, t, streams):
        calls.append(t)
        real_generation(experiment, state, t, streams)

    monkeypatch.setattr(evolve_module, "_generation", counted)
    same(run(checkpoints=tmp_path / "part"), whole, rtol=0)
    assert calls == [2, 3, 2, 3]  # nothing was trained twice
    calls.clear()
    same(run(checkpoints=tmp_path / "part"), whole, rtol=0)
    assert calls == []
    assert not list((tmp_path / "part").glob("*.part"))


def test_a_checkpoint_of_another_experiment_is_refused(tmp_path):
    run(checkpoints=tmp_path)
    with pytest.raises(Exception, match="was written by another one"):
        run({"optimiser": Optimiser(6, 8, 1e-2)}, checkpoints=tmp_path)


def test_functions_are_told_apart_without_their_addresses(tmp_path):
    def built_by(hidden):
        return {
            "build": eval(f"lambda s, a: VAE(s, a, pixels=9, hidden={hidden}, latent=2)", globals())
        }

    whole = run(built_by(8), checkpoints=tmp_path)
    same(run(built_by(8), checkpoints=tmp_path), whole, rtol=0)  # a new function, no less the same
    with pytest.raises(Exception, match="was written by another one"):
        run(built_by(7), checkpoints=tmp_path)
    with pytest.raises(Exception, match="was written by another one"):
        run({"build": functools.partial(VAE, pixels=9, hidden=8, latent=2)}, checkpoints=tmp_path)


def test_a_checkpoint_holds_as_many_rows_as_there_are(tmp_path):
    run({"generations": 1}, checkpoints=tmp_path, seeds=1)
    state = torch.load(tmp_path / "seeds-0-0.pt", weights_only=False)
    assert state.pool.shape == (4, 80, 9)


def test_fewer_generations_are_read_off_a_longer_run(tmp_path):
    run(checkpoints=tmp_path)
    same(run({"generations": 2}, checkpoints=tmp_path), run({"generations": 2}), rtol=0)


def test_more_generations_go_on_from_a_finished_run(tmp_path):
    run(checkpoints=tmp_path)
    same(run({"generations": 5}, checkpoints=tmp_path), run({"generations": 5}), rtol=0)


def test_each_chapter_shows_how_a_run_is_resumed():
    """In words only: the call that they show must be one that `evolve` takes."""
    allowed = set(inspect.signature(evolve).parameters)
    for name in ("vae", "language-model", "diffusion"):
        cells = json.loads((CHAPTERS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        prose = "\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
        )
        (shown,) = re.findall(r"```python\n(.*?checkpoints=.*?)```", prose, flags=re.DOTALL)
        call = ast.parse(shown.replace("return ", "")).body[0].value
        keywords = {keyword.arg for keyword in call.keywords}
        assert call.func.id == "evolve"
        assert "checkpoints" in keywords and keywords - {None} <= allowed


def test_a_full_memory_splits_the_stack(monkeypatch):
    real_run = evolve_module._run
    sizes = []

    def small_memory(experiment, members, *rest):
        sizes.append(len(members))
        if len(members) > 1:
            raise torch.OutOfMemoryError
        return real_run(experiment, members, *rest)

    monkeypatch.setattr(evolve_module, "_run", small_memory)
    split = run(seeds=3, seeds_a_stack=3)
    assert sizes == [3, 1, 2, 1, 1]
    monkeypatch.undo()
    same(split, run(seeds=3), rtol=0)


def test_a_cluster_takes_the_shards_of_any_device(monkeypatch):
    jobs = []

    class Taken(Exception):
        pass

    def cluster(function, cells, *, backend, **options):
        jobs.append((backend, cells, function.keywords["device"]))
        raise Taken

    monkeypatch.setattr(evolve_module, "sweep", cluster)
    with pytest.raises(Taken):
        run(seeds=3, seeds_a_stack=2, device="cuda", backend="dask")
    assert jobs == [("dask", [{"members": (0, 1)}, {"members": (2,)}], "cuda")]


def test_steps_may_follow_the_pool(monkeypatch):
    trained = []
    real_fit = evolve_module.fit

    def spied(model, draw, optimiser, streams):
        trained.append(optimiser.steps)
        return real_fit(model, draw, optimiser, streams)

    monkeypatch.setattr(evolve_module, "fit", spied)
    run({"steps_follow_pool": True}, seeds=1)
    assert trained == [5, 10, 15, 20]


def test_rows_are_those_the_loop_would_use():
    """Run the loop of the first chapter on items that carry the number of their generation."""

    class Generation:
        def fit(self, data):
            return np.full((len(data), 1), data.max() + 1.0)

        def sample(self, params, size, rng):
            return np.repeat(params, size, axis=1)

    class Spy:
        name = "spy"

        def __init__(self, policy):
            self.policy, self.seen = policy, []

        def training_set(self, history, n):
            data = self.policy.training_set(history, n)
            self.seen.append(np.sort(data[0]).astype(int))
            return data

    n = 6
    for policy in (
        loop.Replace(),
        loop.Accumulate(),
        loop.PartlyReal(n),
        loop.LastK(2, reuse=True),
    ):
        spy = Spy(policy)
        loop.run(Generation(), spy, truth=[0.0], n=n, generations=4, rng=1)
        history = _row_history(n, np.random.default_rng(1))
        ours = [np.sort(_training_rows(policy, history, n)) // n for _ in range(4)]
        for theirs, rows in zip(spy.seen[1:], ours[1:], strict=True):
            assert (np.unique(theirs) == np.unique(rows)).all()
            if not isinstance(policy, loop.LastK):
                assert len(theirs) == len(rows)


def test_subsampling_draws_without_replacement_from_every_batch():
    history = _row_history(100, np.random.default_rng(1))
    for _ in range(5):
        rows = _training_rows(loop.AccumulateSubsample(), history, 100)
    assert len(np.unique(rows)) == 100
    share = np.bincount(rows // 100, minlength=5)
    assert ((share > 5) & (share < 35)).all()  # each about 20


def test_immigration_mixes_real_and_newest_rows():
    history = _row_history(1000, np.random.default_rng(1))
    for _ in range(3):
        rows = _training_rows(loop.Immigration(0.2), history, 1000)
    batch = rows // 1000
    assert set(batch) == {0, 2}
    assert abs((batch == 0).mean() - 0.2) < 0.05


def test_control_sees_real_rows_only():
    history = _row_history(5, np.random.default_rng(1))
    for _ in range(3):
        assert _training_rows(loop.OnlyReal(), history, 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (loop.FreshReal(3), "same 5 real rows"),
        (loop.PartlyReal(3), "must keep all 5 real rows"),
    ],
)
def test_policies_that_finite_data_cannot_follow(policy, message):
    history = _row_history(5, np.random.default_rng(1))
    with pytest.raises(ValueError, match=message):
        _training_rows(policy, history, 5)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="arms must be"):
        experiment(arms=())
    with pytest.raises(ValueError, match="arms must be"):
        experiment(arms=(Arm("replace"), Arm("replace")))
    with pytest.raises(ValueError, match="generations must be"):
        experiment(generations=0)
    with pytest.raises(ValueError, match="temperature must be"):
        Arm("replace", -1)
    with pytest.raises(ValueError, match="metric must be one of"):
        run(seeds=1).of("beauty", "replace")
    with pytest.raises(ValueError, match="seeds must be"):
        run(seeds=0)


def test_shards_run_as_jobs_on_a_cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster),
    ):
        clustered = run(seeds=4, backend="dask")
    same(clustered, run(seeds=4), rtol=1e-5, atol=1e-6)
