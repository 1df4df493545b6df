"""The deep models: what needs torch, and what does not."""

import subprocess
import sys


def test_data_exact_laws_and_comparison_do_not_import_torch():
    modules = "compare, pentane, topic_language"
    code = (
        f"import sys; from collapse_lib.data import corpus; from collapse_lib.deep import {modules}\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_one_sentence_says_how_to_get_it():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from collapse_lib.deep import need_torch\n"
        "try: need_torch()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install torch" in said.stdout
