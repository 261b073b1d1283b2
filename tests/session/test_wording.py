"""Names, numbers and preferences as a person reads them."""

import pytest

import paretonav as pn
from paretonav.session.wording import describe, listed, number, origin, printable


@pytest.mark.parametrize(
    ("preference", "words"),
    [
        (pn.Improve({"a": 1}), "improve a by 5%"),
        (pn.Improve({"a": 2, "b": 2, "c": 0}, hold=["d"]), "improve a and b by 5%, holding d"),
        (pn.Improve({"a": 0.7, "b": 0.3}, hold=["c", "d"]), "improve a 0.7, b 0.3 by 5%, holding c and d"),
        (pn.Direction({"a": -1, "b": 0.5, "c": 0}), "direction a -1, b +0.5 by 5%, holding c"),
        (pn.Improve({"a": 1}, hold=["b"], on="train"), "improve a by 5%, holding b on training data"),
        (pn.Direction({"a": -1}, on="train"), "direction a -1 by 5% on training data"),
        (pn.Classify(["a"], on="train"), "improve a by 5% on training data"),
        (pn.Improve({"a": 1}, on="validation"), "improve a by 5%"),
    ],
)
def test_preferences_in_words(preference, words):
    assert describe(preference, 0.05) == words


def test_a_preference_of_ones_own_has_its_own_words():
    quick = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    quick.start()

    class Mine:
        def wish(self, at):
            return pn.Improve({"f1": 1}).wish(at)

        def __repr__(self):
            return "Mine"

    quick.step(Mine(), 0.02)
    assert origin(quick.here) == "from point 0: Mine by 2%"


def test_words():
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([]) == ""
    assert printable("a\x1bb\n") == r"a\x1bb\n"
    assert [number(x) for x in (1.0, 0.1 + 0.2)] == ["1", "0.30000000000000004"]
    assert number(2.0, "+") == "+2"
