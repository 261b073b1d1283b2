"""The page in a real browser, with a view of a few lines: it connects, mends its line, and lets nobody else in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.cockpit.web.asking import PATIENCE, until

from paretonav.cockpit.web import Server
from paretonav.cockpit.web.guard import Guard

VIEW = """
export default {
  render({ model, el }) {
    window.model = model;
    window.rendered = (window.rendered ?? 0) + 1;
    const show = () => {
      el.textContent = `${model.get("state").title} | ${JSON.stringify(model.get("outlook"))}`;
    };
    window.changes = [];
    for (const name of ["state", "outlook", "steer", "job"]) {
      model.on(`change:${name}`, () => window.changes.push(name));
      model.on(`change:${name}`, show);
    }
    window.say = (name, message) => {
      model.set(name, message);
      model.save_changes();
    };
    show();
  },
};
"""
BAR = ".host-bar"

Serve = Callable[..., Server]


@pytest.fixture
def serve(serve: Serve, small_view: Any) -> Serve:
    (small_view / "index.js").write_text(VIEW)
    return serve


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


def opened(context: Any, server: Server) -> Any:
    page = context.new_page()
    page.complaints, page.received = [], []

    def listened(socket: Any) -> None:
        socket.on("framereceived", lambda said: page.received.append(said))

    page.on("websocket", listened)
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(server.url)
    wait(page, "window.rendered === 1")
    return page


def wait(page: Any, expression: str, arg: object = None) -> None:
    """Wait until an expression is true; Playwright's own way evaluates text in the page, where that is forbidden."""
    until(lambda: page.evaluate(expression, arg) or pause(page))


def pause(page: Any) -> None:
    """A moment in which the browser's news arrive."""
    page.wait_for_timeout(20)


def acknowledged(page: Any, seq: int) -> None:
    """Wait until the page has been told that what it said was heard."""
    until(
        lambda: any("received" in text and f'"seq":{seq}}}' in text for text in page.received) or pause(page)
    )


def shows(page: Any, text: str) -> None:
    wait(page, "text => document.querySelector('main').textContent.includes(text)", text)


def test_it_opens_by_the_token_and_shows_what_comes(context, serve, controller):
    server = serve(controller)
    page = opened(context, server)
    assert re.fullmatch(rf"http://127\.0\.0\.1:{server.port}/[0-9a-f]{{32}}/", page.url)
    assert server.url.partition("token=")[2] not in page.url
    shows(page, "a title | null")
    wait(page, "document.title === 'a title – paretonav'")
    controller.publish("outlook", {"seq": 1})
    shows(page, '{"seq":1}')
    controller.publish("state", {"title": "<b>other</b>"})
    shows(page, "<b>other</b> |")
    wait(page, "document.title === '<b>other</b> – paretonav'")
    assert page.evaluate("document.cookie") == ""
    assert page.complaints == []


def test_without_the_token_it_says_what_to_do(context, serve, controller):
    server = serve(controller)
    page = context.new_page()
    answer = page.goto(f"http://127.0.0.1:{server.port}/")
    assert answer.status == 403
    assert page.get_by_role("heading").text_content() == "This cockpit is private"
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "576px"  # its style is let through


def test_what_a_view_says_goes_up_and_others_hear_of_it(context, serve, controller):
    server = serve(controller)
    one, two = opened(context, server), opened(context, server)
    one.evaluate("say('steer', { by: 'one', seq: 1, modes: {} })")
    one.evaluate("say('request', { by: 'one', seq: 2, cmd: 'undo' })")
    until(lambda: len(controller.heard) == 2)
    assert controller.heard[1] == ("request", {"by": "one", "seq": 2, "cmd": "undo"})
    controller.publish("steer", controller.heard[0][1])
    wait(two, "model.get('steer')?.by === 'one'")
    controller.publish("outlook", {"seq": 1})
    wait(one, "changes.includes('outlook')")
    assert one.evaluate("changes") == ["steer", "outlook"]  # its own once, and not again from the server
    assert one.complaints == two.complaints == []


def lost(page: Any, words: str) -> None:
    page.locator(BAR, has_text=words).wait_for()


def connected(page: Any) -> None:
    page.locator(BAR).wait_for(state="detached")


def test_started_again_it_goes_on_and_nothing_is_lost(context, serve, controller, make_controller):
    server = serve(controller, token="a long token")
    page = opened(context, server)
    page.evaluate("say('steer', { by: 'me', seq: 1, modes: {} })")
    until(lambda: len(controller.heard) == 1)
    server.stop()
    lost(page, "has ended")
    page.evaluate("say('steer', { by: 'me', seq: 2, modes: {} })")
    page.evaluate("say('steer', { by: 'me', seq: 3, modes: {} })")
    page.evaluate("say('request', { by: 'me', seq: 4, cmd: 'undo' })")
    again = make_controller(title="again")
    serve(again, token="a long token", port=server.port)
    page.get_by_role("button", name="Try now").click()
    connected(page)
    shows(page, "again |")
    until(lambda: len(again.heard) == 2)
    assert [(name, content["seq"]) for name, content in again.heard] == [("steer", 3), ("request", 4)]
    assert page.evaluate("rendered") == 1
    assert page.evaluate("model.get('steer').seq") == 3


def test_a_server_that_knows_nothing_is_told_the_newest_steer_again(
    context, serve, controller, make_controller
):
    server = serve(controller, token="a long token")
    page = opened(context, server)
    page.evaluate("say('steer', { by: 'me', seq: 1, modes: {} })")
    page.evaluate("say('request', { by: 'me', seq: 2, cmd: 'undo' })")
    acknowledged(page, 2)
    server.stop()
    again = make_controller(title="again")
    serve(again, token="a long token", port=server.port)
    until(lambda: len(again.heard) == 1)
    connected(page)
    page.evaluate("say('request', { by: 'me', seq: 3, cmd: 'undo' })")
    until(lambda: len(again.heard) > 1)
    steer = ("steer", {"by": "me", "seq": 1, "modes": {}})
    assert again.heard == [steer, ("request", {"by": "me", "seq": 3, "cmd": "undo"})]  # 2 was heard before


def test_started_anew_with_another_token_it_says_so(context, serve, controller):
    server = serve(controller)
    page = opened(context, server)
    server.stop()
    anew = serve(controller, port=server.port)
    lost(page, "started anew")
    page.goto(anew.url)
    connected(page)


def test_a_lost_line_is_told_and_mends_itself(context, serve, controller):
    server = serve(controller)
    page = opened(context, server)
    page.evaluate(
        """() => {
          const Real = window.WebSocket;
          window.WebSocket = class { constructor() { setTimeout(() => this.onclose({ code: 1006 }), 20); } };
          window.WebSocket.OPEN = 1;
          window.mend = () => { window.WebSocket = Real; };
        }"""
    )
    for outbox in list(server._hub._clients):  # the line breaks without a word
        server._loop.call_soon_threadsafe(setattr, outbox, "_full", True)
        server._loop.call_soon_threadsafe(outbox._news.set)
    lost(page, "Connection lost; trying again.")
    page.get_by_role("status").wait_for()
    page.evaluate("say('request', { by: 'me', seq: 1, cmd: 'undo' })")
    controller.publish("outlook", {"seq": 7})
    page.evaluate("mend()")
    connected(page)
    shows(page, '{"seq":7}')
    until(lambda: len(controller.heard) == 1)


class Elsewhere(BaseHTTPRequestHandler):
    """A page of somebody else, on another port of the same machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_pages_of_others_get_nothing(context, serve, controller, elsewhere, monkeypatch):
    server = serve(controller)
    own = opened(context, server).url  # which another page could not know
    page = context.new_page()
    page.goto(elsewhere)
    asked: list[Any] = []
    answer = Guard._answer
    monkeypatch.setattr(
        Guard, "_answer", lambda self, request: asked.append(request) or answer(self, request)
    )
    code = page.evaluate(
        """address => new Promise((done) => {
          const socket = new WebSocket(`${address.replace("http", "ws")}channel`);
          socket.onmessage = () => done("heard");
          socket.onclose = ({ code }) => done(code);
        })""",
        own,
    )
    assert code == 1006
    loaded = """([url, what]) => new Promise((done) => {
      const element = document.createElement(what);
      element.onload = () => done("loaded");
      element.onerror = () => done("refused");
      element[what === "link" ? "href" : "src"] = url;
      if (what === "link") element.rel = "stylesheet";
      document.body.append(element);
    })"""
    for path, what in (("cockpit.js", "script"), ("cockpit.css", "link"), ("download/csv", "script")):
        assert page.evaluate(loaded, [f"{own}{path}", what]) == "refused"
    assert [request.url.path.removeprefix(f"/{server._access.folder}") for request in asked] == [
        "/channel",
        "/cockpit.js",
        "/cockpit.css",
        "/download/csv",
    ]
    for request in asked:  # the cookie alone would have let them in
        assert any(name.startswith("paretonav-") for name in request.cookies)
        assert request.headers.get("sec-fetch-site", "same-site") == "same-site"
    frame = """url => new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      frame.onload = () => done();
      document.body.append(frame);
    })"""
    page.evaluate(frame, own)
    assert len(page.frames) == 2
    assert all("a title" not in (part.title() or "") for part in page.frames)
    assert controller.heard == []


def test_no_other_port_gets_the_cookie(context, serve, controller):
    got: list[tuple[str, str | None]] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append((self.path, self.headers["Cookie"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<img src=/download/csv>")

        def log_message(self, *_: Any) -> None:
            pass

    server = serve(controller)
    opened(context, server)
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        page = context.new_page()
        for path in ("", "channel", "download/csv"):
            page.goto(f"http://127.0.0.1:{other.server_port}/{path}")
        other.shutdown()
        thread.join()
    assert len(got) >= 3
    assert {cookie for _, cookie in got} == {None}
    again = context.new_page()
    again.goto(server.url)  # while the own port still does
    wait(again, "window.rendered === 1")


def test_scripts_that_are_not_its_own_do_not_run(context, serve, controller):
    page = opened(context, serve(controller))
    page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img src=nothing onerror='window.hit = 1'>");
          const script = document.createElement("script");
          script.textContent = "window.hit = 2";
          document.body.append(script);
        }"""
    )
    until(lambda: len(page.complaints) >= 2 or pause(page))  # both were refused aloud
    assert page.evaluate("window.hit") is None


def test_too_long_a_message_is_not_sent(context, serve, controller):
    page = opened(context, serve(controller))
    page.evaluate("say('request', { by: 'me', seq: 1, cmd: 'note', text: 'x'.repeat(70000) })")
    page.evaluate("say('request', { by: 'me', seq: 2, cmd: 'undo' })")
    until(lambda: len(controller.heard) == 1)
    assert controller.heard[0][1]["seq"] == 2
    until(lambda: page.complaints or pause(page))
    assert "too long" in page.complaints[0]


def test_a_view_that_fails_is_told(context, serve, controller, small_view):
    (small_view / "index.js").write_text("export default { render() { throw new Error('no canvas'); } };\n")
    page = context.new_page()
    page.goto(serve(controller).url)
    page.get_by_text("The view could not be shown: Error: no canvas").wait_for()
