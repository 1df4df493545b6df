"""The course covers the book, and its hours are those of the chapters as they stand."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tools.notebooks import numbered_chapters

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_ext"))

import course_plan

PAGE = (ROOT / "chapters" / "course.md").read_text(encoding="utf-8")
# A line such as "It takes about 30 minutes" may be this much out of date.
TOLERATED_MINUTES = 6


def notebook(tmp_path, source):
    path = tmp_path / "some.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell(source)]), path)
    return path


def test_every_chapter_is_in_one_week():
    taught = [name for week in re.findall(r":chapters: (.*)", PAGE) for name in week.split()]
    assert len(numbered_chapters()) > 10
    wrong = [name for name in numbered_chapters() if taught.count(name) != 1]
    assert not wrong, f"not in exactly one week: {wrong}"
    assert not set(taught) - set(numbered_chapters())


def test_there_are_six_weeks():
    assert len(re.findall(r"^:::\{week\}", PAGE, re.MULTILINE)) == 6


def test_the_marks_add_up():
    assert (
        sum(int(points) for points in re.findall(r"^\| [^|]+ \| (\d+) \|", PAGE, re.MULTILINE))
        == 100
    )


@pytest.mark.parametrize("name", numbered_chapters())
def test_a_chapter_states_its_reading_time(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    counted = course_plan.read_chapter(path).words / course_plan.READING_WORDS_PER_MINUTE
    stated = re.search(r"about (\d+) minutes to read", path.read_text(encoding="utf-8"))
    assert stated, f"{name} does not say how long it takes to read"
    assert abs(int(stated[1]) - counted) <= TOLERATED_MINUTES, f"{name}: {counted:.0f} minutes"


SOURCE = """\
# A title

It takes about 1 minutes to read; the notebook runs in about 7 seconds.

```{exercise-start} ●● Hard
:label: ex-hard
```
"""


def test_a_chapter_is_read(tmp_path):
    chapter = course_plan.read_chapter(notebook(tmp_path, SOURCE))
    assert chapter.title == "A title"
    assert (chapter.words, chapter.run_seconds) == (len(SOURCE.split()), 7)
    assert chapter.exercises == {"ex-hard": ("●●", "Hard")}


def test_a_chapter_without_a_run_time_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"some.ipynb: nowhere says how long"):
        course_plan.read_chapter(notebook(tmp_path, SOURCE.replace("runs in", "is done in")))


def test_effort_counts_words_and_grades():
    chapter = course_plan.Chapter("a", "A", 6000, 36, {"x": ("●", "X"), "y": ("●●●", "Y")})
    effort = course_plan.effort([chapter], ["x", "y"])
    assert (effort.reading, effort.problems, effort.run_seconds) == (60, 135, 36)
    assert effort.minutes == pytest.approx((60, 135, 195.6))
    with pytest.raises(ValueError, match="'z'"):
        course_plan.effort([chapter], ["z"])


@pytest.mark.parametrize(
    ("minutes", "words"), [(100, "1¾ h"), (3, "¼ h"), (120, "2 h"), (67, "1 h"), (82.5, "1½ h")]
)
def test_minutes_in_words(minutes, words):
    assert course_plan.in_words(minutes) == words
