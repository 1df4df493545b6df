"""A small error planted in any closed form turns an oracle test red.

Each error is planted in a copy of the library, and the test that should notice it is run there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# module, what it says, what is planted, and the tests that notice
PLANTED = [
    # q_t = 1 − g_{t+1}, g_{k+1} = 1 − e^{−g_k} and its bounds
    ("branching", "alive_probability(t + 1)", "alive_probability(t + 2)",
     "branching::test_extinction_probability_is_that_of_a_token_level_simulation"),
    ("branching", "-math.expm1(-g[k - 1])", "-math.expm1(-1.001 * g[k - 1])",
     "branching::test_extinction_probability_by_composing_generating_functions"),
    ("branching", "2 / (k + 1)", "3 / (k + 1)",
     "branching::test_alive_bounds_enclose_and_are_tight"),
    ("branching", "np.log(k) / 6", "np.log(k) / 5",
     "branching::test_alive_bounds_enclose_and_are_tight"),
    ("branching", "_offset() / 2 - math.log(2) / 6", "_offset() / 2 + math.log(2) / 6",
     "branching::test_alive_constant"),
    ("branching", "return alive @ words", "return alive.sum(axis=-1)",
     "branching::test_expected_survivors"),
    ("branching", "np.prod(alive**words, axis=-1)", "np.prod(alive, axis=-1)",
     "branching::test_no_loss_probability"),
    ("branching", '("alpha", alpha)) / count', '("alpha", alpha)) / (count + 1)',
     "branching::test_forgetting_quantile_is_the_smallest_generation"),
    ("branching", "np.log(r) / 3", "np.log(r) / 4",
     "branching::test_forgetting_quantile_is_the_smallest_generation"),
    ("branching", "(counts.shape) / counts", "(counts.shape) / (counts + 1)",
     "branching::test_sampler_draws_what_simulation_gives"),
    # what each policy keeps
    ("conservation", "np.full(t.shape, 1 - 1 / n)", "np.full(t.shape, 1 - 1 / (n + 1))",
     "conservation::test_expected_retention_over_every_outcome"),
    ("conservation", "1 - 1 / (n * t**2)", "1 - 1 / (n * (t**2 + 1))",
     "conservation::test_expected_retention_over_every_outcome"),
    ("conservation", "pool[:-1] * (1 - correction / n)", "pool[:-1] * (1 + correction / n)",
     "conservation::test_expected_retention_over_every_outcome"),
    ("conservation", "(n * (t + 1) ** 2)", "(n * t**2)",
     "conservation::test_expected_retention_over_every_outcome"),
    ("conservation", "np.sinc(1 / np.sqrt(n))", "np.sinc(1 / np.sqrt(n + 1))",
     "conservation::test_retention_limit_is_where_the_product_goes"),
    ("conservation", "np.pi**2 / 6", "np.pi**2 / 8",
     "conservation::test_loss_constant_is_the_limit"),
    ("conservation", "np.pi**2 / 2 - 2", "np.pi**2 / 2 - 3",
     "conservation::test_loss_constant_of_accumulate_subsample"),
    # the ancestor chain
    ("ancestry", "np.arange(n + 1) / n", "np.arange(n + 1) / (n + 1)",
     "ancestry::test_transitions_by_throwing_every_ball_every_way"),
    ("ancestry", "ancestor_distribution(n, generations - 1)",
     "ancestor_distribution(n, generations)[1:]", "ancestry::test_duality_in_every_generation"),
    ("ancestry", "(1 - word_gone_probability(", "(1 + word_gone_probability(",
     "ancestry::test_three_words_by_brute_force"),
    ("ancestry", "exact=1 + float(", "exact=2 + float(",
     "ancestry::test_collapse_time_of_two_words"),
    ("ancestry", "-2 * n * np.sum((1 - p)", "-2 * (n + 1) * np.sum((1 - p)",
     "ancestry::test_collapse_time_diffusion_solves_its_equation"),
    ("ancestry", "2 * n * (1 - np.sum(p**2))", "2 * (n - 1) * (1 - np.sum(p**2))",
     "ancestry::test_collapse_time_enclosure_is_tight_when_every_word_is_rare"),
    ("ancestry", "upper=float(2 * n)", "upper=float(2 * n + 1)",
     "ancestry::test_collapse_time_enclosure_is_tight_when_every_word_is_rare"),
    ("ancestry", "n**2 / (2 * (n - 1))", "n / 2",
     "ancestry::test_collapse_probability_bounds_where_they_are_exact"),
    ("ancestry", "(1 - 1 / words)", "(1 - 1 / (words + 1))",
     "ancestry::test_collapse_probability_bounds_where_they_are_exact"),
    ("ancestry", "(2 * k - 1) * np.exp", "(2 * k + 1) * np.exp",
     "ancestry::test_kingman_survival_has_the_moments_of_its_waiting_times"),
    # the simulators
    ("_survivors", "multinomial(state.n, state.counts / state.n, rng)",
     "multinomial(state.n - 1, state.counts / state.n, rng)",
     "categorical::test_simulate_has_the_law_of_the_loop"),
    ("_survivors", "self.final_counts[self.rows] = 0", "pass",
     "categorical::test_final_counts_of_runs_that_end_at_different_times"),
    ("_draws", "p[stray].argmax(axis=1)", "-1",
     "draws::test_a_stray_token_goes_to_a_word_that_can_be_drawn"),
    ("text", "index.context[(at + 1) % length]", "index.context[at]",
     "text::test_each_word_follows_the_words_copied_before_it"),
    # regression on its own labels
    ("regression_theory", "variance * d / (T - d - 1)", "variance * d / (T - d)",
     "regression::test_mean_risk"),
    ("regression_theory", "_times(lost, toll) / (1 - kept)", "_times(t, toll)",
     "regression::test_mean_risk"),
    ("regression_theory", "signal * max(1 - T / d, 0) * (t > 0) + total[t]",
     "signal * (t > 0) + total[t]", "regression::test_mean_risk"),
    ("regression_theory", "for k in i]) / i", "for k in i]) / i**1.1",
     "regression::test_mean_risk"),
    ("regression_theory", "t * (t - 1) * first**2 + t * second", "t**2 * first**2 + t * second",
     "regression::test_spread_under_replace"),
    ("regression_theory", "square = t**2 * second", "square = t * second",
     "regression::test_spread_under_replace"),
    ("regression_theory", "(special.psi(1) - special.psi(1 - ratio))",
     "(special.psi(1 + ratio) - special.psi(1 - ratio))",
     "regression::test_limits_and_the_bound"),
    ("regression_theory", "3 * basel[t] - 2", "3 * basel[t] - 1",
     "regression::test_limits_and_the_bound"),
    ("regression_mixed", "(total * d - 2) / (total - d - 1)", "(total * d - 2) / (total - d)",
     "regression::test_contraction_by_drawing_both_matrices"),
    ("regression_mixed", "contraction ** np.maximum(t - 1, 0)", "contraction ** t",
     "regression::test_fresh_real_rows"),
    ("regression_mixed", "np.sqrt(4 * fraction - 3 * fraction**2)",
     "np.sqrt(4 * fraction - 2 * fraction**2)",
     "regression::test_optimal_weight_is_the_least_resting_risk"),
    ("regression", "(T - d + 1) / 2, size=risk.shape", "(T - d) / 2, size=risk.shape",
     "regression::test_simulate_has_the_law_of_the_loop"),
    # ridge and its deterministic equivalents
    ("spectrum", "value * (1 - counts @ share / T) - penalty",
     "value * (1 - counts @ share / (T + 1)) - penalty", "spectrum::test_kappa_of_white_inputs"),
    ("spectrum", "sigma0**2 / (T0 - d - 1)", "sigma0**2 / (T0 - d)",
     "spectrum::test_checked_number_of_the_source"),
    ("spectrum", "df2 + u * (counts @ lost)", "df2 + counts @ lost",
     "spectrum::test_terms_against_ridge_fits"),
    ("spectrum", "square - 2 * cross + w0_squared", "square - cross",
     "spectrum::test_loop_against_ridge_fits"),
    ("mixed_rows", "p2**2 * (1 + p1 * u)", "p2**2 * (1 + u)",
     "mixed_rows::test_equivalent_tends_to_the_exact_toll"),
    ("scaling", "log(first + 0.5)", "log(first + 1)",
     "scaling::test_blocks_are_sums_term_by_term"),
    ("scaling", "beta / (2 * beta * min(r, 1.0) + 1)", "beta / (2 * beta * r + 1)",
     "scaling::test_bias_and_variance_fall_together_at_the_critical_exponent"),
    ("scaling", "return b / (a + c), a / (a + c)", "return b / a, a / (a + c)",
     "scaling::test_best_shrunk_ridge_is_the_best_of_all"),
    ("kernel_ridge", "sigma**2 + rest * (n == 0)", "sigma**2",
     "kernel_ridge::test_theory_on_gaussian_features"),
    # the calculators
    ("regression_calculators", "minimum=1) * (real - d - 1)", "minimum=1) * (real - d)",
     "regression_calculators::test_that_many_rows_are_as_good_as_the_real_ones"),
    ("regression_calculators", "spare / (spare + other)", "other / (spare + other)",
     "regression_calculators::test_the_risk_at_the_best_weight_by_fitting"),
    ("regression_calculators", "both, shrink = b / a, b / (a + c), a / (a + c)",
     "both, shrink = b / a, b / a, a / (a + c)",
     "regression_calculators::test_the_risks_are_those_of_fits"),
    # repair
    ("detection", "stats.f(d, T - d + 1)", "stats.f(d, T - d)",
     "detection::test_frozen_risk_power_is_that_of_the_loop"),
    ("detection", "np.sqrt(stats.chi2.ppf(rate, n - 1) / divisor)",
     "np.sqrt(stats.chi2.ppf(rate, n) / divisor)",
     "detection::test_powers_begin_at_the_false_alarms_and_grow"),
    ("remedies", "kept**2 + kept * (1 - kept) * toll", "kept**2 + kept**2 * (1 - kept) * toll",
     "remedies::test_input_noise"),
    ("remedies", "np.cumsum(steps**2)", "np.cumsum(steps) ** 2", "remedies::test_steps"),
    ("verification", "growth = ratio / (1 - error)", "growth = ratio",
     "verification::test_wrong_odds_step_by_step"),
    ("verification", "fault * (1 - 2 * kept**t)", "fault * (1 - kept**t)",
     "verification::test_limits"),
    ("attribution_theory", "(i * (i * T - d - 1))", "(i * i * (T - d - 1))",
     "attribution::test_noise_contributions"),
    ("attribution", "gram = lineage.gram.sum(axis=-3, keepdims=True) - lineage.gram",
     "gram = lineage.gram.sum(axis=-3, keepdims=True)",
     "attribution::test_erasing_rows_is_refitting_without_them"),
    ("unlearning", "precision = belief.precision - gram / variance",
     "precision = belief.precision - gram",
     "unlearning::test_forgetting_is_never_having_seen"),
    ("aggregates", "pool + (batch - pool) / t", "pool + (batch - pool) / (t + 1)",
     "aggregates::test_retention_of_a_published_table"),
    ("universality", "1 + (index - d - 1) / T", "1 + (index - d) / T",
     "universality::test_corrected_risk_to_first_order"),
    # the sweep
    ("_sweep_workers", "spawn_key=digest.tolist()", "spawn_key=()",
     "sweep::test_streams_of_different_cells_are_independent"),
    ("sweep", "losses[i] > in_company", "losses[i] > 0",
     "sweep::test_a_worker_that_dies_loses_nothing"),
]  # fmt: skip


def run_tests(folder, names):
    """Exit status and output of the named tests, run on the copy of the library in ``folder``."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    environment.pop("PYTEST_ADDOPTS", None)
    nodes = ["tests/test_{}.py::{}".format(*name.split("::")) for name in sorted(names)]
    options = ["-x", "-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *nodes],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path):
    """A folder with the library and its tests, and nothing of this project's settings."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "collapse_lib", tmp_path / "collapse_lib", ignore=ignore)
    (tmp_path / "tests").mkdir()
    for name in {"conftest", *("test_" + test.split("::")[0] for *_, test in PLANTED)}:
        shutil.copy(ROOT / "tests" / f"{name}.py", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tmp_path


def test_without_an_error_the_tests_are_green(copy):
    status, output = run_tests(copy, {test for *_, test in PLANTED})
    assert status == 0, output


@pytest.mark.parametrize(
    ("module", "says", "planted", "test"), PLANTED, ids=[f"{row[0]}: {row[2]}" for row in PLANTED]
)
def test_a_planted_error_is_noticed(copy, module, says, planted, test):
    source = copy / "collapse_lib" / f"{module}.py"
    text = source.read_text(encoding="utf-8")
    assert says in text, f"{module}.py no longer says {says!r}: plant the error anew"
    source.write_text(text.replace(says, planted), encoding="utf-8")
    status, output = run_tests(copy, {test})
    assert status == 1 and "failed" in output, output  # 1: tests ran and failed
