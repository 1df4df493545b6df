"""Words that a model counts, draws and counts again: forgetting, mixing, temperature."""

from collapse_lib.words.ancestry import *
from collapse_lib.words.branching import *
from collapse_lib.words.mixing import *
from collapse_lib.words.simulation import *
from collapse_lib.words.tempering import *
