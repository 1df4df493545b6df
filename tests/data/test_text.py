"""Reading and numbering text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.data import text
from collapse_lib.data.text import number_words, read, words


def test_words_of_a_text():
    assert words("Don't panic: it's 42 o’clock! naïve_word ÉTÉ") == [
        "don't", "panic", "it's", "o’clock", "naïve", "word", "été",
    ]  # fmt: skip
    assert words("123 !? _") == []


def test_vocabulary_is_commonest_first_then_alphabetical():
    result = number_words("b a c b a d b")
    assert result.vocabulary == ("b", "a", "c", "d")
    assert result.counts.tolist() == [3, 2, 1, 1]
    assert [result.vocabulary[i] for i in result.tokens] == ["b", "a", "c", "b", "a", "d", "b"]


@given(st.text(alphabet="abc XY'-1é\n", max_size=60))
def test_numbering_gives_the_words_back(string):
    found = words(string)
    if not found:
        with pytest.raises(ValueError, match="at least one word"):
            number_words(string)
        return
    result = number_words(string)
    assert [result.vocabulary[i] for i in result.tokens] == found
    assert (np.diff(result.counts) <= 0).all()
    np.testing.assert_array_equal(np.bincount(result.tokens), result.counts)


def test_text_that_ships_with_python():
    result = read()
    assert len(result.tokens) == result.counts.sum() > 10_000
    assert len(result.vocabulary) == len(result.counts) == result.tokens.max() + 1


def test_text_of_the_readers_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Été, été; hiver.", encoding="utf-8")
    for name in (path, str(path)):
        assert read(name).vocabulary == ("été", "hiver")


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError) as error:
            read(path)
        assert "path" in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00\xd8", "UTF-8"), (b"", "at least one word"), (b"1 2 3 !", "at least one word")],
)
def test_an_unreadable_or_wordless_file_is_named(tmp_path, content, message):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert "path" in str(error.value) and str(path) in str(error.value)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "mine.txt"
    path.write_text("words")

    def refuse(self, encoding):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(text.Path, "read_text", refuse)
    with pytest.raises(ValueError, match=r"readable UTF-8 text file.*Permission denied"):
        read(path)


def test_a_text_without_words_is_refused():
    with pytest.raises(ValueError, match="text must hold at least one word"):
        number_words("")
