"""Self-check questions that answer back, without a script.

:func:`quiz` shows multiple-choice questions as plain HTML: native radio buttons, and a style that
shows the reason that belongs to the button chosen. So a question works the same on the book's
page, in a hosted notebook's frame and without JavaScript; where there is no style at all, every
reason stands there to be read, and on paper the right ones are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from importlib.resources import files
from types import MappingProxyType

__all__ = ["Question", "Quiz", "quiz"]

#: The markup that a text may hold; every other character means itself.
TAGS = ("i", "sub", "sup", "code")
LETTERS = "abcdef"  # quiz.css has a rule for each

_TAG = re.compile(rf"<(/?)({'|'.join(TAGS)})>")


@dataclass(frozen=True)
class Question:
    """One question, its right answer, and the errors it is there to clear up.

    Texts may hold ``<i>``, ``<sub>``, ``<sup>`` and ``<code>``; everything else is shown as
    written, so formulas are Unicode: ``1 − 1/<i>n</i>``.

    Attributes
    ----------
    text : str
        The question, one or two sentences.
    right : str
        The right answer.
    because : str
        Why it is right.
    wrong : mapping of str to str
        One to five plausible errors, each with the reason why it is one.

    Examples
    --------
    >>> Question("Is 1 prime?", right="No", because="A prime has two divisors.", wrong={})
    Traceback (most recent call last):
    ValueError: wrong={} of the question 'Is 1 prime?': give it 1 to 5 answers
    """

    text: str
    right: str = field(kw_only=True)
    because: str = field(kw_only=True)
    wrong: Mapping[str, str] = field(kw_only=True)

    def __post_init__(self) -> None:
        here = f"of the question {self.text!r}"
        if not isinstance(self.wrong, Mapping):
            raise TypeError(f"wrong={self.wrong!r} is not a dict of answers and reasons")
        for name in ("text", "right", "because"):
            _check(name, getattr(self, name))
        if not 1 <= len(self.wrong) < len(LETTERS):
            raise ValueError(f"wrong={dict(self.wrong)} {here}: give it 1 to 5 answers")
        for answer, reason in self.wrong.items():
            _check("an answer in wrong", answer)
            _check(f"wrong[{answer!r}]", reason)
        seen: set[str] = set()
        for answer in (self.right, *self.wrong):
            same = " ".join(answer.casefold().split())
            if same in seen:
                raise ValueError(f"the answer {answer!r} {here} is given twice")
            seen.add(same)
        object.__setattr__(self, "wrong", MappingProxyType(dict(self.wrong)))

    def answers(self) -> list[tuple[str, str, str]]:
        """Return letter, answer and reason of every answer, in the order that readers see.

        The order looks random, and is the same every time: it depends on the words alone.

        Examples
        --------
        >>> question = Question("2 + 2?", right="4", because="Count.", wrong={"5": "One less."})
        >>> question.answers()
        [('a', '4', 'Count.'), ('b', '5', 'One less.')]
        """
        reasons = {self.right: self.because, **self.wrong}
        order = sorted(reasons, key=lambda answer: _hash(self.text + "\n" + answer))
        return [(x, answer, reasons[answer]) for x, answer in zip(LETTERS, order, strict=False)]


@dataclass(frozen=True, repr=False)
class Quiz:
    """Questions shown together; made by :func:`quiz`.

    Attributes
    ----------
    questions : tuple of Question
    """

    questions: tuple[Question, ...]

    def _repr_html_(self) -> str:
        uid = "cq" + _hash(repr([(q.text, q.answers()) for q in self.questions]))[:10]
        asked = (_fieldset(f"{uid}-{n}", n, q) for n, q in enumerate(self.questions, start=1))
        style = files("collapse_lib.book").joinpath("quiz.css").read_text(encoding="utf-8")
        return (
            f'<div class="cl-quiz" id="{uid}"><style>{style}</style>'
            '<p class="cl-how">Choose an answer to see why it is right or wrong.</p>'
            f"{''.join(asked)}</div>"
        )

    def __repr__(self) -> str:
        lines, reasons = [], []
        for number, question in enumerate(self.questions, start=1):
            lines.append(f"{number}. {_plain(question.text)}")
            for letter, answer, reason in question.answers():
                lines.append(f"   ({letter}) {_plain(answer)}")
                if answer == question.right:
                    reasons.append(f"{number} ({letter}): {_plain(reason)}")
        return "\n".join([*lines, "", "Answers", *reasons])


def quiz(*questions: Question) -> Quiz:
    """Ask questions in a notebook: the answer chosen shows why it is right or wrong.

    Parameters
    ----------
    *questions : Question
        No question twice. The names in the HTML are made from the words, so a page can hold
        several different quizzes.

    Returns
    -------
    Quiz
        Shown as HTML in a notebook and on the book's page, as text elsewhere.

    Raises
    ------
    TypeError
        If one is not a `Question`.

    Examples
    --------
    >>> quiz(
    ...     Question(
    ...         "How often does 1 divide <i>n</i><sup>2</sup>?",
    ...         right="always",
    ...         because="<i>n</i><sup>2</sup> = 1 · <i>n</i><sup>2</sup>.",
    ...         wrong={"if <i>n</i> is odd": "1 divides even numbers too."},
    ...     )
    ... )
    1. How often does 1 divide n^2?
       (a) always
       (b) if n is odd
    <BLANKLINE>
    Answers
    1 (a): n^2 = 1 · n^2.
    """
    if not questions:
        raise ValueError("quiz needs at least one Question(…)")
    seen: set[str] = set()
    for question in questions:
        if not isinstance(question, Question):
            raise TypeError(f"quiz takes Question(…) objects, got {question!r}")
        if question.text in seen:
            raise ValueError(f"the question {question.text!r} is asked twice")
        seen.add(question.text)
    return Quiz(questions)


def _check(name: str, text: object) -> None:
    """Raise unless the text says something and closes every tag that it opens."""
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a text, got {text!r}")
    if not text.strip():
        raise ValueError(f"{name}={text!r} is empty")
    opened: list[str] = []
    for closing, tag in _TAG.findall(text):
        if not closing:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            raise ValueError(f"{name}={text!r} closes a <{tag}> that is not open")
    if opened:
        raise ValueError(f"{name}={text!r} does not close its <{opened[-1]}>")


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _fieldset(uid: str, number: int, question: Question) -> str:
    """One question: its buttons, then the reasons, of which the style shows the one chosen."""
    choices, reasons = [], []
    for letter, answer, reason in question.answers():
        this = f"{uid}{letter}"
        kind = "right" if answer == question.right else "wrong"
        choices.append(
            f'<input type="radio" class="cl-{kind}" name="{uid}" id="{this}" autocomplete="off">'
            f'<label for="{this}"><span>({letter})</span> {_marked_up(answer)}</label>'
        )
        verdict = f"<strong>({letter}) is {kind}.</strong>"
        reasons.append(f'<p class="cl-{kind}">{verdict} {_marked_up(reason)}</p>')
    legend = f"<legend><span>{number}.</span> {_marked_up(question.text)}</legend>"
    # A reason that appears in a live region is read out.
    live = f'<div aria-live="polite">{"".join(reasons)}</div>'
    return f"<fieldset>{legend}{''.join(choices)}{live}</fieldset>"


def _marked_up(text: str) -> str:
    """The text as HTML: the tags allowed stay tags."""
    escaped = escape(text, quote=False)
    return re.sub(rf"&lt;(/?)({'|'.join(TAGS)})&gt;", r"<\1\2>", escaped)


def _plain(text: str) -> str:
    """The text without markup, indices and exponents as ``x_t`` and ``x^2``."""
    for tag, sign in (("sub", "_"), ("sup", "^")):
        text = re.sub(rf"<{tag}>(\w|∞)</{tag}>", rf"{sign}\1", text)
        text = re.sub(rf"<{tag}>(.*?)</{tag}>", rf"{sign}(\1)", text)
    return _TAG.sub("", text)
