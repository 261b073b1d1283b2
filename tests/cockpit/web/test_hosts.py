"""Which names and origins are a server's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretonav.cockpit.web import AddressError
from paretonav.cockpit.web.hosts import Hosts

LOCAL = Hosts("127.0.0.1", 8000)
EVERYWHERE = Hosts("0.0.0.0", 8000)


@pytest.mark.parametrize(
    "host", ["localhost:8000", "LocalHost:8000", "127.0.0.1:8000", "[::1]:8000", "[0:0::1]:8000"]
)
def test_the_machine_itself(host):
    assert LOCAL.is_own(host)
    assert LOCAL.is_own_origin(f"http://{host}", host)


FOREIGN = [
    None,
    "",
    "localhost",  # another port
    "localhost:8001",
    "127.0.0.1",
    "evil.example:8000",
    "localhost.evil.example:8000",
    "evil.example#localhost:8000",
    "localhost:8000@evil.example",
    "evil.example/localhost:8000",
    "localhost:8000, evil.example",
    "127.0.0.2:8000",
    "192.168.1.5:8000",
    "[::1:8000",
    "[zz]:8000",
    "localhost:8000\n",
    "localhost:٨٠٠٠",
    "localhost:-8000",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_what_is_not_the_machine_itself(host):
    assert not LOCAL.is_own(host)


@given(st.text())
def test_any_text_is_looked_at_without_an_error(text):
    assert isinstance(LOCAL.is_own(text), bool)
    assert not LOCAL.is_own_origin(text, "localhost:8000")


def test_on_every_network_numeric_addresses_cannot_have_been_rebound():
    assert EVERYWHERE.is_own("192.168.1.5:8000")
    assert EVERYWHERE.is_own("[fe80::1]:8000")
    assert not EVERYWHERE.is_own("192.168.1.5:8001")
    assert not EVERYWHERE.is_own("evil.example:8000")


def test_usual_ports_go_unsaid():
    assert Hosts("127.0.0.1", 80).is_own("localhost")
    assert Hosts("127.0.0.1", 80).is_own_origin("http://localhost", "localhost:80")


def test_names_that_were_given():
    hosts = Hosts("127.0.0.1", 8000, ["Cockpit.example", "other.example:9000", "safe.example:443"])
    for host in ("cockpit.example", "cockpit.example:8000", "other.example:9000", "safe.example"):
        assert hosts.is_own(host)
    for host in ("cockpit.example:9000", "other.example", "other.example:8000", "evil.example"):
        assert not hosts.is_own(host)
    # A proxy may pass its own name on, or that of the server behind it.
    assert hosts.is_own_origin("https://safe.example", "127.0.0.1:8000")
    assert hosts.is_own_origin("https://safe.example", "safe.example")
    assert not hosts.is_own_origin("https://evil.example", "safe.example")


@pytest.mark.parametrize("name", ["http://cockpit.example", "a/b", "a b", "", "*"])
def test_what_is_no_name(name):
    with pytest.raises(AddressError, match="write it as NAME"):
        Hosts("127.0.0.1", 8000, [name])


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "http://",
        "http://localhost:8001",
        "https://localhost:8000.evil.example",
        "file://",
        "ftp://localhost:8000",
    ],
)
def test_origins_that_are_not_the_page(origin):
    assert not LOCAL.is_own_origin(origin, "localhost:8000")


def test_another_name_of_the_same_machine_is_another_origin():
    # Somebody else may listen on the same port of ::1, which "localhost" may mean.
    assert not LOCAL.is_own_origin("http://localhost:8000", "127.0.0.1:8000")
