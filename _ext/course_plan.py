"""The course page: what a week takes, measured from the chapters themselves.

``{week}`` names a week's chapters and problems, says how long they take, and lists them with links
around its own text. ``{course-hours}`` is a table of all weeks of the page. Words are counted,
exercises bring their grade, and a run time is the one that stands at the top of a chapter.
"""

import re
from pathlib import Path
from typing import ClassVar, NamedTuple

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from parts import SAFE, path_of, row, table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.notebooks import READING_WORDS_PER_MINUTE, read, title

# Once for the story, once with a pencil for the proofs.
READINGS = 2
MINUTES_PER_EXERCISE = {"●": 15, "●●": 60, "●●●": 120}

HEADINGS = {"paper": "With pen and paper", "keyboard": "At the keyboard"}
EXERCISE = re.compile(r"\{exercise-start\} (●+) ([^\n]*)\n:label: (\S+)")
RUN_TIME = re.compile(r"the notebook runs in about (\d+) seconds?")


class Chapter(NamedTuple):
    """What the course needs to know of a chapter."""

    name: str
    title: str
    words: int  # in all cells: prose, proofs, code, exercises and solutions
    run_seconds: int  # as stated at its top
    exercises: dict[str, tuple[str, str]]  # grade (●, ●●, ●●●) and title, by label


def read_chapter(path: Path) -> Chapter:
    """Read a chapter's measures from its notebook; an error names what is missing."""
    notebook = read(path)
    text = "\n".join(cell.source for cell in notebook.cells)
    run_time = RUN_TIME.search(text)
    if not run_time:
        raise ValueError(f"{path.name}: nowhere says how long it runs")
    exercises = {label: (grade, name) for grade, name, label in EXERCISE.findall(text)}
    return Chapter(path.stem, title(notebook), len(text.split()), int(run_time[1]), exercises)


class Effort(NamedTuple):
    """Minutes of reading and of problems, and seconds that the notebooks run."""

    reading: float
    problems: int
    run_seconds: int

    @property
    def minutes(self) -> tuple[float, float, float]:
        """Of reading, of problems, and of both and the notebooks together."""
        together = self.reading + self.problems + self.run_seconds / 60
        return self.reading, self.problems, together


def effort(chapters: list[Chapter], labels: list[str]) -> Effort:
    """Return what reading these chapters and solving these exercises of theirs takes."""
    grades = {label: grade for c in chapters for label, (grade, _) in c.exercises.items()}
    if unknown := set(labels) - set(grades):
        raise ValueError(f"no exercise of this week's chapters is called {sorted(unknown)}")
    reading = READINGS * sum(c.words for c in chapters) / READING_WORDS_PER_MINUTE
    problems = sum(MINUTES_PER_EXERCISE[grades[label]] for label in labels)
    return Effort(reading, problems, sum(c.run_seconds for c in chapters))


def in_words(minutes: float) -> str:
    """Return a time to the nearest quarter of an hour."""
    whole, quarters = divmod(max(1, round(minutes / 15)), 4)
    return f"{whole or ''}{('', '¼', '½', '¾')[quarters]} h"


class HoursTable(nodes.General, nodes.Element):
    """Stands for the table of all weeks until the page is read to its end."""


class Week(SphinxDirective):
    """A week's chapters and hours, then the text of the week, then its problems."""

    has_content = True
    option_spec: ClassVar = dict.fromkeys(["chapters", *HEADINGS], directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        folder = str(Path(self.env.docname).parent)
        names = [f"{folder}/{name}" for name in self._names("chapters")]
        try:
            chapters = [read_chapter(path_of(self.env, name, watch=True)) for name in names]
            total = effort(chapters, [name for kind in HEADINGS for name in self._names(kind)])
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
        reading, problems, together = map(in_words, total.minutes)
        hours = f"{together}: {reading} of reading, {problems} of problems"
        run = f"the notebooks run in {total.run_seconds} s"
        return [f"**Chapters.** {links}.", "", f"**Hours.** {hours}; {run}.", ""]

    def _problems(self, chapters: list[Chapter]) -> list[str]:
        found = {
            label: f"- {{ref}}`{title} <{label}>` {grade} ({chapter.title})"
            for chapter in chapters
            for label, (grade, title) in chapter.exercises.items()
        }
        lines = []
        for kind, heading in HEADINGS.items():
            if labels := self._names(kind):
                lines += ["", f"**{heading}.**", "", *map(found.get, labels)]
        return lines


class CourseHours(SphinxDirective):
    """``{course-hours}``: a table of all weeks of the page, in order, and their sum."""

    def run(self) -> list[nodes.Node]:
        return [HoursTable()]


def fill_hours(app: Sphinx, doctree: nodes.document) -> None:
    """Put the table of hours where `CourseHours` stood."""
    for place in list(doctree.findall(HoursTable)):
        weeks = [node["effort"] for node in doctree.findall(nodes.container) if "effort" in node]
        named = [*enumerate(weeks, 1), ("all", Effort(*map(sum, zip(*weeks, strict=True))))]
        rows = [
            row([str(name), *map(in_words, week.minutes), f"{week.run_seconds} s"])
            for name, week in named
        ]
        head = ["week", "reading", "problems", "together", "run"]
        place.replace_self(table(head, rows, "course-hours"))


def setup(app: Sphinx) -> dict:
    app.add_directive("week", Week)
    app.add_directive("course-hours", CourseHours)
    app.connect("doctree-read", fill_hours)
    return SAFE
