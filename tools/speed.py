"""Measure what each built page costs a reader's phone: `make speed`, after `make book`.

The phone is 390 pixels wide and four times slower than this machine. `load` is the time to the
load event, `blocked` the sum of tasks longer than 50 ms, `work` the processor's time on the page,
which a busy machine does not change, and `shift` how far the layout jumps.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser

from tools import browsing

SLOWER = 4
SETTLE_MS = 2000
WATCH = """
window.shifts = window.blocked = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifts += entry.value;
})).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  window.blocked += entry.duration / 1000;
})).observe({ type: "longtask", buffered: true });
"""
READ = """() => ({ shift: window.shifts, blocked: window.blocked,
  load: performance.getEntriesByType("navigation")[0].loadEventEnd / 1000 })"""


def measured(browser: Browser, address: str, slower: float = SLOWER) -> dict[str, float]:
    """Return load, blocked and work, in seconds, and shift, of one page on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.add_init_script(WATCH)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLE_MS)
    found: dict[str, float] = page.evaluate(READ)
    metrics = session.send("Performance.getMetrics")["metrics"]
    found["work"] = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
    context.close()
    return found


if __name__ == "__main__":
    book = Path(browsing.BUILT)
    names = sys.argv[1:] or browsing.page_names(book)
    columns = ("load", "blocked", "work", "shift")
    print(f"{'page':36}" + "".join(f"{name:>9}" for name in columns))
    with browsing.launch() as browser, browsing.serve(book) as site:
        for name in names:
            found = measured(browser, site + name)
            print(f"{name:36}" + "".join(f"{found[column]:9.2f}" for column in columns))
