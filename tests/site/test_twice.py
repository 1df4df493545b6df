"""The comparison of two builds names what differs, and sees nothing where nothing does."""

from tools.twice import differences


def test_what_differs_is_named(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "same.html").write_text("same")
        (folder / "date.html").write_text(f"built in {folder.name}"[:13])
    assert differences(one, other) == ["date.html"]
    (one / "date.html").write_text("built in")
    (other / "date.html").write_text("built in")
    assert differences(one, other) == []
    (one / "deep" / "left.html").write_text("")
    assert differences(one, other) == ["deep/left.html"]
