"""The fast simulator against the loop by definition, and what must hold in every single run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import loop
from collapse_lib.conservation import expected_retention
from collapse_lib.families import Categorical
from collapse_lib.words import simulate, simulation
from collapse_lib.words.ancestry import expected_vocabulary, word_gone_probability
from collapse_lib.words.branching import expected_survivors, extinction_probability

POLICIES = ["replace", "accumulate", "accumulate-subsample", "random-past"]
MIXING = [
    loop.OnlyReal(),
    loop.PartlyReal(3),
    loop.FreshReal(3),
    loop.Immigration(0.2),
    loop.LastK(3),
    loop.LastK(3, reuse=True),
]
COUNTS = np.array([3, 2, 1])
REPLICATES, GENERATIONS, MIDDLE = 20_000, 6, 2


def first_absence(params):
    """First generation without each word, (replicates, words)."""
    absent = np.append(params == 0, np.ones((len(params), 1, params.shape[2]), dtype=bool), axis=1)
    return absent.argmax(axis=1)


def summary_of_loop(policy, *, n=6, seed=1, truth=COUNTS):
    """What both simulators say of a run: one row of numbers a replicate."""
    params = loop.run(
        Categorical(len(truth)),
        policy,
        truth=truth / truth.sum(),
        n=n,
        generations=GENERATIONS,
        replicates=REPLICATES,
        rng=seed,
    ).params
    heterozygosity = 1 - (params**2).sum(axis=2)
    drift = ((params - params[:, :1]) ** 2).sum(axis=2)
    survivors = (params > 0).sum(axis=2)
    gone = first_absence(params)
    columns = [heterozygosity[:, MIDDLE], survivors[:, MIDDLE], heterozygosity[:, -1]]
    columns += [drift[:, -1], survivors[:, -1], gone[:, -1], params[:, -1]]
    return np.column_stack(columns).round(9) + 0.0  # equal values that are also equal bits


def summary_of_simulate(policy, *, n=6, seed=2, truth=COUNTS, **options):
    result = simulate(truth, GENERATIONS, REPLICATES, n=n, policy=policy, rng=seed, **options)
    fitted = result.counts / result.counts.sum(axis=1, keepdims=True)
    columns = [result.heterozygosity[:, MIDDLE], result.survivors[:, MIDDLE]]
    columns += [result.heterozygosity[:, -1], result.drift[:, -1], result.survivors[:, -1]]
    columns += [result.forgetting_time[:, -1], fitted]
    return np.column_stack(columns).round(9) + 0.0


def same_law(a, b):
    """p-value of a chi-square test that two samples of rows have one joint law."""
    rows = np.ascontiguousarray(np.concatenate([a, b]))
    one_item_a_row = rows.view(f"V{rows.dtype.itemsize * rows.shape[1]}")
    _, code = np.unique(one_item_a_row, return_inverse=True)
    table = np.zeros((2, code.max() + 1))
    np.add.at(table, (np.repeat([0, 1], [len(a), len(b)]), code.ravel()), 1)
    common = table.sum(axis=0) >= 20
    table = np.column_stack([table[:, common], table[:, ~common].sum(axis=1)])
    return stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue


@pytest.fixture(scope="module", params=POLICIES + MIXING, ids=str)
def by_definition(request):
    return request.param, summary_of_loop(request.param)


# 20 000 runs on each side. The joint chi-square test sees any change of law that moves 2 % of
# the runs to outcomes of their own; the mean of a column (|z| < 4) sees a shift of
# 0.063 standard deviations with a chance of 99 %.
def test_simulate_has_the_law_of_the_loop(by_definition):
    policy, expected = by_definition
    found = summary_of_simulate(policy)
    assert same_law(expected, found) > 1e-3
    spread = np.sqrt((expected.var(axis=0) + found.var(axis=0)) / REPLICATES)
    assert np.abs((expected.mean(axis=0) - found.mean(axis=0)) / spread).max() < 4
    for column in range(expected.shape[1]):  # conservative for laws on few points
        assert stats.ks_2samp(expected[:, column], found[:, column]).pvalue > 1e-3


# The same test sees one draw too few in the survivors alone, and a first word with a
# probability of 0.54 in place of 0.5.
@pytest.mark.parametrize("wrong", [{"n": 5}, {"truth": np.array([3.5, 2, 1])}])
def test_a_wrong_simulator_is_rejected(by_definition, wrong):
    policy, expected = by_definition
    columns = [1, 4] if "n" in wrong and policy in POLICIES else slice(None)
    found = summary_of_simulate(policy, **wrong)[:, columns]
    assert same_law(expected[:, columns], found) < 1e-4


def test_policies_are_told_apart():
    found = {policy: summary_of_simulate(policy)[:, [1, 4]] for policy in POLICIES}
    for a in POLICIES:
        for b in POLICIES:
            assert (a == b) == (same_law(found[a], found[b]) > 1e-6)


def test_loop_and_simulate_agree_on_words_that_are_never_there():
    truth = np.array([4, 0, 2, 0])
    expected = summary_of_loop("replace", truth=truth)
    assert same_law(expected, summary_of_simulate("replace", truth=truth)) > 1e-3


def test_many_small_chunks_have_the_same_law(monkeypatch):
    expected = summary_of_loop("replace", n=6)
    monkeypatch.setattr(simulation, "CHUNK", 640)
    assert same_law(expected, summary_of_simulate("replace")) > 1e-3


def test_chunks_differ_from_each_other(monkeypatch):
    monkeypatch.setattr(simulation, "CHUNK", 64)
    result = simulate(np.full(50, 20), 3, 40, rng=1)
    assert len(np.unique(result.counts, axis=0)) == 40


def poisson_tokens(counts, generations, replicates, seed):
    """Counts of every generation where each token is copied a Poisson(1) number of times."""
    rng = np.random.default_rng(seed)
    shape = (replicates, len(counts))
    token = np.repeat(np.arange(replicates * len(counts)), np.tile(counts, replicates))
    history = [np.tile(counts, (replicates, 1))]
    for _ in range(generations):
        token = np.repeat(token, rng.poisson(1.0, size=len(token)))
        history.append(np.bincount(token, minlength=shape[0] * shape[1]).reshape(shape))
    return np.array(history)


def test_poisson_sampling_is_token_level_branching():
    tokens = poisson_tokens(COUNTS, 5, REPLICATES, seed=3)
    found = simulate(COUNTS, 5, REPLICATES, sampling="poisson", rng=4)
    survivors = (tokens > 0).sum(axis=2)
    expected = np.column_stack([tokens[-1], survivors[2]])
    assert same_law(expected, np.column_stack([found.counts, found.survivors[:, 2]])) > 1e-3
    wrong = simulate(COUNTS * 1.05, 5, REPLICATES, n=6, sampling="poisson", rng=4)
    off = simulate([3, 2, 1], 5, REPLICATES, n=7, sampling="poisson", rng=4)
    assert same_law(expected[:, :3], wrong.counts) > 1e-3  # weights have no scale
    assert same_law(expected[:, :3], off.counts) < 1e-6


# Standard errors of at most 0.0035: a probability that is off by 0.02 is seen.
def test_poisson_forgetting_times_have_the_closed_form():
    counts, t = np.array([1, 2, 5, 10]), np.array([1, 3, 10, 30])
    result = simulate(counts, 30, REPLICATES, sampling="poisson", rng=5)
    theory = extinction_probability(counts[:, None], t)
    gone = (result.forgetting_time[:, :, None] <= t).mean(axis=0)
    z = (gone - theory) / np.sqrt(theory * (1 - theory) / REPLICATES)
    assert np.abs(z).max() < 4
    error = result.survivors[:, t].std(axis=0) / np.sqrt(REPLICATES)
    survivors = result.survivors[:, t].mean(axis=0)
    assert np.abs((survivors - expected_survivors(counts, t)) / error).max() < 4


def test_multinomial_forgetting_times_have_the_closed_form():
    counts, t = np.array([1, 2, 5, 12]), np.array([1, 3, 10, 25])
    result = simulate(counts, 25, REPLICATES, rng=6)
    theory = word_gone_probability(counts / 20, 20, 25)[t].T
    gone = (result.forgetting_time[:, :, None] <= t).mean(axis=0)
    z = (gone - theory) / np.sqrt(theory * (1 - theory) / REPLICATES)
    assert np.abs(z).max() < 4
    vocabulary = expected_vocabulary(counts / 20, 20, 25)[t]
    error = result.survivors[:, t].std(axis=0) / np.sqrt(REPLICATES)
    assert np.abs((result.survivors[:, t].mean(axis=0) - vocabulary) / error).max() < 4


def test_final_counts_of_runs_that_end_at_different_times():
    run = simulate(np.ones(6), 40, 2000, n=10, rng=12)
    assert (run.counts.sum(axis=1) == 10).all()
    assert (np.count_nonzero(run.counts, axis=1) == run.survivors[:, -1]).all()
    still_there = run.forgetting_time == 41
    assert ((run.counts > 0) == still_there).all()


@pytest.mark.parametrize("policy", POLICIES)
def test_zipf_words_keep_the_expected_heterozygosity(policy):
    """A thousand words, so that words die and rows are shortened on the way."""
    p = 1 / (np.arange(1, 1001) + 2.7)
    result = simulate(p, 12, 300, n=200, policy=policy, rng=7)
    kept = result.heterozygosity[:, 1:] / result.heterozygosity[:, :1]
    error = kept.std(axis=0, ddof=1) / np.sqrt(300)
    assert np.abs((kept.mean(axis=0) - expected_retention(policy, 200, 12)[1:]) / error).max() < 4


weights = st.lists(
    st.one_of(st.integers(0, 20), st.sampled_from([1e-12, 1e-6, 0.5, 1e6, 1e12])),
    min_size=1,
    max_size=12,
).filter(lambda values: sum(values) > 0)


@given(
    weights, st.integers(2, 40), st.integers(0, 25), st.integers(1, 6), st.sampled_from(POLICIES),
    st.integers(0, 2**32),
)  # fmt: skip
def test_what_holds_in_every_run(values, n, generations, replicates, policy, seed):
    result = simulate(values, generations, replicates, n=n, policy=policy, rng=seed)
    last, present = generations + 1, result.counts > 0
    size = n * generations if policy == "accumulate" and generations else n
    if generations:
        assert (result.counts.sum(axis=1) == size).all()
        assert (present.sum(axis=1) == result.survivors[:, -1]).all()
        fitted = result.counts / size
        assert np.allclose(1 - (fitted**2).sum(axis=1), result.heterozygosity[:, -1])
        drift = ((fitted - np.array(values) / sum(values)) ** 2).sum(axis=1)
        assert np.allclose(drift, result.drift[:, -1])
    assert (result.forgetting_time[:, np.equal(values, 0)] == 0).all()
    assert not present[:, np.equal(values, 0)].any()
    assert (result.forgetting_time[:, np.greater(values, 0)] >= 1).all()
    assert (result.forgetting_time[present & (generations == 0)] <= last).all()
    if policy in ("replace", "accumulate"):  # here what is gone is gone
        times = np.arange(last)
        alive = (result.forgetting_time[:, :, None] > times).sum(axis=1)
        assert (alive == result.survivors).all()
        if generations:
            assert (present == (result.forgetting_time == last)).all()
        single = np.append(result.survivors == 1, np.ones((replicates, 1), dtype=bool), axis=1)
        assert (result.collapse_time == single.argmax(axis=1)).all()
    for array in (result.heterozygosity, result.drift):
        assert np.isfinite(array).all() and (array > -1e-12).all() and (array <= 2).all()


@given(weights, st.integers(2, 30), st.integers(0, 15), st.sampled_from([*POLICIES, "poisson"]))
def test_without_history_the_answer_is_the_same(values, n, generations, policy):
    kind = {"sampling": "poisson"} if policy == "poisson" else {"policy": policy}
    long, short = (
        simulate(values, generations, 3, n=n, rng=8, history=history, **kind)
        for history in (True, False)
    )
    assert short.survivors.shape == (3, 2)
    for name in ("heterozygosity", "drift", "survivors"):
        whole = getattr(long, name)
        np.testing.assert_array_equal(getattr(short, name), whole[:, [0, -1]])
    np.testing.assert_array_equal(short.counts, long.counts)
    np.testing.assert_array_equal(short.forgetting_time, long.forgetting_time)


# numpy gives the rounding remainder of a multinomial's probabilities to its last category:
# a word that is dead there would come back to life.
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "values",
    [[1e-12, 1.0, 1e-12], [1.0, 1e-15], [1e300, 1e-300, 1e280], np.geomspace(1, 1e-14, 60)],
)
def test_dead_words_never_return(policy, values):
    result = simulate(values, 60, 200, n=10**6, policy=policy, rng=9)
    died = result.forgetting_time <= 60
    assert died.any()
    if policy in ("replace", "accumulate"):
        assert (result.counts[died] == 0).all()
        assert (np.diff(result.survivors, axis=1) <= 0).all()


@given(st.lists(st.integers(1, 30), min_size=2, max_size=8), st.integers(0, 10**6))
def test_poisson_runs_are_consistent(values, seed):
    if sum(values) < 2:
        return
    result = simulate(values, 20, 4, sampling="poisson", rng=seed)
    alive = (result.forgetting_time[:, :, None] > np.arange(21)).sum(axis=1)
    assert (alive == result.survivors).all()
    assert ((result.counts > 0) == (result.forgetting_time == 21)).all()
    assert (result.heterozygosity[result.survivors <= 1] == 0).all()


def test_without_history_only_the_ends_are_kept_where_words_come_back():
    for policy in MIXING:
        short, full = (
            simulate(COUNTS, 5, 30, policy=policy, history=history, rng=7)
            for history in (False, True)
        )
        assert (short.drift == full.drift[:, [0, -1]]).all() and (short.counts == full.counts).all()


@pytest.mark.parametrize("policy", POLICIES + MIXING, ids=str)
def test_without_generations_there_is_the_truth_and_no_counts(policy):
    run = simulate(COUNTS, 0, 2, policy=policy)
    assert run.drift.tolist() == [[0], [0]] and run.survivors.tolist() == [[3], [3]]
    assert not run.counts.any() and (run.forgetting_time == 1).all()


def test_words_that_were_never_there_stay_away_where_words_come_back():
    for policy in MIXING:
        run = simulate([3, 0, 2, 0], 20, 50, n=6, policy=policy, rng=6)
        assert not run.counts[:, [1, 3]].any() and not run.forgetting_time[:, [1, 3]].any()


def test_a_seed_repeats_a_run():
    a, b = (simulate([5, 3, 2], 10, 7, rng=rng) for rng in (3, np.random.default_rng(3)))
    np.testing.assert_array_equal(a.counts, b.counts)
    assert (a.n, a.policy) == (10, loop.Replace())


def test_a_word_alone_stays():
    result = simulate([0, 7], 5, 2, rng=1)
    assert result.counts.tolist() == [[0, 7], [0, 7]]
    assert result.collapse_time.tolist() == [0, 0]
    assert not result.heterozygosity.any() and not result.drift.any()


@given(
    st.one_of(
        st.none(),
        st.text(max_size=2),
        st.floats(),
        st.lists(st.floats(), max_size=4),
        st.booleans(),
    )
)
def test_a_junk_truth_is_refused_or_gives_numbers(junk):
    try:
        result = simulate(junk, 3, 2, n=5, rng=1)
    except ValueError as error:
        assert "truth" in str(error)
    else:
        assert np.isfinite(result.heterozygosity).all() and np.isfinite(result.drift).all()
        assert (result.counts.sum(axis=1) == 5).all()


@given(
    st.one_of(
        st.none(),
        st.text(max_size=2),
        st.booleans(),
        st.integers(max_value=-1),
        st.floats().filter(lambda x: not x.is_integer()),
    )
)
def test_junk_sizes_are_refused(junk):
    for name in ("generations", "replicates"):
        with pytest.raises(ValueError, match=name):
            simulate([3, 2], **{"generations": 3, name: junk})


class Mine(loop.Replace):
    """A policy that the loop by definition would follow."""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"truth": []}, ["truth", "non-empty"]),
        ({"truth": [[1, 2]]}, ["truth", "1 axis", "(1, 2)"]),
        ({"truth": [1, -2]}, ["truth", "at least 0", "truth[1] = -2"]),
        ({"truth": [1, float("nan")]}, ["truth", "finite", "nan"]),
        ({"truth": [1, float("inf")]}, ["truth", "finite", "inf"]),
        ({"truth": [0, 0]}, ["truth", "positive sum"]),
        ({"truth": [1, 0]}, ["truth.sum()", "at least 2", "1"]),
        ({"truth": [0.5, 2]}, ["truth.sum()", "whole number", "2.5"]),
        ({"truth": [1e308, 1e308]}, ["truth", "finite sum"]),
        ({"truth": ["a"]}, ["truth", "numbers"]),
        ({"n": 1}, ["n", "at least 2", "1"]),
        ({"n": 0}, ["n", "at least 2", "0"]),
        ({"n": float("nan")}, ["n", "whole number", "nan"]),
        ({"generations": -1}, ["generations", "at least 0", "-1"]),
        ({"generations": 2.5}, ["generations", "whole number", "2.5"]),
        ({"replicates": 0}, ["replicates", "at least 1", "0"]),
        ({"sampling": "binomial"}, ["sampling", "'multinomial', 'poisson'", "'binomial'"]),
        ({"policy": "keep"}, ["policy", "'accumulate-subsample'", "'keep'"]),
        ({"policy": Mine(), "generations": 0}, ["policy", "LastK", "Mine"]),
        ({"policy": loop.LastK(9), "n": 5}, ["n", "at least 9", "5"]),
        ({"policy": loop.LastK(9), "n": 5, "generations": 0}, ["n", "at least 9", "5"]),
        ({"policy": loop.FreshReal(3), "sampling": "poisson"}, ["policy", "poisson", "FreshReal"]),
        ({"sampling": "poisson", "policy": "accumulate"}, ["poisson", "Replace()", "Accumulate"]),
        ({"rng": np.random.RandomState(1)}, ["rng", "Generator", "RandomState"]),
        ({"rng": -1}, ["rng", "non-negative", "-1"]),
        ({"rng": 1.5}, ["rng", "int", "1.5"]),
        ({"rng": False}, ["rng", "int", "False"]),
    ],
)
def test_bad_input_is_named(change, words):
    with pytest.raises(ValueError) as error:
        simulate(**{"truth": [3, 2], "generations": 3, **change})
    for word in words:
        assert word in str(error.value)


def test_collapse_is_when_the_last_but_one_of_many_words_goes():
    run = simulate([1] * 3000, 20_000, 2, rng=1)
    assert (run.collapse_time < 20_000).all()
    assert (run.collapse_time == np.sort(run.forgetting_time, axis=1)[:, -2]).all()
