import pytest

from paretonav.text import in_quotes, printable, seconds, shortened


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (3725, "62:05 min"),
    ],
)
def test_times_in_words(x: float, text: str) -> None:
    assert seconds(x) == text


def test_what_joins_letters_stays_and_what_moves_a_cursor_does_not() -> None:
    family, persian = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e\u0648"
    assert printable(family) == family
    assert printable(persian) == persian
    assert printable("a\u200db\u202ec\x1b[2J\n") == r"a\u200db\u202ec\x1b[2J\n"


def test_a_name_in_quotes_is_as_it_is_read() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467 loss"
    assert in_quotes(family) == f"'{family}'"
    assert in_quotes("it's") == repr("it's")
    assert in_quotes("a\x1b[2J") == r"'a\x1b[2J'"
    assert in_quotes(1) == "1"


def test_what_is_shortened_says_so_and_ends_with_a_letter() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert shortened("left digit", 10) == "left digit"
    assert shortened("left digits", 10) == "left digi\u2026"
    assert shortened(family, 3) == "\U0001f468\u2026"
    assert shortened("left digit", 6) == "left\u2026"


def test_nothing_is_printable() -> None:
    assert printable("") == ""
