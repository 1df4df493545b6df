"""Least squares on labels that an earlier fit made: simulator, risks, mixed rows."""

from collapse_lib.regression.mixed import *
from collapse_lib.regression.simulation import *
from collapse_lib.regression.theory import *
