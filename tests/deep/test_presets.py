"""Which sizes a machine gets."""

import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep import presets


def test_presets_say_what_is_allowed():
    assert presets.choose_preset("cpu").device == "cpu"
    with pytest.raises(ValueError, match="name must be one of 'cpu', 't4', 'gpu'"):
        presets.choose_preset("tpu")
    if not torch.cuda.is_available():
        assert presets.choose_preset().name == "cpu"
        with pytest.raises(ValueError, match="without a GPU"):
            presets.choose_preset("gpu")
