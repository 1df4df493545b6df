"""Self-check questions: what they refuse, their words, their page, and a browser without scripts."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from collapse_lib.book.quizzes import LETTERS, Question, quiz
from tools import browsing


def question(text="What is 2 + 2?", **changes):
    given = {
        "right": "four",
        "because": "Count on your fingers.",
        "wrong": {"five": "One finger less.", "<i>x</i><sub>2</sub> < 4": "Nothing is below."},
    }
    return Question(text, **(given | changes))


TWO = quiz(question(), question("And 2 · 2?", wrong={"two": "Twice."}))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"text": " "}, "text=' ' is empty"),
        ({"right": ""}, "right='' is empty"),
        ({"because": "\n"}, r"because='\\n' is empty"),
        ({"wrong": {}}, r"wrong=\{\} of the question '.*': give it 1 to 5 answers"),
        ({"wrong": dict.fromkeys("abcdef", "no")}, "give it 1 to 5 answers"),
        ({"wrong": {"": "no"}}, "an answer in wrong='' is empty"),
        ({"wrong": {"five": ""}}, r"wrong\['five'\]='' is empty"),
        ({"wrong": {" Four": "no"}}, "the answer ' Four' of the question .* is given twice"),
        ({"wrong": {"a": "no", "A": "no"}}, "the answer 'A' of the question .* is given twice"),
        ({"right": "<i>n"}, "right='<i>n' does not close its <i>"),
        ({"because": "n</i>"}, "because='n</i>' closes a <i> that is not open"),
        ({"text": "<i><sub>n</i></sub>"}, "closes a <i> that is not open"),
    ],
)
def test_questions_that_cannot_be_asked(changes, message):
    with pytest.raises(ValueError, match=message):
        question(**changes)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"right": 4}, "right must be a text, got 4"),
        ({"wrong": ["five"]}, r"wrong=\['five'\] is not a dict"),
        ({"wrong": {5: "no"}}, "an answer in wrong must be a text, got 5"),
        ({"wrong": {"five": None}}, r"wrong\['five'\] must be a text, got None"),
    ],
)
def test_questions_of_other_things_than_words(changes, message):
    with pytest.raises(TypeError, match=message):
        question(**changes)


def test_quizzes_that_cannot_be_given():
    with pytest.raises(ValueError, match="at least one Question"):
        quiz()
    with pytest.raises(TypeError, match=r"takes Question.* got 'What"):
        quiz("What?")
    with pytest.raises(ValueError, match=r"'What is 2 [+] 2[?]' is asked twice"):
        quiz(question(), question())


def test_a_question_stays_as_it_was_made():
    wrong = {"five": "One finger less."}
    made = question(wrong=wrong)
    wrong["six"] = "Two fingers less."
    assert dict(made.wrong) == {"five": "One finger less."}
    with pytest.raises(TypeError):
        made.wrong["six"] = "Two fingers less."


def test_the_right_answer_moves_about():
    asked = [question(f"Question {n}?", wrong={"a": "no", "b": "no"}) for n in range(300)]
    places = [[answer for _, answer, _ in each.answers()].index("four") for each in asked]
    assert all(70 < places.count(place) < 130 for place in range(3))


def test_each_answer_keeps_its_own_reason():
    made = question()
    reasons = {made.right: made.because} | made.wrong
    assert {answer: reason for _, answer, reason in made.answers()} == reasons
    assert [letter for letter, _, _ in made.answers()] == ["a", "b", "c"]


def test_plain_text():
    shown = repr(TWO)
    questions, answers = shown.split("\n\nAnswers\n")
    assert questions.startswith("1. What is 2 + 2?\n   (a) ") and "x_2 < 4" in questions
    assert "fingers" not in questions and "<i>" not in shown
    letters = {answer: letter for letter, answer, _ in question().answers()}
    assert answers.splitlines()[0] == f"1 ({letters['four']}): Count on your fingers."
    long = repr(quiz(question(right="<i>x</i><sup>t−1</sup> <code>run</code>")))
    assert "x^(t−1) run" in long


class Outline(HTMLParser):
    """The ids of a page, what refers to them, and whether every tag is closed."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.refers, self.open = [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.refers += [attrs["for"]] if "for" in attrs else []
        if tag != "input":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_and_every_button_has_a_label():
    html = TWO._repr_html_()
    outline = Outline(html)
    assert len(set(outline.ids)) == len(outline.ids)
    assert len(outline.refers) == html.count("<input") == 5
    assert set(outline.refers) <= set(outline.ids)
    assert html.count("<fieldset>") == html.count("<legend>") == html.count("aria-live") == 2


def test_only_the_markup_that_is_allowed_is_markup():
    html = quiz(question(because="<script>1 && 2</script> <i>n</i>"))._repr_html_()
    assert "&lt;script&gt;1 &amp;&amp; 2&lt;/script&gt; <i>n</i>" in html
    assert "<i>x</i><sub>2</sub> &lt; 4" in html


def test_nothing_is_fetched_and_nothing_is_scripted():
    assert not re.search(r"https?:|src=|@import|url\(|<script| on\w+=", TWO._repr_html_())


def test_two_quizzes_share_no_id():
    ids = Outline(TWO._repr_html_() + quiz(question())._repr_html_()).ids
    assert len(ids) == len(set(ids))


def test_the_same_words_give_the_same_page():
    again = quiz(question(), question("And 2 · 2?", wrong={"two": "Twice."}))
    assert again._repr_html_() == TWO._repr_html_()


def test_the_style_has_a_rule_for_every_letter():
    style = files("collapse_lib.book").joinpath("quiz.css").read_text(encoding="utf-8")
    rules = re.findall(r"input:nth-of-type\((\d)\):checked~div p:nth-child\((\d)\)", style)
    assert rules == [(str(n), str(n)) for n in range(1, len(LETTERS) + 1)]


# In a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    if browsing.chromium() is None:
        pytest.skip("chromium is not installed: the quiz is not tried in a browser")
    with browsing.launch() as running:
        yield running


@pytest.fixture
def page(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(f'<!doctype html><html lang="en"><body>{TWO._repr_html_()}</body></html>')
    yield page
    context.close()


def shown(page):
    return [
        reason.inner_text() for reason in page.locator("fieldset p").all() if reason.is_visible()
    ]


def test_the_keyboard_alone_finds_every_reason(page):
    """No script runs here: one answer chosen, one reason shown, for each question its own."""
    assert shown(page) == []
    first, second = TWO.questions
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for letter, answer, reason in first.answers():
        verdict = "right" if answer == first.right else "wrong"
        assert shown(page) == [f"({letter}) is {verdict}. {reason}"]
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert [text[:3] for text in shown(page)] == ["(a)", "(a)"]
    assert shown(page)[1].endswith(second.answers()[0][2])


def test_on_paper_the_right_answers_are_given(page):
    page.locator("input.cl-wrong").first.check()
    page.emulate_media(media="print")
    assert [text[4:] for text in shown(page)] == ["is right. Count on your fingers."] * 2


def test_without_its_style_every_reason_can_be_read(page):
    plain = re.sub("<style>.*</style>", "", TWO._repr_html_(), flags=re.DOTALL)
    page.set_content(plain)
    assert len(shown(page)) == 5


@pytest.mark.parametrize(
    "mark, dark",
    [('data-theme="dark"', True), ('theme="dark"', True), ('data-theme="light"', False)],
)
def test_the_page_decides_the_theme_not_the_system(browser, mark, dark):
    page = browser.new_page(color_scheme="light" if dark else "dark")
    page.set_content(f"<html {mark}><body>{TWO._repr_html_()}</body></html>")
    page.locator("input.cl-right").first.check()
    colour = page.locator("p.cl-right strong").first.evaluate("e => getComputedStyle(e).color")
    assert colour == ("rgb(47, 199, 154)" if dark else "rgb(0, 122, 89)")
    page.close()
