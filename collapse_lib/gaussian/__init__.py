"""A Gaussian fitted to its own samples: the simulator and the laws of its variance."""

from collapse_lib.gaussian.simulation import *
from collapse_lib.gaussian.theory import *
