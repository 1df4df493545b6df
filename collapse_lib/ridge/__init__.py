"""Ridge regression on synthetic labels: simulators, its limit law, scaling laws, kernels."""

from collapse_lib.ridge.kernels import *
from collapse_lib.ridge.scaling import *
from collapse_lib.ridge.simulation import *
from collapse_lib.ridge.spectrum import *
