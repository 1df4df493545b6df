"""Words that a model counts, draws and counts again: forgetting, mixing, temperature.

`ngram` (text rewritten word by word) and `softmax` (a layer to fit) are used as modules.
"""

from collapse_lib.words.ancestry import *
from collapse_lib.words.branching import *
from collapse_lib.words.mixing import *
from collapse_lib.words.simulation import *
from collapse_lib.words.tempering import *
