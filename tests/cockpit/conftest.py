"""A browser, for what only a browser can say."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium by Playwright; CI must have one, elsewhere these tests are skipped without it."""
    path = os.environ.get("PARETONAV_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a browser: put chromium on the PATH or set PARETONAV_BROWSER")
        pytest.skip("no chromium on the PATH, and PARETONAV_BROWSER is not set")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()
