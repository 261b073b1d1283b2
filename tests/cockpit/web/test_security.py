"""Nobody gets in who should not: each way is tried on a real server."""

from __future__ import annotations

import re
import socket

import pytest
from tests.cockpit.web.asking import Browser, hear
from websockets.exceptions import InvalidStatus

from paretonav.cockpit.web import AddressError, Server

PATHS = [
    "/",
    "/cockpit.js",
    "/cockpit.css",
    "/host.js",
    "/host.css",
    "/download/csv",
    "/download/model/0",
    "/nothing",
]


def test_the_token_is_exchanged_for_a_cookie(server):
    browser = Browser(server, let_in=False)
    answer = browser.open(server.url)
    token = server.url.partition("?token=")[2]
    assert (answer.status, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"]
    assert re.search("httponly", cookie, re.I)
    assert re.search("samesite=strict", cookie, re.I)
    assert not re.search("secure", cookie, re.I)
    assert token not in cookie
    assert browser.get("/").status == 200
    assert token not in browser.get("/").text


def test_behind_encryption_the_cookie_is_for_encryption_only(server):
    browser = Browser(server)
    answer = browser.get(f"/{server._access.entry}", X_Forwarded_Proto="https")
    assert re.search("; secure", answer.headers["set-cookie"], re.I)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_without_the_cookie(server, path):
    token = server.url.partition("?token=")[2]
    stranger = Browser(server, let_in=False)
    for cookie in (None, "paretonav=1", f"paretonav-{server.port}={token}", f"paretonav-{server.port}="):
        answer = stranger.get(path, Cookie=cookie)
        assert answer.status == 403
        assert "was printed" in answer.text
        assert answer.headers["set-cookie"] is None
        assert token not in answer.text


@pytest.mark.parametrize(
    "query", ["token=wrong-token", "token=", "token", "token=%ff%fe", "a=1&" * 20, "token[]=1", "%"]
)
def test_no_token_that_is_none(server, query):
    assert Browser(server, let_in=False).get(f"/?{query}").status == 403


def test_the_token_opens_the_page_only(server):
    query = server.url.partition("?")[2]
    assert Browser(server, let_in=False).get(f"/cockpit.js?{query}").status == 403


def test_the_address_for_the_browser_is_good_once(server):
    once = server.url_once()
    assert once != server.url
    assert Browser(server, let_in=False).open(once).status == 303
    assert Browser(server, let_in=False).open(once).status == 403


def test_no_other_host(server):
    browser = Browser(server)
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1:1", "localhost", None):
        for path in PATHS:
            assert browser.get(path, Host=host).status in (400, 403)
    assert browser.get("/", Host=f"localhost:{server.port}").status == 200


def test_two_hosts_are_none(server):
    browser = Browser(server)
    own = f"127.0.0.1:{server.port}"
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(
            f"GET / HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\nCookie: {browser.cookie}\r\n\r\n".encode()
        )
        assert wire.recv(100).split()[1] in (b"400", b"403")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "PROPFIND"])
def test_only_get(server, method):
    answer = Browser(server).get("/", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/download/csv", "/cockpit.js", "/"])
def test_no_other_site_asks(server, path):
    browser = Browser(server)
    for headers in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},  # another port of this machine
        {"Sec_Fetch_Site": "nonsense"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ):
        assert browser.get(path, **headers).status == 403
    own = f"http://127.0.0.1:{server.port}"
    assert browser.get("/cockpit.js", Sec_Fetch_Site="same-origin", Origin=own).status == 200
    assert browser.get("/", Sec_Fetch_Site="none").status == 200


def test_a_link_elsewhere_leads_to_the_page_but_to_no_download(server):
    browser = Browser(server)
    clicked = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert browser.get("/", **clicked).status == 200
    assert browser.get("/download/csv", **clicked).status == 403


def refused(browser, **options):
    with pytest.raises(InvalidStatus) as caught, browser.channel(**options):
        pass
    return caught.value.response.status_code


def test_the_channel_is_for_its_own_page(server, controller):
    browser = Browser(server)
    with browser.channel() as channel:
        assert "state" in hear(channel)
    port = server.port
    for origin in (
        None,
        "null",
        "http://evil.example",
        f"http://evil.example:{port}",
        f"http://localhost:{port}",
    ):
        assert refused(browser, origin=origin) == 403
    with socket.create_connection(("127.0.0.1", port)) as wire:
        assert (
            refused(browser, host=f"evil.example:{port}", origin=f"http://evil.example:{port}", sock=wire)
            == 403
        )
    assert refused(Browser(server, let_in=False)) == 403
    assert controller.heard == []


def test_headers_of_every_answer(server):
    browser = Browser(server)
    for answer in (
        browser.get("/"),
        browser.get("/cockpit.js"),
        browser.get("/nothing"),
        browser.get("/", Cookie=None),
    ):
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] is None
        assert answer.headers["server"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/host.js/../page.html",
        "/download/model/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/app.py",
        "/page.html",
    ],
)
def test_no_path_is_a_path_of_files(server, path):
    answer = Browser(server).get(path)
    assert answer.status == 404
    assert "root:" not in answer.text


def test_others_need_a_token(controller):
    with pytest.raises(AddressError, match="has to be a token"):
        Server(controller, host="0.0.0.0", token="").start()


def test_on_every_network_there_is_a_token(controller, serve):
    server = serve(controller, host="0.0.0.0")
    assert not server.is_local
    assert "?token=" in server.url
    assert Browser(server).get("/").status == 200
    assert Browser(server, let_in=False).get("/").status == 403


def test_without_a_token_by_wish(controller, serve):
    server = serve(controller, token="")
    assert "token" not in server.url
    assert "token" not in server.url_once()
    stranger = Browser(server, let_in=False)
    assert stranger.get("/").status == 200
    assert stranger.get("/", Host="evil.example").status == 403
    assert refused(stranger, origin="http://evil.example") == 403


def test_under_another_name(controller, serve):
    server = serve(controller, allow_hosts=["cockpit.example"])
    assert Browser(server).get("/", Host="cockpit.example").status == 200
