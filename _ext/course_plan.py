"""The course page: what a week takes, measured from the chapters themselves.

``{week}`` names a week's chapters and problems, says how long they take, and lists them with links
around its own text. ``{course-hours}`` is a table of all weeks of the page. No number is typed by
hand: words are counted, exercises bring their grade, and a run time is the one that stands,
measured, at the top of a chapter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.notebooks import READING_WORDS_PER_MINUTE as WORDS_PER_MINUTE

# Once for the story, once with a pencil for the proofs.
READINGS = 2
MINUTES_PER_EXERCISE = {"●": 15, "●●": 60, "●●●": 120}

EXERCISE = re.compile(r"\{exercise-start\} (●+) ([^\n]*)\n:label: (\S+)")
RUN_TIME = re.compile(r"the notebook runs in about (\d+) seconds?")


@dataclass(frozen=True)
class Chapter:
    """What the course needs to know of a chapter.

    Attributes
    ----------
    name, title : str
        File name without suffix; first heading.
    words : int
        Words in all cells: prose, proofs, code, exercises and solutions.
    run_seconds : int
        How long its cells run, as stated at its top.
    exercises : dict of str to (str, str)
        Grade (●, ●●, ●●●) and title of each exercise, by its label.
    """

    name: str
    title: str
    words: int
    run_seconds: int
    exercises: dict[str, tuple[str, str]]


def read_chapter(path: Path) -> Chapter:
    """Read a chapter's measures from its notebook; an error names what is missing."""
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    text = "\n".join(cells)
    title = re.search(r"^# (.*)$", text, re.MULTILINE)
    run_time = RUN_TIME.search(text)
    if not title or not run_time:
        missing = "says how long it runs" if title else "has a heading"
        raise ValueError(f"{path.name}: nowhere {missing}")
    exercises = {label: (grade, name) for grade, name, label in EXERCISE.findall(text)}
    words = sum(len(cell.split()) for cell in cells)
    return Chapter(path.stem, title[1], words, int(run_time[1]), exercises)


@dataclass(frozen=True)
class Effort:
    """Minutes of reading and of problems, and seconds that the notebooks run."""

    reading: float
    problems: int
    run_seconds: int

    @property
    def hours(self) -> float:
        return (self.reading + self.problems) / 60 + self.run_seconds / 3600

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            self.reading + other.reading,
            self.problems + other.problems,
            self.run_seconds + other.run_seconds,
        )


def effort(chapters: list[Chapter], labels: list[str]) -> Effort:
    """Return what reading these chapters and solving these exercises of theirs takes."""
    grades = {label: grade for c in chapters for label, (grade, _) in c.exercises.items()}
    unknown = [label for label in labels if label not in grades]
    if unknown:
        raise ValueError(f"no exercise of this week's chapters is called {unknown}")
    reading = READINGS * sum(c.words for c in chapters) / WORDS_PER_MINUTE
    problems = sum(MINUTES_PER_EXERCISE[grades[label]] for label in labels)
    return Effort(reading, problems, sum(c.run_seconds for c in chapters))


def in_words(minutes: float) -> str:
    """Return a time to the nearest quarter of an hour.

    >>> in_words(100), in_words(14), in_words(120), in_words(67)
    ('1¾ h', '¼ h', '2 h', '1 h')
    """
    whole, quarters = divmod(max(1, round(minutes / 15)), 4)
    return f"{whole or ''}{('', '¼', '½', '¾')[quarters]} h"


class HoursTable(nodes.General, nodes.Element):
    """Stands for the table of all weeks until the page is read to its end."""


class Week(SphinxDirective):
    """A week's chapters and hours, then the text of the week, then its problems."""

    has_content = True
    option_spec: ClassVar = {
        "chapters": directives.unchanged_required,
        "paper": directives.unchanged_required,
        "keyboard": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.doc2path(self.env.docname)).parent
        paths = [folder / f"{name}.ipynb" for name in self._names("chapters")]
        try:
            chapters = []
            for path in paths:
                self.env.note_dependency(str(path))
                chapters.append(read_chapter(path))
            total = effort(chapters, self._names("paper") + self._names("keyboard"))
        except (OSError, ValueError) as error:
            raise self.error(str(error)) from None
        made = nodes.container(classes=["course-week"])
        made["effort"] = total
        lines = [*self._start(chapters, total), *self.content, *self._problems(chapters)]
        self.state.nested_parse(StringList(lines, "week"), self.content_offset, made)
        return [made]

    def _names(self, option: str) -> list[str]:
        return self.options.get(option, "").split()

    def _start(self, chapters: list[Chapter], total: Effort) -> list[str]:
        links = ", then ".join(f"[{chapter.title}]({chapter.name}.ipynb)" for chapter in chapters)
        hours = (
            f"{in_words(60 * total.hours)}: {in_words(total.reading)} of reading, "
            f"{in_words(total.problems)} of problems; the notebooks run in {total.run_seconds} s"
        )
        return [f"**Chapters.** {links}.", "", f"**Hours.** {hours}.", ""]

    def _problems(self, chapters: list[Chapter]) -> list[str]:
        found = {
            label: f"- {{ref}}`{title} <{label}>` {grade} ({chapter.title})"
            for chapter in chapters
            for label, (grade, title) in chapter.exercises.items()
        }
        lines = []
        for option, heading in (("paper", "With pen and paper"), ("keyboard", "At the keyboard")):
            if self._names(option):
                lines += ["", f"**{heading}.**", "", *map(found.get, self._names(option))]
        return lines


class CourseHours(SphinxDirective):
    """``{course-hours}``: a table of all weeks of the page, in order, and their sum."""

    def run(self) -> list[nodes.Node]:
        return [HoursTable()]


def fill_hours(app: Sphinx, doctree: nodes.document) -> None:
    """Put the table of hours where `CourseHours` stood."""
    for place in list(doctree.findall(HoursTable)):
        weeks = [node["effort"] for node in doctree.findall(nodes.container) if "effort" in node]
        rows = [(str(number), week) for number, week in enumerate(weeks, 1)]
        rows.append(("all", sum(weeks, Effort(0, 0, 0))))
        table = [["week", "reading", "problems", "together", "run"]]
        for name, week in rows:
            times = (week.reading, week.problems, 60 * week.hours)
            table.append([name, *map(in_words, times), f"{week.run_seconds} s"])
        place.replace_self(_table(table))


def _table(rows: list[list[str]]) -> nodes.table:
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=1) for _ in rows[0]]
    made = [nodes.row("", *(nodes.entry("", nodes.paragraph("", t)) for t in row)) for row in rows]
    group += nodes.thead("", made[0])
    group += nodes.tbody("", *made[1:])
    return nodes.table("", group, classes=["course-hours", "colwidths-auto"])


def setup(app: Sphinx) -> dict:
    app.add_directive("week", Week)
    app.add_directive("course-hours", CourseHours)
    app.connect("doctree-read", fill_hours)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
