"""Loops that break the conservation law on purpose: sampling at a temperature, smoothing.

Temperature: the loop without chance in `temperature`, its states of rest in `tempered_states`,
the sampler in `tempered_words`. Smoothing: exact moments in `smoothing`, the simulator in
`kernels`. This one door leads to all five.
"""

from __future__ import annotations

from collapse_lib.kernels import KDETrajectory, log_density, simulate_kde
from collapse_lib.smoothing import (
    SmoothedMoments,
    hop_distribution,
    kde_moments,
    silverman_factor,
    silverman_growth,
    silverman_real_fraction,
)
from collapse_lib.temperature import iterate, temper, temperature_threshold, tempered
from collapse_lib.tempered_states import (
    Branches,
    FixedPoints,
    branches,
    fixed_points,
    temperature_spinodal,
)
from collapse_lib.tempered_words import TemperatureTrajectory, simulate_temperature

__all__ = [
    "Branches",
    "FixedPoints",
    "KDETrajectory",
    "SmoothedMoments",
    "TemperatureTrajectory",
    "branches",
    "fixed_points",
    "hop_distribution",
    "iterate",
    "kde_moments",
    "log_density",
    "silverman_factor",
    "silverman_growth",
    "silverman_real_fraction",
    "simulate_kde",
    "simulate_temperature",
    "temper",
    "temperature_spinodal",
    "temperature_threshold",
    "tempered",
]
