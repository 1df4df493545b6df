"""A data file is looked for in the folders that the reader named, before the cache."""

import functools

import pytest

from collapse_lib.data._files import DataUnavailable, checked, located


def test_a_folder_comes_before_the_environment_and_that_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path / "b"))
    found = functools.partial(located, ["x"], "mnist", ((), ""), tmp_path / "a", False)
    for name in ["cache/collapse-lib/mnist", "b/mnist", "b", "a/mnist", "a"]:
        place = tmp_path / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "x").touch()
        assert found() == place / "x"


def test_contents_must_have_their_checksum(tmp_path):
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checked(b"", empty, tmp_path) == b""
    with pytest.raises(DataUnavailable, match=r"not the file it should be .* want e3b0c44298fc"):
        checked(b"x", empty, tmp_path)
