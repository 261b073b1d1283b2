import pytest

from paretonav.text import seconds


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
