"""A text is cut into rows; TinyStories is read from a file or a download; what is broken is named."""

import hashlib

import numpy as np
import pytest

from collapse_lib.data import corpus
from collapse_lib.data._files import DataUnavailable
from collapse_lib.data.corpus import NAME, read_corpus, tiny_stories

STORY = "Once upon a time there was {}.\n\nShe had a {} hat and a {} dog. The end.\n"
COLOURS = ["red", "blue", "green", "black", "white", "brown", "grey", "pink", "gold", "silver"]
TEXT = "<|endoftext|>\n".join(STORY.format(c, c, c) for c in COLOURS).encode()
OPTIONS = {"vocabulary": 12, "length": 4, "test": 0.2}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A tiny file in TinyStories' place, an empty cache, nothing named by the environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COLLAPSE_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(corpus, "SHA256", hashlib.sha256(TEXT).hexdigest())


@pytest.fixture
def server(loopback, monkeypatch):
    """A folder on the loopback address in the host's place."""
    monkeypatch.setattr(corpus, "ADDRESSES", (loopback.address,))
    return loopback.folder


def error_of(call):
    with pytest.raises(DataUnavailable) as error:
        call()
    message = str(error.value)
    assert "\n" not in message and message.endswith(".")
    return message


def left_behind(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def check(corpus):
    assert corpus.train.shape[1] == 4 and len(corpus.vocabulary) == 12
    assert "endoftext" not in corpus.vocabulary and "hat" in corpus.vocabulary


@pytest.mark.parametrize("below", ["", "tinystories"])
def test_the_folders(tmp_path, monkeypatch, below):
    place = tmp_path / "mine" / below
    place.mkdir(parents=True)
    (place / NAME).write_bytes(TEXT)
    check(tiny_stories(folder=tmp_path / "mine", **OPTIONS))
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path / "mine"))
    check(tiny_stories(**OPTIONS))


def test_whole_stories_are_held_out(tmp_path):
    (tmp_path / NAME).write_bytes(TEXT)
    corpus = tiny_stories(folder=tmp_path, vocabulary=60, length=1, test=0.2)
    held_out = [c for c in COLOURS if c not in corpus.vocabulary]
    assert len(held_out) == 2  # each colour belongs to one story


def test_fewer_rows(tmp_path):
    (tmp_path / NAME).write_bytes(TEXT)
    every = tiny_stories(folder=tmp_path, **OPTIONS)
    few = tiny_stories(folder=tmp_path, rows=8, **OPTIONS)
    assert few.train.shape == (8, 4) and few.test.shape == (2, 4)
    np.testing.assert_array_equal(few.train, every.train[:8])
    with pytest.raises(ValueError, match="rows must be"):
        tiny_stories(folder=tmp_path, rows=0)
    with pytest.raises(ValueError, match="vocabulary must be at most 32768, got 40000"):
        tiny_stories(folder=tmp_path, vocabulary=40_000)


def test_a_missing_file_is_named_with_the_way_out(tmp_path):
    message = error_of(lambda: tiny_stories(folder=tmp_path / "mine"))
    for word in [NAME, "mine/tinystories", "cache", "COLLAPSE_DATA", "download=True"]:
        assert word in message


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not the file it should be"), (TEXT[:-9], "not the file it should be")],
)
def test_a_broken_file_is_named(tmp_path, content, words):
    (tmp_path / NAME).write_bytes(content)
    message = error_of(lambda: tiny_stories(folder=tmp_path))
    assert str(tmp_path / NAME) in message and words in message and "get it anew" in message


def test_a_download_is_kept(tmp_path, server):
    (server / NAME).write_bytes(TEXT)
    check(tiny_stories(download=True, **OPTIONS))
    assert [path.name for path in left_behind(tmp_path)] == [NAME]
    (server / NAME).unlink()
    check(tiny_stories(**OPTIONS))


@pytest.mark.parametrize("content", [b"", TEXT[:-9], b"something else"])
def test_a_wrong_download_leaves_nothing(tmp_path, server, content):
    (server / NAME).write_bytes(content)
    message = error_of(lambda: tiny_stories(download=True))
    for word in [NAME, "127.0.0.1", "does not match the known hash", str(tmp_path / "cache")]:
        assert word in message
    assert not left_behind(tmp_path)


def test_no_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "ADDRESSES", ("http://127.0.0.1:9/",))
    message = error_of(lambda: tiny_stories(download=True))
    for word in [NAME, "127.0.0.1:9", "refused", str(tmp_path / "cache")]:
        assert word in message
    assert not left_behind(tmp_path)


def test_corpus_of_a_file(tmp_path):
    path = tmp_path / "story.txt"
    paragraphs = [f"once upon a time there were {name} and bears." for name in "abcdefghij"]
    path.write_text("\n\n".join(paragraphs * 3), encoding="utf-8")
    corpus = read_corpus(path, vocabulary=8, length=4, test=0.2)
    assert len(corpus.vocabulary) == 8
    # ten different paragraphs: two held out, none of them repeated
    assert corpus.train.shape[1] == corpus.test.shape[1] == 4
    assert corpus.train.size <= 8 * 9
    assert corpus.train.max() < 8


def test_corpus_that_is_too_short(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("once upon a time", encoding="utf-8")
    with pytest.raises(ValueError, match=r"path .*short.txt. must hold at least 32 known words"):
        read_corpus(path)
    with pytest.raises(FileNotFoundError, match="path must name a text file"):
        read_corpus(tmp_path / "nothing.txt")


def test_hardly_a_test_row_has_been_trained_on():
    """Only by chance: different paragraphs may share a sentence."""
    corpus = read_corpus(length=16)
    known = set(map(bytes, corpus.train))
    assert np.mean([bytes(row) in known for row in corpus.test]) < 0.01
