"""A reader opens the front page's notebook in JupyterLab, runs it and moves a slider by keyboard.

`make jupyterlab` runs this in a fresh clone, in an environment such as Binder makes.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tools import browsing

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "chapters" / "index.ipynb"
OPTIONS = [
    # The test asks the running application whether its kernel is ready.
    "--LabApp.expose_app_in_browser=True",
    # News and extensions would come from other hosts.
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
SECONDS = 120
ERROR = "[data-mime-type='application/vnd.jupyter.error']"


def stored_grid():
    """The values of each parameter for which the page stores a frame, and what it says there."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    html = next(
        "".join(output["data"]["text/html"])
        for cell in json.loads(text)["cells"]
        for output in cell.get("outputs", [])
        if "cl-explorer" in "".join(output.get("data", {}).get("text/html", ""))
    )
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1]
    return json.loads(data)["grid"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab whose folder holds nothing but the notebook."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(NOTEBOOK, folder)
    log = tmp_path_factory.mktemp("log") / "lab.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--ServerApp.port=0", *OPTIONS]
    with log.open("w") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as lab:
        try:
            yield address(lab, log)
        finally:
            lab.terminate()


def address(lab, log):
    """Wait until the server answers and return where."""
    for _ in range(SECONDS):
        time.sleep(1)
        found = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        if lab.poll() is not None:
            break
        if found:
            urllib.request.urlopen(found[0] + "api", timeout=SECONDS).close()
            return found[0]
    raise RuntimeError(f"JupyterLab did not start\n{log.read_text()}")


# Cells that are run before JupyterLab has reached the notebook's kernel are lost.
KERNEL_IS_READY = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  const kernel = context?.session?.kernel;
  return context?.isReady && kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""


@pytest.fixture(scope="module")
def page(lab):
    with browsing.launch() as browser:
        page = browsing.new_context(browser, browsing.View("light", 1280, 900)).new_page()
        page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{lab}lab/tree/{NOTEBOOK.name}?reset")
        page.wait_for_function(KERNEL_IS_READY)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        page.locator(f"{ERROR}, .widget-slider").first.wait_for()
        yield page


def test_no_cell_fails(page):
    assert not page.locator(ERROR).all_inner_texts()


def test_a_slider_recomputes_the_figure_between_the_stored_values(page):
    widget = page.locator(".widget-vbox").filter(has=page.locator("svg")).first
    # Words are chosen with buttons.
    grid = [values for values in stored_grid() if all(v[:1].isdigit() for v in values)]
    sliders = widget.locator(".widget-slider")
    expect(sliders).to_have_count(len(grid))
    between = 0
    for stored, slider in zip(grid, sliders.all(), strict=True):
        picture = widget.locator("svg").first.evaluate("svg => svg.outerHTML")
        sentence = widget.locator("p[aria-live]").inner_text()
        slider.locator(".noUi-handle").focus()
        page.keyboard.press("ArrowRight")
        expect(widget.locator("p[aria-live]")).not_to_have_text(sentence)
        assert widget.locator("svg").first.evaluate("svg => svg.outerHTML") != picture
        between += slider.locator(".widget-readout").inner_text() not in stored
    assert between


def test_no_request_leaves_the_machine(page, lab):
    assert page.asked
    assert not [url for url in page.asked if not url.startswith((lab, "data:", "blob:"))]
