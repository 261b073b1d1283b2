"""The picture of the cockpit in the README: digits after three steps, while somebody asks for the next.

Run: python bench/screenshot.py (needs chromium on the PATH, or PARETONAV_BROWSER)
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server

PICTURE = Path(__file__).parent.parent / "docs" / "cockpit.png"


def main() -> None:
    navigator = pn.Navigator(pn.problems.digits())
    navigator.start()
    navigator.step(pn.Improve({"west": 1.0}), 0.06)
    navigator.step(pn.Improve({"east": 1.0}, hold=["west"]), 0.03)
    navigator.undo()
    navigator.step(pn.Improve({"south": 1.0}), 0.05)
    controller = Controller(navigator, "Three digits, one small network")
    path = os.environ.get("PARETONAV_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with Server(controller) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": 1366, "height": 768}, device_scale_factor=1.5)
        page.goto(server.url)
        page.get_by_label("What to ask of south", exact=True).select_option("hold")
        page.get_by_label("What to ask of west", exact=True).select_option("improve")
        number = page.get_by_label("west, number", exact=True)
        number.fill("4")
        number.press("Tab")
        page.get_by_text("measured").first.wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=PICTURE)
        browser.close()
    controller.close()


if __name__ == "__main__":
    main()
