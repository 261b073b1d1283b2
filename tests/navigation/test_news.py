"""Callbacks are told what a start and every step has come to; one that fails takes nothing back."""

from __future__ import annotations

import logging
import threading

import pytest
from tests.misled import Misled
from tests.two_regressions import two_regressions

import paretonav as pn
from paretonav import News
from paretonav.steering.reporting.estimate import epochs

WISH = pn.Improve({"f1": 1.0})


def on_a_function(*callbacks: object) -> pn.Navigator:
    return pn.Navigator(pn.problems.quadratic(n=6, m=2), callbacks=callbacks)  # type: ignore[arg-type]


def test_a_start_and_each_step_are_told_once_they_are_kept() -> None:
    told: list[News] = []

    def look(news: News) -> None:
        assert nav.here is news.point
        assert len(nav.session) == len({news.point.id for news in (*told, news)})
        told.append(news)

    nav = on_a_function(look)
    start = nav.start()
    steps = [nav.step(WISH, 0.05), nav.step(nav.preview(WISH, 0.02))]
    assert [news.point for news in told] == [start, *(step.point for step in steps)]
    assert [news.step for news in told] == [None, *steps]
    assert [news.cost for news in told] == [start.cost, *(step.cost for step in steps)]
    assert all(news.session is nav.session and news.epochs is None for news in told)


def test_a_rejected_step_is_told_with_the_point_where_it_was() -> None:
    told: list[News] = []
    nav = pn.Navigator(two_regressions((1.0, 1.0)), predictor=Misled(), callbacks=[told.append])
    start = nav.start()
    step = nav.step(pn.Improve({"first": 1.0}), 0.01)
    assert step.status is pn.StepStatus.REJECTED
    assert [news.step for news in told] == [None, step]
    assert [news.point for news in told] == [start, start]
    assert told[1].cost is step.cost
    assert told[1].epochs == pytest.approx(epochs(step.cost, nav.problem, start.trust.geometry))


def test_what_was_cancelled_is_no_news() -> None:
    told: list[News] = []
    nav = on_a_function(told.append)
    nav.start()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(pn.Cancelled):
        nav.step(WISH, 0.05, cancel=cancel)
    assert len(told) == 1


def test_the_steps_of_a_cover_are_told_one_by_one() -> None:
    told: list[News] = []
    nav = on_a_function(told.append)
    nav.start()
    cover = nav.cover(4)
    steps = [news.step for news in told if news.step is not None]
    assert len(steps) == cover.steps
    assert {step.point.id for step in steps} >= set(cover.points) - {0}


def test_one_that_fails_takes_no_step_back_and_keeps_no_other_from_being_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[News] = []

    def broken(_: News) -> None:
        raise OSError("no route to the server")

    nav = on_a_function(broken, told.append)
    with caplog.at_level(logging.WARNING, "paretonav"):
        nav.start()
        step = nav.step(WISH, 0.05)
    assert nav.here is step.point
    assert [news.point.id for news in told] == [0, 1]
    assert [record.getMessage() for record in caplog.records] == [
        f"the callback broken failed at point {i}, which stays as it is: OSError: no route to the server"
        for i in (0, 1)
    ]
    assert all(record.exc_info for record in caplog.records)


def test_ctrl_c_in_one_comes_out_and_the_step_stays() -> None:
    def interrupted(news: News) -> None:
        if news.step is not None:
            raise KeyboardInterrupt

    nav = on_a_function(interrupted)
    nav.start()
    with pytest.raises(KeyboardInterrupt):
        nav.step(WISH, 0.05)
    assert nav.here.id == 1
    assert nav.undo().id == 0


def test_it_may_go_on_from_what_it_is_told() -> None:
    """As somebody does who wants five steps of a kind."""
    seen: list[float] = []

    def on(news: News) -> None:
        seen.append(nav.preview(WISH, 0.01).predicted.shown["f1"])
        if news.point.id < 3:
            nav.step(WISH, 0.01)

    nav = on_a_function(on)
    nav.start()
    assert nav.here.id == 3
    assert len(seen) == 4


def test_it_is_told_in_the_thread_that_computes() -> None:
    threads: list[int] = []
    nav = on_a_function(lambda _: threads.append(threading.get_ident()))
    worker = threading.Thread(target=nav.start)
    worker.start()
    worker.join()
    assert threads == [worker.ident]


def test_what_is_no_list_of_functions_is_refused() -> None:
    with pytest.raises(pn.NavigationError, match=r"given as a list: callbacks=\[callback\]"):
        pn.Navigator(pn.problems.quadratic(n=6, m=2), callbacks=print)  # type: ignore[arg-type]
    with pytest.raises(pn.NavigationError, match=r"callbacks=\['runs'\]; a callback is a function"):
        on_a_function("runs")
