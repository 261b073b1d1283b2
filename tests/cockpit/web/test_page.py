"""The page, its files and its downloads."""

from __future__ import annotations

import gzip
import io
from concurrent.futures import CancelledError

import pytest
from safetensors.torch import load
from tests.cockpit.web.asking import Browser, until

import paretonav as pn
from paretonav.cockpit import assets
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.download import Download
from paretonav.errors import SessionError


def test_the_page_has_what_a_page_needs(server):
    answer = Browser(server).get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for part in ('<html lang="en">', "<title>", "viewport", "<noscript>", "<main>", 'src="host.js"'):
        assert part in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [("cockpit.js", "javascript"), ("cockpit.css", "css"), ("host.js", "javascript"), ("host.css", "css")],
)
def test_files(server, path, kind):
    answer = Browser(server).get(f"/{path}")
    assert answer.status == 200
    assert answer.headers["content-type"] == f"text/{kind}; charset=utf-8"


def test_the_view_is_sent_compressed(server, small_view):
    (small_view / "style.css").write_text("/* wide */\n" * 1000)
    browser = Browser(server)
    answer = browser.get("/cockpit.css", Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 1000
    assert gzip.decompress(answer.body).decode() == assets.style()
    assert browser.get("/cockpit.css").text == assets.style()


def made(name="digits-5.safetensors", mime="application/octet-stream", data=b"\0" * 1_000_000):
    return Download(name, mime, len(data), io.BytesIO(data))


def test_downloads(server, controller):
    asked, files = [], []

    def download(what, point=None):
        asked.append((what, point))
        files.append(made())
        return files[-1]

    controller.download = download
    browser = Browser(server)
    for path in ("model/5", "card/12", "csv", "json", "page"):
        answer = browser.get(f"/download/{path}", Accept_Encoding="gzip")
        assert answer.status == 200
        assert answer.body == b"\0" * 1_000_000
        assert answer.headers["content-length"] == "1000000"
        assert answer.headers["content-encoding"] is None
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''digits-5.safetensors"
        assert answer.headers["content-type"] == "application/octet-stream"
    assert asked == [("model", 5), ("card", 12), ("csv", None), ("json", None), ("page", None)]
    until(lambda: all(file._content.closed for file in files))


@pytest.mark.parametrize("name", ['a"; x="', "ä\r\nSet-Cookie: a=b", "../../etc/passwd", "<b>"])
def test_no_name_breaks_out_of_its_header(server, controller, name):
    controller.download = lambda *_: made(name)
    answer = Browser(server).get("/download/csv")
    assert answer.headers["set-cookie"] is None
    told = answer.headers["content-disposition"].removeprefix("attachment; filename*=UTF-8''")
    assert not set(told) & set('"/\\;<> \r\n')


@pytest.mark.parametrize(
    "point", ["-1", "1.0", "x", "%D9%A3", "9" * 10, "9" * 6000, "1e3", "../1", "1/2", ""]
)
def test_points_are_numbers(server, controller, point):
    controller.download = lambda *_: pytest.fail("it was asked for")
    assert Browser(server).get(f"/download/model/{point}").status in (404, 400)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (SessionError("there is no point 9; the points are 0 to 2"), 404, "the points are 0 to 2"),
        (CancelledError(), 503, "is ending"),
        (RuntimeError("cannot schedule new futures after shutdown"), 503, "is ending"),
    ],
)
def test_downloads_that_cannot_be(server, controller, error, status, says):
    def download(*_):
        raise error

    controller.download = download
    answer = Browser(server).get("/download/model/9")
    assert answer.status == status
    assert says in answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_files_of_a_real_navigation(serve):
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    navigator.start()
    controller = Controller(navigator, "three bowls")
    try:
        browser = Browser(serve(controller))
        model = browser.get("/download/model/0")
        assert load(model.body)["x"].tolist() == navigator.here.parameters.tolist()
        assert "three-bowls-point-0.safetensors" in model.headers["content-disposition"]
        assert browser.get("/download/card/0").text == navigator.session.card(0)
        assert browser.get("/download/json").text == navigator.session.as_json()
        assert browser.get("/download/csv").text.startswith("id,")
        assert browser.get("/download/model/9").status == 404
    finally:
        controller.close()
    assert browser.get("/download/model/0").status == 503
