"""Least squares on labels that an earlier fit made: simulator, risks, mixed rows.

Numbers of features and of rows keep the letters of the papers, d and T. ``noise`` is the standard
deviation of the labels' noise, ``signal`` is ‖w₀‖² with w₀ the true weights, and ``t`` counts fits.
"""

from collapse_lib.regression.mixed import *
from collapse_lib.regression.simulation import *
from collapse_lib.regression.theory import *
