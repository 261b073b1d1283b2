"""How quickly the cockpit answers, in headless Chromium: from a key on a slider to the redrawn page.

A key is pressed on a slider; the time counts from the browser's own time stamp of that to after the frame in which the
page was drawn anew (script, layout and painting; what the graphics card would do is done by the processor here). Apart:
with the 3D scene in sight or the parallel axes, with three objectives or twenty, at rest and while steps compute. And
how long it takes from opening the page until the sliders can be moved, and what is transferred for that.

Run: python bench/cockpit.py (needs chromium on the PATH, or PARETONAV_BROWSER)
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server
from paretonav.session import Journal
from paretonav.steering import Estimates
from report import write

KEYS = 60
POINTS = 1000

_LISTEN = """
window.frames_after = [];
document.addEventListener("keydown", (event) => {
  const began = event.timeStamp, channel = new MessageChannel();
  channel.port1.onmessage = () => window.frames_after.push(performance.now() - began);
  requestAnimationFrame(() => channel.port2.postMessage(null));
}, true);
"""


def main() -> None:
    path = os.environ.get("PARETONAV_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        rows = []
        for what, problem, many in (
            ("digits (3 objectives, 3 metrics)", pn.problems.digits(), False),
            (f"3 objectives, {POINTS} points", pn.problems.quadratic(n=50, m=3), True),
            (f"20 objectives, {POINTS} points", pn.problems.quadratic(n=100, m=20), True),
        ):
            rows += list(of_problem(browser, what, problem, many))
        browser.close()
    write("cockpit", "The cockpit's answers in headless Chromium", rows)


def of_problem(browser: Any, what: str, problem: pn.Problem, many: bool) -> list[dict[str, object]]:
    """All measurements on one problem."""
    navigator = pn.Navigator(problem)
    navigator.start()
    if many:
        scatter(navigator.session)
    controller = Controller(navigator, what)
    server = Server(controller)
    server.start()
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    received = listen(page)
    began = time.perf_counter()
    page.goto(server.url)
    choice = page.get_by_label(f"What to ask of {problem.names[0]}", exact=True)
    choice.select_option("improve")
    slider = page.get_by_role("slider", name=problem.names[0], exact=True)
    slider.wait_for()
    opened = time.perf_counter() - began
    page.wait_for_timeout(1000)
    megabytes = received() / 1e6
    page.evaluate(_LISTEN)
    rows = []
    for tab in ("Map", "Lines"):
        page.get_by_role("tab", name=tab, exact=True).click()
        if tab == "Map" and not many:
            page.get_by_label("View", exact=True).select_option(index=1)  # in three dimensions
        page.wait_for_timeout(300)
        times = press(page, slider, KEYS)
        rows.append(row(what, f"{tab}, at rest", times, opened, megabytes))
    page.get_by_role("tab", name="Map", exact=True).click()
    if not many:
        times = []
        for _ in range(6):
            page.get_by_role("button", name="Step", exact=True).click()
            slider.focus()
            times += press(page, slider, 8, until=lambda: controller.values()["job"]["status"] != "running")  # type: ignore[index]
            while (
                page.get_by_role("button", name="Step", exact=True).get_attribute("aria-disabled") == "true"
            ):
                page.wait_for_timeout(20)
            page.get_by_role("button", name="Undo", exact=True).click()
            page.wait_for_timeout(500)
        rows.append(row(what, "Map, while a step computes", times, opened, megabytes))
    page.close()
    server.stop()
    controller.close()
    return rows


def press(page: Any, slider: Any, keys: int, until: Callable[[], bool] = lambda: False) -> list[float]:
    """Milliseconds from each key to the frame after it."""
    slider.focus()
    page.evaluate("window.frames_after.length = 0")
    for i in range(keys):
        if until():
            break
        page.keyboard.press("ArrowRight" if i % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(30)
    page.wait_for_timeout(100)
    return list(page.evaluate("window.frames_after"))


def row(what: str, where: str, times: list[float], opened: float, megabytes: float) -> dict[str, object]:
    return {
        "problem": what,
        "in sight": where,
        "keys": len(times),
        "median ms": float(np.median(times)),
        "95 % ms": float(np.quantile(times, 0.95)),
        "page usable after s": opened,
        "transferred MB": megabytes,
    }


def listen(page: Any) -> Callable[[], int]:
    """Count the bytes that a page receives, as they go over the line."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    total = [0]
    session.on(
        "Network.loadingFinished", lambda e: total.__setitem__(0, total[0] + int(e["encodedDataLength"]))
    )
    session.on(
        "Network.webSocketFrameReceived",
        lambda e: total.__setitem__(0, total[0] + len(e["response"]["payloadData"])),
    )
    return lambda: total[0]


def scatter(session: pn.Session) -> None:
    """Points around the first one, as a long navigation would leave them."""
    first, generator = session[0], np.random.default_rng(0)
    point, tangent = session.point(0), Journal(session).tangent(0)
    if tangent is None:
        raise RuntimeError("a point that was just made has a tangent")
    for i in range(1, POINTS):
        factors = 1 + 0.1 * generator.normal(size=len(first.losses))
        losses = {name: loss * factors[k] for k, (name, loss) in enumerate(first.losses.items())}
        parent = int(generator.integers(max(0, i - 3), i))
        values = replace(first.values, train=Estimates(losses))
        made = replace(first, id=i, parent=parent, amount=0.01, values=values)
        Journal(session).add(replace(made, preference=pn.Improve({next(iter(losses)): 1.0})), point, tangent)


if __name__ == "__main__":
    main()
