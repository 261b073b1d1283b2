"""Who has the token, and what it is exchanged for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretonav.cockpit.web import AddressError
from paretonav.cockpit.web.access import Access


def test_a_token_that_is_made_up_is_long_and_new():
    tokens = {Access(None, 8000).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 32


def test_the_cookie_is_not_the_token_but_outlives_the_server_with_it():
    access, again = Access("a long token", 8000), Access("a long token", 8000)
    assert access.secret == again.secret
    assert "token" not in access.secret
    assert access.admits({access.cookie: access.secret})
    assert not access.admits({access.cookie: access.token})
    assert not access.admits({Access("a long token", 8001).cookie: access.secret})
    assert not access.admits({access.cookie: Access("another token", 8000).secret})
    assert not access.admits({})


def test_once_is_once():
    access = Access(None, 8000)
    once = access.once()
    assert once != access.token
    assert access.opens(once)
    assert not access.opens(once)
    assert access.opens(access.token)
    assert access.opens(access.token)


@given(st.text())
def test_what_is_no_token_opens_nothing(text):
    access = Access(None, 8000)
    access.once()
    assert not access.opens(text)
    assert not access.admits({access.cookie: text})
    assert not Access("", 8000).opens(text)


def test_without_a_token_everybody_is_let_in():
    assert Access("", 8000).admits({})


@pytest.mark.parametrize("token", ["1234567", "a\ntoken of two lines"])
def test_tokens_that_are_none(token):
    with pytest.raises(AddressError, match="8 characters or more"):
        Access(token, 8000)
