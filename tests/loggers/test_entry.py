"""What is logged of a point is what the point and its step say."""

from __future__ import annotations

import pytest
from tests.loggers.walks import ODD, walk

import paretonav as pn
from paretonav.loggers.entry import Entry, Key
from paretonav.loggers.logger import Logger


class Kept(Logger):
    def __init__(self, *kinds: str) -> None:
        super().__init__(kinds)  # type: ignore[arg-type]
        self.entries: list[Entry] = []

    def log(self, entry: Entry) -> None:
        self.entries.append(entry)


def test_numbers_words_card_and_pictures_are_those_of_the_step() -> None:
    logger = Kept("front", "steps", "parallel")
    nav, told = walk(logger)
    start, first, second, rejected = logger.entries
    assert [entry.status for entry in logger.entries] == ["start", "accepted", "accepted", "rejected"]
    assert [entry.point for entry in logger.entries] == [0, 1, 2, 2]
    for entry, news in zip((first, second), told[1:], strict=False):
        step, point = news.step, news.point
        assert step is not None
        for kind, values in (
            ("validation loss", point.validation),
            ("train loss", point.losses),
            ("metric", point.metrics),
            ("predicted validation change", step.predicted.validation),
            ("achieved validation change", step.achieved.validation),
            ("achieved metric change", step.achieved.metrics),
        ):
            assert values
            for name, value in values.items():
                assert entry.numbers[Key(kind, name)] == value
            for name, error in values.standard_errors.items():
                assert entry.numbers[Key(f"{kind} s.e.", name)] == error
        assert entry.numbers[Key("cost", "seconds")] == step.cost.seconds
        assert entry.numbers[Key("cost", "epochs")] == news.epochs
        assert entry.numbers[Key("step", "from point")] == point.parent
        assert entry.words == step.explain()
        assert entry.card == nav.session.card(point.id) or entry is first  # which was written of two points
        assert set(entry.pictures) == {"front", "steps", "parallel"}
    assert Key("metric", ODD) in start.numbers
    assert set(start.pictures) == {"front", "parallel"}, "no step leads to the first point"
    assert start.card.startswith("# Model card: point 0")
    assert (rejected.numbers, rejected.card, rejected.pictures) == ({}, "", {})
    assert rejected.words == told[3].step.explain()  # type: ignore[union-attr]


def test_a_front_has_weights_and_what_is_no_number_is_left_out() -> None:
    logger = Kept()
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=2), callbacks=[logger])
    nav.start()
    (entry,) = logger.entries
    assert entry.numbers[Key("weight", "f1")] == nav.here.weights["f1"]
    assert entry.pictures == {}
    assert Key("cost", "epochs") not in entry.numbers


def test_kinds_of_charts_are_known() -> None:
    for kinds in (("fronts",), "front"):
        with pytest.raises(pn.NavigationError, match="is not possible; give a list of 'front', 'trajectory'"):
            Logger.__init__(Kept(), kinds)  # type: ignore[arg-type]
