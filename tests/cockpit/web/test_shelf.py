"""A folder of sessions in the browser: what is there, each to be looked at, and nothing that anybody wrote is run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cockpit.watching import PATIENCE
from tests.cockpit.web.asking import Browser

import paretonav as pn
from paretonav.cockpit.web import Server
from paretonav.cockpit.web.shelf import Shelf

HOSTILE = "</title><img src=x onerror=alert(1)> {title} %s"
HEBREW = "\u05d4\u05d5\u05d2\u05df"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    nav = pn.Navigator(pn.problems.quadratic(n=4, m=2), session=folder / "one")
    nav.start()
    nav.step(pn.Improve({"f1": 1.0}), 0.05)
    with nav.session as session:
        session.title = HOSTILE
        session.name(1, HEBREW)
    shutil.copytree(folder / "one", folder / "two")
    with pn.Session(folder / "two", write=True) as session:
        session.title = ""
    shutil.copytree(folder / "one", folder / "broken")
    (folder / "broken" / "session.db").write_bytes(b"nothing of ours" * 100)
    return folder


@pytest.fixture
def show(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[Path], Server]]:
    servers: list[Server] = []

    def start(folder: Path) -> Server:
        servers.append(Server(Shelf(folder)))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        assert not server.is_running
    assert caplog.records == []


def test_every_session_is_listed_and_can_be_looked_at(runs: Path, show: Callable[[Path], Server]) -> None:
    browser = Browser(show(runs))
    answer = browser.get("/")
    assert answer.status == 200
    assert '<h1 dir="auto">Sessions in runs</h1>' in answer.text
    assert "onerror=alert(1)&gt;" in answer.text
    assert "<img" not in answer.text
    assert f'point 1 <b dir="auto">{HEBREW}</b>' in answer.text
    assert re.search(r"<bdi>f1</bdi> [\d.]+ → [\d.]+ \(5.0% better\)", answer.text)
    assert "<b>Cannot be read:</b>" in answer.text
    links = re.findall(r'href="(session/\w+)"', answer.text)
    assert len(links) == 2
    assert browser.get("/shelf.css").headers["content-type"].startswith("text/css")
    for link in links:
        page = browser.get(f"/{link}")
        policy = page.headers["content-security-policy"]
        assert page.status == 200
        assert "script-src 'sha256-" in policy
        assert "frame-ancestors 'none'" in policy
        assert 'id="saved"' in page.text
    missing = browser.get(f"/session/{'0' * 24}")
    assert (missing.status, "no such session" in missing.text) == (404, True)
    assert browser.get("/session/..%2f..%2fetc").status == 404
    (runs / "two" / "points" / "000001.safetensors").write_bytes(b"x")
    damaged = [browser.get(f"/{link}") for link in links]
    assert sorted(answer.status for answer in damaged) == [200, 404]
    assert any("damaged" in answer.text or "cannot be read" in answer.text.lower() for answer in damaged)


def test_who_has_no_token_sees_nothing(runs: Path, show: Callable[[Path], Server]) -> None:
    server = show(runs)
    for path in ("/", "/session/" + "0" * 24, "/shelf.css"):
        answer = Browser(server, let_in=False).get(path)
        assert (answer.status, "runs" in answer.text) == (403, False)


def test_a_session_alone_is_opened_at_once_and_an_empty_folder_says_so(
    runs: Path, tmp_path: Path, show: Callable[[Path], Server]
) -> None:
    answer = Browser(show(runs / "two")).get("/")
    assert (answer.status, answer.headers["location"][:10]) == (303, "./session/")
    (tmp_path / "empty").mkdir()
    assert "no sessions" in Browser(show(tmp_path / "empty")).get("/").text
    nothing = Browser(show(tmp_path / "nothing")).get("/")
    assert (nothing.status, "name a folder" in nothing.text) == (404, True)


@pytest.mark.parametrize("width", [1366, 390])
def test_in_a_browser(browser: Any, runs: Path, show: Callable[[Path], Server], width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    expect = pytest.importorskip("playwright.sync_api").expect
    context = browser.new_context(viewport={"width": width, "height": 768})
    context.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(show(runs).url)
    expect(page.locator("tbody tr")).to_have_count(3)
    rules = {"target-size": {"enabled": True}}
    assert axe.Axe().run(page, options={"rules": rules}).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="two", exact=True).click()
    expect(page.locator(".pn-session")).to_have_text("two")
    expect(page.locator(".pn-point .pn-editable-said")).to_have_text(HEBREW)
    page.get_by_label("What to ask of f1", exact=True).select_option("improve")
    expect(page.get_by_role("slider", name="f1", exact=True)).to_be_visible()
    expect(page.get_by_text("Expected:").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sessions in runs")).to_be_visible()
    assert complaints == []
    context.close()
