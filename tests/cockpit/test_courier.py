"""Everything arrives that somebody needs, in order, in the right thread, and nobody waits for it."""

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretonav.cockpit.courier import Courier

pytestmark = pytest.mark.usefixtures("no_loop")


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def running(job: int, fraction: float) -> dict[str, Any]:
    return {"id": job, "status": "running", "fraction": fraction}


def test_delivery_is_on_the_loop_with_the_variables_of_who_follows() -> None:
    variable = contextvars.ContextVar("variable", default="")
    seen = []

    async def main() -> None:
        courier = Courier(lambda *what: seen.append((*what, threading.get_ident(), variable.get())))
        variable.set("this cell")
        courier.follow()
        variable.set("the next")
        in_thread(lambda: courier.put("state", 1))
        assert not seen
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen == [("state", 1, threading.get_ident(), "this cell")]


def test_a_loop_that_has_ended_is_left_for_the_one_before() -> None:
    seen: list[object] = []

    async def main() -> None:
        courier = Courier(lambda _, value: seen.append((value, threading.get_ident())))
        courier.follow()

        async def short() -> None:
            courier.follow()
            courier.put("answer", 1)  # is never delivered there: this loop ends first
            asyncio.get_running_loop().stop()

        def subshell() -> None:
            loop = asyncio.new_event_loop()
            task = loop.create_task(short())
            loop.run_forever()
            assert task.done()
            loop.close()

        in_thread(subshell)
        seen.clear()
        courier.put("answer", 2)
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen[-1] == (2, threading.get_ident())


def test_without_a_loop_the_publishing_thread_delivers() -> None:
    seen: list[object] = []
    courier = Courier(lambda *what: seen.append(what))
    courier.follow()
    in_thread(lambda: courier.put("state", 1))
    assert seen == [("state", 1)]
    courier.close()
    courier.put("state", 2)
    assert len(seen) == 1


def test_during_a_turn_everything_waits_but_nobody_does() -> None:
    seen: list[object] = []
    courier = Courier(lambda *what: seen.append(what))
    with courier.turn():
        in_thread(lambda: courier.put("state", 1))
        courier.put("points", 2)  # in the same thread, too
        assert not seen
    assert seen == [("state", 1), ("points", 2)]


def test_obsolete_values_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen: list[Any] = []
    courier = Courier(lambda *what: seen.append(what))
    with courier.turn():
        for trait, value in (
            ("state", 1),
            ("answer", 2),
            ("job", running(1, 0.1)),
            ("state", 3),
            ("answer", 4),
            ("job", {"id": 2, "status": "refused"}),
            ("job", running(1, 0.2)),
            ("job", {"id": 1, "status": "done"}),
            ("job", {"id": 3, "status": "refused"}),
        ):
            now[0] += 1
            courier.put(trait, value)
    assert seen == [
        ("answer", 2),
        ("state", 3),
        ("answer", 4),
        ("job", {"id": 2, "status": "refused"}),
        ("job", {"id": 1, "status": "done"}),
        ("job", {"id": 3, "status": "refused"}),
    ]


def test_progress_comes_twenty_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen: list[Any] = []
    courier = Courier(lambda _, value: seen.append(value))
    for _ in range(1000):
        now[0] += 0.001
        courier.put("job", running(1, 0.5))
    assert 19 <= len(seen) <= 21
    courier.put("job", running(2, 0))  # another job
    courier.put("job", {"id": 2, "status": "done"})
    assert [job["id"] for job in seen[-2:]] == [2, 2]


def test_a_failing_front_end_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def deliver(_: str, value: object) -> None:
        if value == 1:
            raise OSError("gone")
        seen.append(value)

    seen: list[object] = []
    courier = Courier(deliver)
    with caplog.at_level(logging.CRITICAL, "paretonav.cockpit.courier"):
        courier.put("state", 1)
    courier.put("state", 2)
    assert seen == [2]


@given(
    st.lists(st.lists(st.sampled_from(["state", "points", "answer"]), max_size=20), min_size=1, max_size=4)
)
def test_from_many_threads_every_answer_and_every_latest_value_arrive(plans: list[list[str]]) -> None:
    seen: list[tuple[str, Any]] = []
    busy = threading.Lock()

    def deliver(trait: str, value: object) -> None:
        assert busy.acquire(blocking=False)  # never twice at a time
        seen.append((trait, value))
        busy.release()

    courier = Courier(deliver)

    def publish(who: int) -> None:
        for n, trait in enumerate(plans[who]):
            courier.put(trait, (who, n))

    threads = [threading.Thread(target=publish, args=(who,)) for who in range(len(plans))]
    for thread in threads:
        thread.start()
    with courier.turn():
        pass
    for thread in threads:
        thread.join()
    answers = {value for trait, value in seen if trait == "answer"}
    assert answers == {
        (who, n) for who, plan in enumerate(plans) for n, t in enumerate(plan) if t == "answer"
    }
    for trait in ("state", "points"):
        last = {
            who: max((n for n, t in enumerate(plan) if t == trait), default=None)
            for who, plan in enumerate(plans)
        }
        came = [value for t, value in seen if t == trait]
        assert bool(came) == any(n is not None for n in last.values())
        if came:
            assert last[came[-1][0]] == came[-1][1]
