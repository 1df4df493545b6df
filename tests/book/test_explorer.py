"""The interactive figure: its frames, its page, its live controls, its errors."""

import gzip
import json
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from collapse_lib.book import style
from collapse_lib.book.explorer import _between, explore
from tools import browsing

X = np.linspace(-4, 4, 201)


def density(sigma):
    return np.exp(-((X / sigma) ** 2) / 2) / sigma


def draw(ax, n, t):
    sigma = np.exp(-t / n)
    ax.fill_between(X, density(1), color=style.PALETTE["grey"].line, alpha=0.2)
    ax.plot(X, density(sigma), color=style.POLICY_STYLE["replace"].color)
    ax.set(xlim=(-4, 4), ylim=(0, 3), xlabel="value $x$", ylabel="density")
    ax.set_title(f"generation {t}")


def say(n, t):
    return f"With n = {n}, generation {t} has standard deviation {np.exp(-t / n):.3f}."


GRID = {"n": [10, 20, 50], "t": range(0, 21, 4)}


def make(**changes):
    alt = "A Gaussian density that narrows."
    return explore(**{"draw": draw, "alt": alt, "say": say, **GRID, **changes})


def stored(html):
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(data[1])


def test_repeated_values_are_stored_once():
    titles = next(c for c in stored(make().html())["changes"] if c[1] == "inner")
    _, _, values, which = titles
    assert len(values) == len(GRID["t"]) and len(which) == len(GRID["t"]) * len(GRID["n"])


def test_several_axes():
    def panels(axes, k):
        for ax in axes:
            ax.plot([0, k])
            ax.set(xlim=(0, 1), ylim=(0, 5))

    html = explore(panels, alt="Two.", say="{k}".format, subplots=(1, 2), k=[1, 2]).html()
    assert [name for _, name, *_ in stored(html)["changes"]] == ["d", "d"]


# The page -----------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Check that every element is closed, and collect ids."""

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.refers = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs[key] for key in ("id",) if key in attrs]
        self.refers += [attrs[key] for key in ("for",) if key in attrs]
        self.refers += re.findall(r"url\(#(.*?)\)", " ".join(map(str, attrs.values())))
        if tag != "input":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed():
    html = make().html()
    outline = Outline(html)
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.refers) <= set(outline.ids)
    ElementTree.fromstring(re.search(r"<svg.*</svg>", html, re.DOTALL)[0])
    assert html.startswith('<div class="cl-explorer"')
    assert html.endswith("</div><!-- /cl-explorer -->")


def test_the_first_frame_needs_no_script():
    html = make(start={"n": 20, "t": 8}).html()
    assert f'<p class="cl-say" aria-live="polite">{say(20, 8)}</p>' in html
    assert ">generation 8</text>" in html
    assert 'value="1" autocomplete="off" checked' in html and 'aria-valuetext="8"' in html


def test_words_are_escaped():
    html = make(alt='a "<b>"', labels={"n": "<n>"}, say=lambda n, t: f"{n} < 3 </script>").html()
    assert 'aria-label="a &quot;&lt;b&gt;&quot;"' in html and ">&lt;n&gt;</span>" in html
    assert html.count("</script>") == 2
    Outline(html)


def test_nothing_is_fetched_from_elsewhere():
    assert not re.search(r"https?:|src=|@import|url\((?!#)", make().html())


def test_two_figures_share_no_id():
    ids = Outline(make().html() + make(alt="Another.").html()).ids
    assert len(ids) == len(set(ids))


def test_the_page_is_small():
    html = make(n=[10, 20, 50, 100, 500], t=range(0, 101, 5)).html()
    assert len(gzip.compress(html.encode())) < 20_000


@pytest.mark.parametrize("width", [4, 5.6, 9])
def test_text_is_legible_on_a_phone(width):
    html = make(figsize=(width, 3)).html()
    smallest = min(map(int, re.findall(r'<text[^>]* font-size="(\d+)"', html)))
    assert smallest * 350 / (720 * width) >= 9


def test_colours_follow_the_page():
    html = make().html()
    light, _, dark = style.PALETTE["vermillion"]
    assert f'stroke="var(--cl-vermillion,{light})"' in html
    assert f"--cl-vermillion:light-dark({light},{dark})" in html
    assert "--cl-violet" not in html  # not used here
    assert 'fill="#000000"' not in html and 'fill="currentColor"' in html


SAME = """
from tests.book.test_explorer import make
print(make().html())
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_input_gives_the_same_page(seed):
    env = {"PYTHONHASHSEED": seed, "PYTHONPATH": ".", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", SAME], capture_output=True, env=env, check=True)
    assert run.stdout.decode().rstrip("\n") == make().html()


def test_plain_text():
    assert repr(make()) == f"[interactive figure] A Gaussian density that narrows. — {say(10, 0)}"


# The live controls --------------------------------------------------------------------------------


def test_widget_draws_between_the_grid_values():
    box = make().widget()
    picture, _, t, _, sentence = box.children
    before = picture.value
    t.value = 7
    assert ">generation 7<" in picture.value and picture.value != before
    assert say(10, 7) in sentence.value
    assert isinstance(t.value, int) and (t.min, t.max) == (0, 20)


@pytest.mark.parametrize(
    "values, kind, between",
    [
        (range(0, 101, 5), "int", 1),
        ([10, 20, 50], "int", 1),
        ([0.0, 0.5, 1.0], "float", 0.05),
        ([-1, 0.5], "float", 0.15),
        (["ml", "unbiased"], "choose", ["ml", "unbiased"]),
        ([7], "choose", [7]),
    ],
)
def test_kinds_of_live_slider(values, kind, between):
    assert _between(list(values)) == (kind, between)


@pytest.mark.parametrize("values", [[10, 100, 1000], [0, 1, 10, 100, 1000], [0.001, 0.01, 0.1]])
def test_values_that_grow_by_a_factor_get_finer_values_of_the_kind(values):
    kind, between = _between(values)
    assert kind == "choose" and set(values) < set(between) and len(between) > 30
    assert {type(value) for value in between} == {type(values[0])}
    assert between == sorted(between) and (between[0], between[-1]) == (values[0], values[-1])


def test_every_kind_of_slider_can_be_made_and_moved():
    def plot(ax, **point):
        ax.set(xlim=(0, 1), ylim=(0, 1))

    grid = {"a": [0.0, 0.1, 0.2], "b": [1, 10, 100], "c": ["x", "y"]}
    live = explore(plot, alt="Axes.", say="{a} {b} {c}".format, **grid).widget()
    _, a, b, c, buttons, sentence = live.children
    a.value, b.value, c.value = 0.13, 14, "y"
    assert "0.13 14 y" in sentence.value
    (reset,) = buttons.children
    reset.click()
    assert "0.0 1 x" in sentence.value


def test_live_time_can_be_played():
    def plot(ax, generation):
        ax.set(xlim=(0, 1), ylim=(0, 1))

    live = explore(plot, alt="Axes.", say="{generation}".format, generation=range(9)).widget()
    play, _ = live.children[2].children
    play.value = 5
    assert ">5<" in live.children[-1].value


def test_mime_bundle():
    bundle = make()._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "text/html", "application/vnd.jupyter.widget-view+json"]


def test_without_ipywidgets_the_page_remains(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert list(make()._repr_mimebundle_()) == ["text/plain", "text/html"]


# The errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"alt": "  "}, "alt='  ' is empty: say in words"),
        ({"n": []}, r"n=\[\] is empty: give it at least one value"),
        ({"n": 10}, "n=10 is not a list of values"),
        ({"n": "ml"}, "n='ml' is not a list of values"),
        ({"n": [1.0, np.nan]}, "n holds nan: only finite numbers and strings"),
        ({"n": [1, np.inf]}, "n holds inf: only finite"),
        ({"n": [None]}, "n holds None: only finite"),
        ({"n": [1, 1]}, r"n=\[1, 1\] holds a value twice"),
        ({"start": {"n": 11}}, "start: n=11 is not on the grid 10, 20, 50"),
        ({"start": {"m": 1}}, "start names 'm'; the parameters are n, t"),
        ({"labels": {"m": ""}}, "labels names 'm'; the parameters are n, t"),
        ({"t": range(1000)}, r"3000 frames \(n: 3 × t: 1000\); at most 2000"),
        ({"say": lambda n, t: None}, "say returned None at n=10, t=0: it must be a sentence"),
    ],
)
def test_arguments_that_cannot_be_used(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes).html()


def test_a_figure_needs_a_parameter():
    with pytest.raises(ValueError, match="explore needs a parameter to vary, such as n="):
        explore(draw, alt="A curve.", say=say)


def autoscaled(ax, k):
    ax.plot([0, k])


def uneven(ax, k):
    for _ in range(k):
        ax.plot([0, 1])
    ax.set(xlim=(0, 1), ylim=(0, 1))


RNG = np.random.default_rng(0)


def unseeded(ax, k):
    ax.plot(RNG.random(3))
    ax.set(xlim=(0, 1), ylim=(0, 1))


def stacked(ax, k):
    ax.set(xlim=(0, 1), ylim=(0, 1), title=r"$\frac{1}{k}$")


def hatched(ax, k):
    ax.bar([0], [1], hatch="/")


@pytest.mark.parametrize(
    "bad, message",
    [
        (autoscaled, r"the y axis of axes 1 differs between k=1 and k=2: .* ax\.set_ylim\("),
        (uneven, "other things at k=1 and k=2: 1 line2d, then 2"),
        (unseeded, "two different pictures at k=1.*fixed seed"),
        (hatched, "explore cannot draw hatches"),
        (stacked, r"not on one line, got .*frac"),
        (lambda ax, k: ax.imshow([[k]], interpolation="nearest"), r"images .* interpolation=.none"),
        (lambda ax, k: ax.twinx(), "draw adds axes of its own .* at k=1"),
        (lambda ax, k: ax.set(xlim=(0, 1), ylim=(0, 1)), "the same picture for all 2"),
    ],
)
def test_drawings_that_cannot_be_used(bad, message):
    with pytest.raises(ValueError, match=message):
        explore(bad, alt="A line.", say="{k}".format, k=[1, 2]).html()


def test_an_image_is_a_small_picture_that_changes():
    def draw(ax, k):
        ax.imshow([[0, 1], [k, 0.5]], cmap="gray", vmin=0, vmax=1, interpolation="none")
        ax.set_axis_off()

    html = explore(draw, alt="Four pixels.", say="{k}".format, k=[0, 1]).html()
    assert re.search(r'<image class="cl-m".* width="2" height="2".*pixelated', html)
    ((number, attribute, values),) = stored(html)["changes"]
    pictures = [plt.imread(BytesIO(b64decode(each.partition(",")[2]))) for each in values]
    assert (number, attribute) == (0, "href")
    np.testing.assert_allclose(pictures[1], [[0, 1], [1, 0.5]], atol=0.05)
    assert pictures[0][1, 0] == 0


# In a browser -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    if browsing.chromium() is None:
        pytest.skip("chromium is not installed: the figure is not tried in a browser")
    with browsing.launch() as running:
        yield running


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    second = make(alt="A second one.", labels={"n": "sample size n"})
    figures = make(start={"t": 8}).html() + second.html()
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Figures</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>:root{color-scheme:light dark}</style></head>"
        f"<body>{figures}</body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_sliders_move_the_picture(browser, page_file, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(page_file)
    figure, other = page.locator(".cl-explorer").all()
    untouched = other.inner_html()
    for row in figure.locator(".cl-row").all():
        choice = "cl-choice" in row.get_attribute("class")
        chooser = row.locator("input:checked" if choice else "input")
        path = figure.locator("path.cl-m").get_attribute("d")
        sentence = figure.locator(".cl-say").inner_text()
        height = figure.bounding_box()["height"]
        chooser.focus()
        for key in ["ArrowRight"] if choice else ["End", "ArrowLeft"]:
            page.keyboard.press(key)
        assert figure.locator(".cl-say").inner_text() != sentence
        assert figure.locator("path.cl-m").get_attribute("d") != path
        assert figure.bounding_box()["height"] == height
        assert chooser.bounding_box()["height"] >= (44 if width < 576 else 24)
    assert figure.locator(".cl-say").inner_text() == say(20, 16)
    assert figure.locator("text.cl-m").text_content() == "generation 16"
    assert [o.text_content() for o in figure.locator("output").all()] == ["20", "16"]
    assert chooser.get_attribute("aria-valuetext") == "16"
    assert other.inner_html() == untouched
    assert page.evaluate("document.documentElement.scrollWidth") == width
    curve = figure.locator("path.cl-m").evaluate("e => getComputedStyle(e).stroke")
    expected = style.PALETTE["vermillion"][2 if scheme == "dark" else 0]
    assert curve == "rgb({}, {}, {})".format(*bytes.fromhex(expected[1:]))
    assert not errors
    page.close()


def figure_in_book(browser, tmp_path, **view):
    """A page of the book with one figure of all kinds of control, and the figure on it."""

    def draw(ax, run, kind, generation):
        ax.plot([0, 1], [run, generation], color="k" if kind == "a" else "r")
        ax.set(xlim=(0, 1), ylim=(0, 9))

    def tell(run, kind, generation):
        return f"Run {run}, {kind}, generation {generation}."

    grid = {"run": [1, 2, 3], "kind": ["a", "b b"], "generation": range(6)}
    html = explore(draw, alt="A line.", say=tell, **grid).html()
    path = tmp_path / "book.html"
    path.write_text(f'<!doctype html><article class="bd-article">{html}</article>', "utf-8")
    page = browser.new_page(**view)
    page.goto(path.as_uri())
    return page, page.locator(".cl-explorer")


def test_another_run_a_choice_and_the_way_back(browser, tmp_path):
    page, figure = figure_in_book(browser, tmp_path)
    said = figure.locator(".cl-say")
    figure.get_by_role("button", name="New run").click()
    figure.get_by_role("radio", name="b b").check()
    figure.get_by_role("slider", name="generation").press("End")
    assert said.inner_text() == "Run 2, b b, generation 5."
    address = page.url
    figure.get_by_role("button", name="Reset").click()
    assert said.inner_text() == "Run 1, a, generation 0."
    assert figure.get_by_role("radio", name="a", exact=True).is_checked()
    page.goto("about:blank")
    page.goto(address)
    assert said.inner_text() == "Run 2, b b, generation 5.", address
    page.close()


def test_time_is_played_and_stops_at_its_end(browser, tmp_path):
    page, figure = figure_in_book(browser, tmp_path, reduced_motion="no-preference")
    play = figure.get_by_role("button", name="Play")
    play.click()
    pause = figure.get_by_role("button", name="Pause")
    pause.wait_for()
    figure.get_by_text("generation 3").wait_for()
    pause.click()
    play.click()
    figure.get_by_text("Run 1, a, generation 5.").wait_for()
    play.wait_for()
    page.close()


def test_nothing_plays_where_motion_is_reduced(browser, tmp_path):
    page, figure = figure_in_book(browser, tmp_path, reduced_motion="reduce")
    assert figure.get_by_role("button", name="Reset").is_visible()
    assert not figure.get_by_role("button", name="Play").is_visible()
    page.close()


@pytest.mark.parametrize("theme, dark", [("data-theme", True), ("theme", True), (None, False)])
def test_the_page_decides_the_theme_not_the_system(browser, theme, dark):
    page = browser.new_page(color_scheme="light" if dark else "dark")
    mark = f'{theme}="dark"' if theme else 'data-theme="light"'
    page.set_content(f"<html {mark}><body>{make().html()}</body></html>")
    curve = page.locator("path.cl-m").evaluate("e => getComputedStyle(e).stroke")
    expected = style.PALETTE["vermillion"][2 if dark else 0]
    assert curve == "rgb({}, {}, {})".format(*bytes.fromhex(expected[1:]))
    page.close()


def test_without_scripts_the_first_frame_and_its_sentence_show(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file)
    figure = page.locator(".cl-explorer").first
    assert figure.locator(".cl-say").is_visible() and figure.locator("svg").is_visible()
    assert not figure.locator("input").first.is_visible()
    context.close()


def test_values_that_only_live_sliders_offer_are_tried():
    stored = {1: "one", 3: "three"}

    def draw(ax, n):
        ax.plot([0, 1], [0, n])
        ax.set(xlim=(0, 1), ylim=(0, 4))

    figure = explore(draw, alt="A line.", say=lambda n: stored[n], n=[1, 3])
    with pytest.raises(ValueError, match=r"live slider offers n=2.*KeyError\(2\)"):
        figure.html()
