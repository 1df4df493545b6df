"""The loop by definition: what each policy trains on, exactly, and what comes of it."""

import numpy as np
import pytest

from collapse_lib.families import Categorical, Gaussian
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    FreshReal,
    History,
    LastK,
    OnlyReal,
    PartlyReal,
    RandomPast,
    Replace,
    policy_named,
    run,
)


class Diary:
    """A family without chance: model t writes t on each item, and every training set is kept."""

    def __init__(self):
        self.training_sets = []

    def fit(self, data):
        self.training_sets.append(data[0])
        return np.full((len(data), 1), float(len(self.training_sets)))

    def sample(self, params, size, rng):
        return np.repeat(params, size, axis=1)


def training_sets(policy, *, n, generations):
    """How many items of each training set each model wrote, the truth being model 0."""
    family = Diary()
    run(family, policy, truth=[0.0], n=n, generations=generations, rng=1)
    return [
        dict(
            zip(*(x.astype(int).tolist() for x in np.unique(data, return_counts=True)), strict=True)
        )
        for data in family.training_sets
    ]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (OnlyReal(), [{0: 4}, {0: 4}, {0: 4}]),
        (Replace(), [{0: 4}, {1: 4}, {2: 4}]),
        (Accumulate(), [{0: 4}, {0: 4, 1: 4}, {0: 4, 1: 4, 2: 4}]),
        (PartlyReal(real=3), [{0: 3}, {0: 3, 1: 4}, {0: 3, 2: 4}]),
        (FreshReal(real=3), [{0: 3}, {0: 3, 1: 4}, {0: 3, 2: 4}]),
        (LastK(k=1), [{0: 4}, {1: 4}, {2: 4}]),
        (LastK(k=2), [{0: 2}, {0: 2, 1: 2}, {1: 2, 2: 2}]),
        (LastK(k=2, reuse=True), [{0: 2}, {0: 2, 1: 2}, {1: 2, 2: 2}]),
        (LastK(k=3), [{0: 1}, {0: 1, 1: 1}, {0: 1, 1: 1, 2: 1}]),
    ],
)
def test_what_each_policy_trains_on(policy, expected):
    assert training_sets(policy, n=4, generations=3) == expected


@pytest.mark.parametrize(("policy", "written"), [(AccumulateSubsample(), 3), (RandomPast(), 3)])
def test_policies_that_pick_at_random(policy, written):
    sets = training_sets(policy, n=3000, generations=written)
    assert sets[0] == {0: 3000}
    assert sorted(sets[2]) == [0, 1, 2] and sum(sets[2].values()) == 3000
    # Each model wrote a third: a standard deviation of at most 26 items.
    assert max(abs(count - 1000) for count in sets[2].values()) < 120


def test_subsample_is_without_replacement():
    family = Diary()
    family.sample = lambda params, size, rng: np.arange(size)[None] + 100 * params
    run(family, "accumulate-subsample", truth=[0.0], n=7, generations=4, rng=2)
    for data in family.training_sets:
        assert len(np.unique(data)) == 7


def draws_of(policy):
    """Two training sets of numbers that differ with every draw."""
    sets = []

    class Numbers(Diary):
        def sample(self, params, size, rng):
            return rng.random((len(params), size))

        def fit(self, data):
            sets.append(set(data[0].tolist()))
            return np.zeros((len(data), 1))

    run(Numbers(), policy, truth=[0.0], n=6, generations=4, rng=3)
    return sets


def test_partly_real_keeps_its_real_items_and_fresh_real_does_not():
    kept, fresh = draws_of(PartlyReal(real=5)), draws_of(FreshReal(real=5))
    assert len(kept[0] & kept[1] & kept[3]) == 5
    assert not fresh[0] & fresh[1] and not fresh[2] & fresh[3]


def test_only_real_draws_afresh():
    assert not set.intersection(*draws_of(OnlyReal())[:2])


def test_what_is_drawn_is_remembered_only_if_a_policy_keeps_it():
    history = History(Diary(), np.random.default_rng(4), models=[np.zeros((1, 1))])
    batch = history.draw(3)
    assert not history.batches
    history.keep(batch)
    history.keep(history.draw(2))
    assert history.pool().shape == (1, 5) and history.pool(last=1).shape == (1, 2)


def test_last_k_redraws_unless_told_to_reuse():
    redrawn, reused = draws_of(LastK(k=2)), draws_of(LastK(k=2, reuse=True))
    assert not redrawn[2] & redrawn[3]
    assert len(reused[2] & reused[3]) == 3


# Partly synthetic words have the exact recursion d₁ = 0,
# d_{m+1} = α²[(1 − 1/n)d_m + (1 − σ₁)/n], d_m = E‖p_m − p₁‖², α = n/(N + n).
def test_partly_real_drifts_as_its_recursion_says():
    real, n, truth = 6, 9, np.array([0.5, 0.3, 0.2])
    params = run(
        Categorical(3), PartlyReal(real), truth=truth, n=n, generations=5, replicates=20_000, rng=5
    ).params
    drift = ((params[:, 1:] - params[:, 1:2]) ** 2).sum(axis=2)
    spread = (1 - 1 / real) * (1 - truth @ truth)
    expected = [0.0]
    for _ in range(4):
        expected.append((n / (real + n)) ** 2 * ((1 - 1 / n) * expected[-1] + spread / n))
    assert_agrees(drift[:, 1:], np.array(expected)[1:])
    assert not drift[:, 0].any()


# Fresh real items: e_{m+1} = [N(1 − S₀) + n((1 − S₀) + (n − 1) e_m)]/(N + n)², with the
# fixed point (1 − S₀)(N + n)/(N² + 2Nn + n); e₁ = (1 − S₀)/N.
def test_fresh_real_drifts_to_its_fixed_point():
    real, n, truth = 5, 8, np.array([0.5, 0.3, 0.2])
    params = run(
        Categorical(3), FreshReal(real), truth=truth, n=n, generations=25, replicates=20_000, rng=7
    ).params
    drift = ((params[:, [1, 2, 25]] - truth) ** 2).sum(axis=2)
    spread = 1 - truth @ truth
    first = spread / real
    second = (real * spread + n * (spread + (n - 1) * first)) / (real + n) ** 2
    fixed = spread * (real + n) / (real**2 + 2 * real * n + n)
    assert_agrees(drift, np.array([first, second, fixed]))


# Last K with fresh redraws, exactly: C_{ml} = mean_{t∈W} C_{tl} and
# C_{mm} = mean_{t,t'∈W} C_{tt'} + Σ_{t∈W}(1 − C_{tt})/(|W|² ⌊n/K⌋).
def test_last_k_keeps_what_its_recursion_says():
    k, n, generations, truth = 3, 9, 6, np.array([0.5, 0.3, 0.2])
    params = run(
        Categorical(3),
        LastK(k),
        truth=truth,
        n=n,
        generations=generations,
        replicates=20_000,
        rng=8,
    ).params
    products = np.full((generations + 1, generations + 1), truth @ truth)
    for m in range(1, generations + 1):
        window = np.arange(max(0, m - k), m)
        cross = products[window].mean(axis=0)
        products[m, :m] = products[:m, m] = cross[:m]
        noise = (1 - products[window, window]).sum() / (len(window) ** 2 * (n // k))
        products[m, m] = products[np.ix_(window, window)].mean() + noise
    assert_agrees((params**2).sum(axis=2)[:, 1:], np.diag(products)[1:])


def test_only_real_never_loses_more_than_one_fit_does():
    n, truth = 7, np.array([0.5, 0.3, 0.2])
    params = run(
        Categorical(3), "only-real", truth=truth, n=n, generations=12, replicates=20_000, rng=10
    ).params[:, 1:]
    spread = 1 - truth @ truth
    assert_agrees(1 - (params**2).sum(axis=2), np.full(12, (1 - 1 / n) * spread))
    assert_agrees(((params - truth) ** 2).sum(axis=2), np.full(12, spread / n))


# 20 000 replicates: an expectation that is off by 0.06 standard deviations is caught
# (|z| > 4) with a chance above 99 %.
def assert_agrees(samples, expected):
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.abs((samples.mean(axis=0) - expected) / error).max() < 4


def test_trajectory_says_its_sizes():
    result = run(Gaussian(), "accumulate", truth=[0, 1], n=4, generations=3, replicates=2, rng=1)
    assert result.params.shape == (2, 4, 2)
    assert (result.policy, result.n) == (Accumulate(), 4)
    assert (result.params[:, 0] == [0, 1]).all()


def test_no_generation_leaves_the_truth():
    result = run(Gaussian(), "replace", truth=[0, 1], n=4, generations=0, rng=1)
    assert result.params.tolist() == [[[0, 1]]]


@pytest.mark.parametrize("policy", ["replace", "random-past", PartlyReal(2), LastK(2, reuse=True)])
def test_a_seed_repeats_a_run(policy):
    a, b = (
        run(Gaussian(), policy, truth=[0, 1], n=4, generations=5, replicates=3, rng=rng).params
        for rng in (7, np.random.default_rng(7))
    )
    np.testing.assert_array_equal(a, b)


def test_replicates_are_independent():
    params = run(
        Gaussian(), "replace", truth=[0, 1], n=5, generations=2, replicates=4000, rng=7
    ).params[:, 2, 0]
    assert abs(np.corrcoef(params[::2], params[1::2])[0, 1]) < 4 / np.sqrt(2000)


def test_policies_by_name():
    for policy in (OnlyReal(), Replace(), Accumulate(), AccumulateSubsample(), RandomPast()):
        assert policy_named(policy.name) == policy == policy_named(policy)


def test_whole_floats_are_sizes_too():
    assert PartlyReal(3.0) == PartlyReal(3) and isinstance(LastK(2.0).k, int)
    run(Gaussian(), PartlyReal(3.0), truth=[0, 1], n=4.0, generations=2.0, rng=1)


GOOD = {
    "family": Categorical(2),
    "policy": "replace",
    "truth": [0.5, 0.5],
    "n": 4,
    "generations": 2,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 1}, ["n", "at least 2", "1"]),
        ({"n": -3}, ["n", "at least 2", "-3"]),
        ({"n": 2.5}, ["n", "whole number", "2.5"]),
        ({"n": float("nan")}, ["n", "whole number", "nan"]),
        ({"n": "4"}, ["n", "whole number", "'4'"]),
        ({"generations": -1}, ["generations", "at least 0", "-1"]),
        ({"generations": None}, ["generations", "whole number", "None"]),
        ({"replicates": 0}, ["replicates", "at least 1", "0"]),
        ({"truth": [0.5, float("nan")]}, ["truth", "finite", "nan"]),
        ({"truth": [0.5, 0.6]}, ["truth", "sum to 1", "0.6"]),
        ({"truth": [-0.5, 1.5]}, ["truth", "probabilities", "-0.5"]),
        ({"truth": [0.2, 0.3, 0.5]}, ["truth", "2 probabilities"]),
        ({"policy": "keep"}, ["policy", "'accumulate'", "'random-past'", "'keep'"]),
        ({"policy": None}, ["policy", "'replace'", "None"]),
        ({"policy": Replace}, ["policy", "Replace"]),
        ({"policy": LastK(5)}, ["n", "at least", "5", "4"]),
        ({"rng": np.random.RandomState(1)}, ["rng", "Generator", "RandomState"]),
        ({"rng": -1}, ["rng", "non-negative", "-1"]),
        ({"rng": 1.0}, ["rng", "int", "1.0"]),
        ({"rng": True}, ["rng", "int", "True"]),
        ({"rng": "7"}, ["rng", "int", "'7'"]),
    ],
)
def test_bad_input_is_named(change, words):
    arguments = {**GOOD, **change}
    with pytest.raises(ValueError) as error:
        run(arguments.pop("family"), arguments.pop("policy"), **arguments)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PartlyReal(0), ["real", "at least 1", "0"]),
        (lambda: FreshReal(1.5), ["real", "whole number", "1.5"]),
        (lambda: LastK(0), ["k", "at least 1", "0"]),
        (lambda: LastK(float("nan")), ["k", "whole number", "nan"]),
    ],
)
def test_policies_check_their_sizes(make, words):
    with pytest.raises(ValueError) as error:
        make()
    for word in words:
        assert word in str(error.value)
