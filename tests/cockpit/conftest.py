"""A browser, a controller without a model, and a view that shows what it is told in words."""

import asyncio
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cockpit.watching import PATIENCE

from paretonav.cockpit import assets


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium by Playwright; CI must have one, elsewhere these tests are skipped without it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("PARETONAV_BROWSER") or next(filter(None, map(shutil.which, names)), None)
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


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a browser is slow: the fast tests need none, also where CI has none."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            item.add_marker(
                pytest.mark.flaky(reruns=2)
            )  # three programs at once on a busy machine; it is told


@pytest.fixture(autouse=True)
def _delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PARETONAV_DELAYS=300, every message between page and server is up to 300 ms late, which finds races."""
    if not (most := float(os.environ.get("PARETONAV_DELAYS", 0)) / 1000):
        return
    websockets = pytest.importorskip("starlette.websockets").WebSocket
    for name, before in (("send_text", True), ("receive", False)):
        monkeypatch.setattr(websockets, name, _late(getattr(websockets, name), most, before=before))


def _late(said: Callable[..., Any], most: float, *, before: bool) -> Callable[..., Any]:
    async def say(*args: Any) -> Any:
        if before:
            await asyncio.sleep(random.uniform(0, most))
        answer = await said(*args)
        if not before:
            await asyncio.sleep(random.uniform(0, most))
        return answer

    return say


@pytest.fixture
def no_loop() -> Iterator[None]:
    """No event loop runs in this thread, where that of Playwright does once there is a browser."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


Listener = Callable[[str, object, str | None], None]


class FakeController:
    """Publishes what a test wants, and writes down what it is asked."""

    TRAITS = ("state", "points", "job", "outlook", "trial", "answer", "steer", "kept")

    def __init__(self, navigator: Any = None, title: str = "") -> None:
        self.navigator, self.title = navigator, title
        self.now: dict[str, Any] = dict.fromkeys(self.TRAITS)
        self.now["state"] = {
            "version": 1,
            "title": title,
            "live": True,
            "current": 0,
            "objectives": 2,
            "quantities": [{"name": "a", "better": "lower"}, {"name": "b", "better": "lower"}],
            "downloads": "download",
        }
        self.now["points"] = {"parent": [None], "asked": ["start"], "name": [""], "note": [""]}
        self.now["points"] |= {"train": [[1.0], [2.0]], "validation": None, "metrics": []}
        self.listeners: list[Listener] = []
        self.heard: list[tuple[str, object]] = []
        self.refreshed, self.closed = 0, 0
        self.saved: dict[str, Any] = {}

    def values(self) -> dict[str, object]:
        return dict(self.now)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def publish(self, trait: str, value: object, by: str | None = None) -> None:
        self.now[trait] = value
        for listener in tuple(self.listeners):
            listener(trait, value, by)

    def steer(self, message: object) -> None:
        self.heard.append(("steer", message))

    def request(self, message: object) -> None:
        self.heard.append(("request", message))

    def outlooks(self) -> dict[str, Any]:
        return self.saved

    def refresh(self) -> None:
        self.refreshed += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def controller() -> FakeController:
    return FakeController(title="a title")


@pytest.fixture
def make_controller() -> type[FakeController]:
    return FakeController


VIEW = """
import { listed } from "./names.js";

export default {
  render({ model, el }) {
    const show = () => {
      const state = model.get("state");
      el.dataset.outlook = JSON.stringify(model.get("outlook"));
      el.dataset.job = JSON.stringify(model.get("job"));
      el.textContent = `${state.title}: ${listed(state.quantities)} </SCRIPT> <!-- <script>`;
    };
    for (const name of ["state", "outlook", "job"]) model.on(`change:${name}`, show);
    window.say = (name, message) => {
      model.set(name, message);
      model.save_changes();
    };
    show();
    return () => model.off("change:state", show);
  },
};
"""


@pytest.fixture
def small_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A view in place of the real one, with everything in its source that could end an element of HTML."""
    view = tmp_path / "package" / "view"
    view.mkdir(parents=True)
    (view / "index.js").write_text(VIEW)
    (view / "names.js").write_text(
        'export const listed = (quantities) => quantities.map((q) => q.name).join(", "); // </script>\n'
    )
    (view / "style.css").write_text('main { color: rgb(1, 2, 3); } main::after { content: "</style>"; }\n')
    monkeypatch.setattr(assets, "_HERE", tmp_path / "package")
    return view


@pytest.fixture
def page_of(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the real view on the state and the points of a fake controller, which is the page's ``controller``."""
    from playwright.sync_api import expect

    from paretonav.cockpit.web import Server

    expect.set_options(timeout=1000 * PATIENCE)
    opened: list[Any] = []

    def show(state: Any, points: Any, **context: Any) -> Any:
        controller = FakeController(title=state["title"])
        controller.now |= {"state": state, "points": points}
        server = Server(controller)  # type: ignore[arg-type]
        server.start()
        opened.append(server)
        page = browser.new_context(**({"viewport": {"width": 1366, "height": 768}} | context)).new_page()
        opened.append(page.context)
        page.controller = controller
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(server.url)
        page.locator(".pn-row:visible, .pn-start:visible").first.wait_for()
        return page

    yield show
    for one in reversed(opened):
        one.stop() if hasattr(one, "stop") else one.close()
