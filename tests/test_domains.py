"""Each formula is defined from the least value its docstring allows, and refuses the next below.

The least value is where a mean begins to exist (two more rows than features and one), or where
there is something to speak of (one word, one row, two draws).
"""

from functools import partial

import numpy as np
import pytest

from collapse_lib import conservation, gaussian, kde, regression, ridge
from collapse_lib.loop import Immigration, LastK, PartlyReal
from collapse_lib.repair import (
    aggregates,
    attribution,
    detection,
    remedies,
    universality,
    unlearning,
    verification,
)
from collapse_lib.words import ancestry, branching, mixing, softmax, tempering

HALF = [0.5, 0.5]
FIT = {"features": np.ones((1, 2, 1)), "frequencies": np.full((1, 2, 2), 0.5)}

# function, valid arguments, and the least value of each argument that has one
DOMAINS = [
    (ancestry.ancestor_distribution, {"n": 3, "generations": 2}, {"n": 1, "generations": 0}),
    (ancestry.word_gone_probability, {"truth": HALF, "n": 3}, {"generations": 0}),
    (ancestry.collapse_time, {"truth": HALF}, {"n": 2}),
    (branching.alive_probability, {}, {"k": 1}),
    (branching.extinction_probability, {"count": 1}, {"t": 0}),
    (mixing.safe_synthetic_size, {"drift": 0.1}, {"real": 2}),
    (mixing.weighted_drift_limit, {"weight": 0.5, "real": 3, "synthetic": 3},
     {"real": 1, "synthetic": 1}),
    (mixing.best_real_weight, {"real": 3, "synthetic": 3}, {"real": 1, "synthetic": 1}),
    (mixing.presence_probability, {"p": 0.5, "fraction": 0.5}, {"n": 1}),
    (mixing.migrants_needed, {"p": 0.5, "presence": 0.2}, {"n": 1}),
    (conservation.expected_retention, {"policy": "replace", "n": 5, "generations": 3},
     {"n": 2, "generations": 0}),
    (conservation.retention_limit, {"policy": "accumulate"}, {"n": 2}),
    (mixing.expected_drift, {"policy": PartlyReal(3), "n": 5, "generations": 3},
     {"n": 2, "generations": 0}),
    (mixing.expected_drift, {"policy": LastK(3), "generations": 3}, {"n": 3}),
    (mixing.drift_limit, {"policy": Immigration(0.5)}, {"n": 2}),
    (mixing.drift_limit, {"policy": LastK(3)}, {"n": 3}),
    (kde.silverman_factor, {}, {"n": 2}),
    (kde.silverman_growth, {}, {"n": 2}),
    (kde.moments, {"n": 5, "generations": 2, "bandwidth": 0.5},
     {"n": 2, "generations": 0}),
    (kde.silverman_real_fraction, {"estimator": "unbiased"}, {"n": 2}),
    (kde.hop_distribution, {}, {"generation": 1}),
    (tempering.tempered, {"truth": HALF, "temperature": 0.5}, {"generations": 0}),
    (tempering.iterate, {"truth": HALF, "temperature": 0.5}, {"generations": 0}),
    (tempering.temperature_spinodal, {"temperature": 0.5}, {"words": 2}),
    (tempering.fixed_points, {"temperature": 0.5, "real_fraction": 0.2}, {"words": 2}),
    (tempering.fixed_points, {"temperature": 1.2, "real_fraction": 0.5}, {"words": 2}),
    (tempering.branches, {"temperature": 0.5, "words": 3, "points": 5},
     {"words": 2, "points": 2}),
    (softmax.fit, FIT, {"steps": 1}),
    (gaussian.moment_factor, {"power": 1}, {"n": 2}),
    (gaussian.typical_rate, {}, {"n": 2}),
    (gaussian.moments, {"n": 5, "t": 3}, {"n": 2, "t": 0}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 5}, {"t": 1}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 2}, {"t": 4}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 4}, {"t": 2}),
    (gaussian.lyapunov_exponents, {"n": 5}, {"dim": 1}),
    (regression.one_fit_risk, {"d": 3, "T": 9}, {"d": 1, "T": 1}),
    (regression.replace_risk, {"d": 3, "T": 9, "t": 2},
     {"d": 1, "T": 1, "t": 0, "noise": 0, "signal": 0}),
    (regression.replace_sd, {"d": 3, "T": 9, "t": 2}, {"d": 1, "T": 1, "t": 0, "noise": 0}),
    (regression.effective_rows, {"d": 3, "T": 9, "generations": 2},
     {"d": 1, "T": 5, "generations": 1}),
    (regression.accumulate_risk, {"d": 3, "T": 9, "t": 2},
     {"d": 1, "T": 1, "t": 0, "noise": 0, "signal": 0}),
    (regression.accumulate_limit, {"d": 3, "T": 9}, {"d": 1, "T": 5, "noise": 0}),
    (regression.fresh_real_contraction, {"d": 3, "synthetic": 4, "real": 5},
     {"d": 1, "synthetic": 0, "real": 1}),
    (regression.fresh_real_contraction, {"d": 3, "synthetic": 5}, {"real": 0}),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 6, "t": 2},
     {"d": 1, "synthetic": 0, "real": 5, "t": 0, "noise": 0}),
    (regression.fresh_real_risk,
     {"d": 3, "synthetic": 9, "real": 2, "t": 2, "first": 1}, {"real": 1, "first": 0}),
    (regression.rows_needed, {"d": 3, "real": 9, "generations": 2},
     {"d": 1, "real": 5, "generations": 1}),
    (regression.best_row_weight, {"d": 3, "real": 9, "synthetic": 9},
     {"d": 1, "real": 5, "synthetic": 5}),
    (ridge.label_settings, {"d": 3, "rows": 9, "generations": 2, "teacher_rows": 9},
     {"d": 1, "rows": 1, "generations": 0, "teacher_rows": 5, "teacher_noise": 0}),
    (ridge.kappa, {"spectrum": HALF, "rows": 5, "penalty": 1}, {"penalty": 0}),
    (ridge.Ridge, {"spectrum": HALF, "truth": HALF, "rows": 5}, {"penalty": 0, "noise": 0}),
    (ridge.Teacher, {"rows": 9}, {"generations": 0}),
    (ridge.Teacher, {"generations": 1, "rows": 9}, {"noise": 0}),
    (ridge.ridge_loop_risk, {"student": ridge.Ridge(HALF, HALF, 5, 1)}, {"generations": 0}),
    (ridge.PowerLaw, {"beta": 2, "r": 1}, {"d": 1}),
    (ridge.kernel_features, {"images": np.eye(4)[:, :3], "gamma": 1.0}, {"p": 1}),
    (remedies.ridge_filter, {}, {"penalty": 0}),
    (remedies.descent_filter, {"rate": 0.1}, {"steps": 1}),
    (remedies.filtered_risk, {"constants": remedies.FilterConstants(0.5, 0.3, 0.1, None),
     "t": 2, "signal": 1}, {"t": 0, "signal": 0}),
    (remedies.input_noise_risk, {"d": 3, "T": 9, "t": 2, "jitter": 1, "signal": 1},
     {"d": 1, "T": 5, "t": 0, "jitter": 0, "signal": 0}),
    (remedies.split_ensemble_risk, {"d": 3, "T": 20, "t": 2, "members": 2},
     {"d": 1, "t": 0, "members": 1}),
    (remedies.split_ensemble_risk, {"d": 3, "t": 2, "members": 1}, {"T": 5}),
    (remedies.stepped_risk, {"d": 3, "T": 9, "steps": [0.5]}, {"d": 1, "T": 5}),
    (verification.wrong_odds, {"error": 0.1, "ratio": 0.5, "t": 2},
     {"ratio": 0, "t": 0, "start": 0}),
    (verification.verified_risk,
     {"d": 3, "T": 9, "t": 2, "tolerance": 1, "verifier_risk": 1},
     {"d": 1, "T": 5, "t": 0, "verifier_risk": 0}),
    (detection.variance_power, {"n": 9, "t": 2}, {"n": 5, "t": 1}),
    (detection.frozen_risk_power, {"d": 3, "T": 9, "t": 2}, {"d": 1, "T": 3, "t": 1}),
    (attribution.noise_contribution, {"d": 3, "T": 9, "generation": 2},
     {"T": 5, "generation": 1}),
    (attribution.erased_risk, {"d": 3, "T": 9, "generations": 3, "generation": 1},
     {"T": 5, "generations": 2, "generation": 1}),
    (aggregates.simulate, {"truth": HALF, "groups": [(0,)], "n": 3, "generations": 1},
     {"n": 2, "generations": 0, "replicates": 1}),
    (universality.corrected_risk, {"d": 3, "T": 9, "index": 4}, {"d": 1, "T": 5}),
    (universality.signs_risk, {}, {"T": 2}),
    (universality.whiten, {"rows": np.eye(4)}, {"d": 1}),
    (universality.elliptical_risk, {"d": 3, "T": 9, "squares": [1], "chances": [1]},
     {"d": 1, "T": 4}),
    (unlearning.posterior, {"gram": [[1.0]], "moment": [1.0]}, {"prior_precision": 0}),
    (unlearning.expected_gap, {"correlation": [[1, 0.5], [0.5, 1]]}, {"rows": 2}),
]  # fmt: skip
CASES = [
    pytest.param(partial(function, **given), name, least, id=f"{function.__name__}: {name}")
    for function, given, least_values in DOMAINS
    for name, least in least_values.items()
]


@pytest.mark.parametrize(("function", "name", "least"), CASES)
def test_the_least_value_is_in_and_the_next_below_is_out(function, name, least):
    function(**{name: least})
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        function(**{name: least - 1})
