"""Every notebook has the shape that the book promises. Nothing runs here: see `make test`."""

import re
from pathlib import Path

import nbformat
import pytest

from collapse_lib.book.claims import MIME, REJECTS
from tools import notebooks
from tools.repository import setup_cell

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
PATHS = sorted(CHAPTERS.glob("*.ipynb"))

MAX_CODE_LINES = 15
# Cells whose output is not compared, in notebooks that train networks; in all others none.
UNCOMPARED = {"vae.ipynb": 2, "language-model.ipynb": 5, "diffusion.ipynb": 3}
QUESTIONS = 5
NEEDS_PROOF = ("theorem", "lemma", "proposition", "corollary")
# A path that exists on one machine only.
MACHINE_PATH = re.compile(r"(?<![\w.])(/(home|root|tmp|Users|usr|opt|mnt)/|[A-Z]:\\Users)")


@pytest.fixture(params=PATHS, ids=lambda path: path.name)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tags(cell):
    return cell.metadata.get("tags", [])


def first_line(cell):
    return cell.source.strip().partition("\n")[0]


def directives(text, name):
    """Return (title, body) of every directive `name` in MyST text, fenced by colons or backticks.

    A fence ends at the first line of the same character that is at least as long and bare.
    """
    found = []
    lines = text.splitlines()
    for start, line in enumerate(lines):
        opened = re.match(rf"\s*(:{{3,}}|`{{3,}})\{{{re.escape(name)}\}}(.*)$", line)
        if not opened:
            continue
        fence, title = opened.groups()
        body = []
        for following in lines[start + 1 :]:
            bare = following.strip()
            if bare and set(bare) == {fence[0]} and len(bare) >= len(fence):
                break
            body.append(following)
        found.append((title.strip(), "\n".join(body)))
    return found


def label(title, body):
    """Return what a reader of a failed test can search for: the label, or else the title."""
    labelled = re.search(r"^:label:\s*(\S+)", body, flags=re.MULTILINE)
    return labelled[1] if labelled else title or "(neither label nor title)"


def test_normal_form_holds_nothing_that_differs_from_run_to_run():
    view = {"text/html": "<b>1</b>", notebooks.WIDGET_VIEW: {"model_id": "5f3c"}}
    warning = "/tmp/ipykernel_12/345.py:1: UserWarning\n"
    outputs = [
        nbformat.v4.new_output("stream", name="stderr", text=warning),
        nbformat.v4.new_output("stream", name="stderr", text="again\n"),
        nbformat.v4.new_output("display_data", data=view, metadata={"needs_background": "light"}),
    ]
    cell = nbformat.v4.new_code_cell("x = 1  \n\n", execution_count=7, outputs=outputs)
    cell.metadata = {"tags": ["a"], "execution": {"iopub.status.busy": "2026-01-01"}}
    raw = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    normal = notebooks.normalise(raw)
    (kept,) = normal.cells
    assert set(normal.metadata) == {"kernelspec", "language_info"}
    assert (kept.source, kept.execution_count, kept.metadata) == ("x = 1", 1, {"tags": ["a"]})
    stream, display = kept.outputs
    assert stream.text == "<cell>:1: UserWarning\nagain\n"
    assert (display.data, display.metadata) == ({"text/html": "<b>1</b>"}, {})
    assert notebooks.dumps(notebooks.normalise(normal)) == notebooks.dumps(normal)


def test_cells_of_one_name_get_names_of_their_own():
    cells = [nbformat.v4.new_markdown_cell("text", id="same") for _ in range(2)]
    raw = nbformat.v4.new_notebook()
    raw.cells = cells
    normal = notebooks.normalise(raw)
    assert normal.cells[0].id == "same" != normal.cells[1].id


def test_there_are_notebooks():
    assert PATHS


def test_first_code_cell_is_the_setup_cell(notebook):
    first = code_cells(notebook)[0]
    address = re.search(r'REPOSITORY = "(.*?)"', first.source)
    assert address, "the first code cell is not the setup cell of tools/repository.py"
    assert first.source == setup_cell(address[1])
    assert "setup" in tags(first)


def test_every_notebook_names_the_same_repository():
    addresses = {
        re.search(r'REPOSITORY = "(.*?)"', path.read_text(encoding="utf-8").replace('\\"', '"'))[1]
        for path in PATHS
    }
    assert len(addresses) == 1, addresses


def test_notebook_is_in_normal_form(path):
    normal = notebooks.dumps(notebooks.normalise(notebooks.read(path)))
    assert path.read_text(encoding="utf-8") == normal, f"`make fmt` rewrites {path.name}"


def test_every_statement_is_proved(notebook):
    """A proof follows its statement: before the next statement comes."""
    found = re.findall(r"\{prf:(\w+)\}([^\n]*)(?:\n:label:[ ]*(\S+))?", prose(notebook))
    unproved, pending = [], None
    for kind, title, name in [*found, ("theorem", "", "")]:
        if kind in NEEDS_PROOF:
            unproved += [pending] if pending else []
            pending = f"{kind} {name or title.strip()}"
        elif kind == "proof":
            pending = None
    assert not unproved, f"without a {{prf:proof}}: {unproved}"


def test_every_exercise_is_solved(notebook):
    text = prose(notebook)
    exercises = {label(*exercise) for exercise in directives(text, "exercise")}
    exercises |= {label(*exercise) for exercise in directives(text, "exercise-start")}
    solved = {title for title, _ in directives(text, "solution")}
    solved |= {title for title, _ in directives(text, "solution-start")}
    assert not exercises - solved, f"without a {{solution}}: {sorted(exercises - solved)}"
    assert not solved - exercises, f"a solution to no exercise: {sorted(solved - exercises)}"


def chapters():
    """The notebooks of the book's numbered chapters."""
    return [notebooks.CHAPTERS / f"{name}.ipynb" for name in notebooks.numbered_chapters()]


def faults_of_quiz(notebook):
    """What keeps the notebook's self-check questions from being what the book promises."""
    places = [at for at, cell in enumerate(notebook.cells) if notebooks.is_quiz(cell)]
    if len(places) != 1:
        return [f"{len(places)} cells tagged quiz, not 1"]
    (at,) = places
    cell, before, after = notebook.cells[at], notebook.cells[at - 1], notebook.cells[at + 1]
    html = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
    asked = html.count("<fieldset>")
    faults = {
        f"{asked} questions, not {QUESTIONS}": asked != QUESTIONS,
        "the cell is not tagged hide-input": "hide-input" not in tags(cell),
        "no heading '## Check yourself' before it": before.source != "## Check yourself",
        "no '## Exercises' right after it": not after.source.startswith("## Exercises"),
        "no line '# @title Check yourself' first": first_line(cell) != "# @title Check yourself",
    }
    return [fault for fault, found in faults.items() if found]


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.name)
def test_every_chapter_asks_five_questions(path, notebook):
    assert not faults_of_quiz(notebook)


def test_a_chapter_without_five_questions_is_noticed():
    def chapter(questions, heading="## Check yourself", title="# @title Check yourself"):
        shown = nbformat.v4.new_output("display_data", {"text/html": "<fieldset>" * questions})
        quiz = nbformat.v4.new_code_cell(title, outputs=[shown])
        quiz.metadata = {"tags": ["quiz", "hide-input"]}
        text = nbformat.v4.new_markdown_cell
        return nbformat.v4.new_notebook(cells=[text(heading), quiz, text("## Exercises\n\nOne.")])

    assert not faults_of_quiz(chapter(5))
    assert faults_of_quiz(chapter(4)) == ["4 questions, not 5"]
    assert len(faults_of_quiz(chapter(5, heading="## Limits", title="quiz()"))) == 2
    assert faults_of_quiz(nbformat.v4.new_notebook()) == ["0 cells tagged quiz, not 1"]


def test_the_source_of_a_quiz_is_folded_in_colab_and_jupyter():
    cell = nbformat.v4.new_code_cell("quiz()", metadata={"tags": ["quiz"]})
    (kept,) = notebooks.normalise(nbformat.v4.new_notebook(cells=[cell])).cells
    assert kept.metadata == {"tags": ["quiz"], **notebooks.QUIZ_METADATA}


def whole_exercises(text):
    """Return (title, all that stands inside) of every exercise, in either form."""
    found = directives(text, "exercise")
    begun = re.findall(r"(?ms)^`{3,}\{exercise-start\}([^\n]*)\n(.*?)^`{3,}\{exercise-end\}", text)
    return found + [(title.strip(), body) for title, body in begun]


def test_every_exercise_is_graded_and_has_a_hint(notebook):
    for title, body in whole_exercises(prose(notebook)):
        name = label(title, body)
        assert re.match(r"●{1,3} ", title), f"no grade ●, ●● or ●●● in the title: {name}"
        assert re.search(r"\{dropdown\} Hint\n\S", body), f"no {{dropdown}} Hint: {name}"


def test_every_picture_has_alternative_text(notebook):
    for cell in code_cells(notebook):
        pictures = [
            mime
            for output in cell.outputs
            for mime in output.get("data", {})
            if mime.startswith("image/")
        ]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not pictures or alt.strip(), f"no mystnb.image.alt: {first_line(cell)!r}"


def test_code_cells_are_short(notebook):
    for cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        # A quiz is text to be answered, not code to be read.
        assert lines <= MAX_CODE_LINES or {"setup", "quiz"} & set(tags(cell)), (
            f"{lines} lines, more than {MAX_CODE_LINES}: {first_line(cell)!r}"
        )


def test_no_output_is_an_error(notebook):
    for cell in code_cells(notebook):
        kinds = {output.output_type for output in cell.outputs}
        assert "error" not in kinds or "raises-exception" in tags(cell), first_line(cell)


def test_no_path_of_one_machine(path):
    text = path.read_text(encoding="utf-8")
    found = MACHINE_PATH.search(text)
    assert not found, f"a path of one machine: {found[0]!r}"
    assert str(ROOT) not in text


def imports_torch(notebook):
    return any("need_torch()" in cell.source for cell in code_cells(notebook))


def test_every_output_is_compared(path, notebook):
    """Only a notebook that trains networks may skip the comparison, as often as stated here."""
    ignored = [
        first_line(cell) for cell in code_cells(notebook) if "nbval-ignore-output" in tags(cell)
    ]
    # nbval overlooks the comment where it says a word more; the tag it always sees.
    assert "NBVAL_IGNORE_OUTPUT" not in path.read_text(encoding="utf-8")
    assert imports_torch(notebook) or not ignored, f"not compared: {ignored}"
    assert len(ignored) == UNCOMPARED.get(path.name, 0), f"not compared: {ignored}"


def test_a_notebook_that_trains_networks_asks_for_a_gpu(notebook):
    asked = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
    for key, value in asked.items():
        assert notebook.metadata.get(key) == (value if imports_torch(notebook) else None)


@pytest.mark.parametrize("mark", ["NBVAL_SKIP", "nbval-skip"])
def test_no_cell_is_skipped(notebook, mark):
    skipped = [cell for cell in code_cells(notebook) if mark in cell.source or mark in tags(cell)]
    assert not skipped


def test_every_stored_claim_reaches_the_full_mark(notebook):
    """Where numbers vary, a run elsewhere is judged more mildly: the stored one is not."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    records = [record for output in outputs for record in output.get("data", {}).get(MIME, [])]
    weak = {
        record["id"]
        for record in records
        if abs(record["rival"]["z"]) <= REJECTS
        or (record["kind"] == "ordering" and record["z"] <= REJECTS)
    }
    assert not weak, f"fewer than {REJECTS} standard errors: {sorted(weak)}"


SOUND = """
:::{prf:theorem} Decay
:label: thm-decay
:::
:::{prf:proof}
:::
```{exercise-start} ●● Half-life
:label: ex-half
```
How long?
:::{dropdown} Hint
Take logarithms.
:::
```{exercise-end}
```
```{solution-start} ex-half
```
```{solution-end}
```
"""


@pytest.mark.parametrize(
    "rule, said, planted, fault",
    [
        (test_every_statement_is_proved, ":::{prf:proof}\n:::\n", "", "thm-decay"),
        (test_every_exercise_is_solved, "{solution-start} ex-half", "{solution-start} ex-x",
         "ex-half"),
        (test_every_exercise_is_graded_and_has_a_hint, "●● ", "", "no grade .* ex-half"),
        (test_every_exercise_is_graded_and_has_a_hint, ":::{dropdown} Hint\nTake logarithms.", "",
         "no {dropdown} Hint: ex-half"),
        (test_every_picture_has_alternative_text, "A line.", " ", "plot()"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_named(rule, said, planted, fault):
    def made(text, alt):
        picture = nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg/>"})
        drawn = nbformat.v4.new_code_cell("plot()", outputs=[picture])
        drawn.metadata["mystnb"] = {"image": {"alt": alt}}
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), drawn])

    rule(made(SOUND, "A line."))
    assert said in SOUND + "A line."
    with pytest.raises(AssertionError, match=fault.replace("(", "\\(").replace(")", "\\)")):
        rule(made(SOUND.replace(said, planted), "A line.".replace(said, planted)))
