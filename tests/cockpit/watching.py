"""A view without a screen, which keeps what a controller publishes and waits for it, and a problem to be watched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

import paretonav as pn
from paretonav.cockpit.controller import Controller

PATIENCE = 60.0


class Watcher:
    """Everything that was published since it looked first."""

    def __init__(self, controller: Controller, by: str = "me") -> None:
        self.controller, self.by = controller, by
        self.seen: list[tuple[str, Any]] = []
        self._seq = 0
        self._news = threading.Condition()
        controller.subscribe(self._hear)

    def _hear(self, trait: str, value: object, by: str | None) -> None:
        with self._news:
            self.seen.append((trait, value))
            self._news.notify_all()

    def wait(self, found: Callable[[str, Any], bool], since: int = 0) -> Any:
        """The first value that was looked for."""
        with self._news:
            at = since

            def there() -> bool:
                nonlocal at
                while at < len(self.seen):
                    if found(*self.seen[at]):
                        return True
                    at += 1
                return False

            assert self._news.wait_for(there, PATIENCE), [trait for trait, _ in self.seen[-20:]]
            return self.seen[at][1]

    def jobs(self) -> list[Any]:
        return [value for trait, value in self.seen if trait == "job"]

    def ask(self, cmd: str, **more: object) -> int:
        """Send a request without waiting; its number."""
        self._seq += 1
        self.controller.request({"by": self.by, "seq": self._seq, "cmd": cmd, **more})
        return self._seq

    def do(self, cmd: str, **more: object) -> Any:
        """Send a request and wait for how it ends."""
        if "expected_current" not in more:
            state: Any = self.controller.values()["state"]
            more["expected_current"] = state["current"]
        seq = self.ask(cmd, **more)
        return self.wait(
            lambda trait, value: trait == "job" and value["seq"] == seq and value["status"] != "running"
        )

    def answer(self, cmd: str, **more: object) -> Any:
        """Send a request and wait for its answer."""
        seq = self.ask(cmd, **more)
        return self.wait(lambda trait, value: trait == "answer" and value["seq"] == seq)

    def steer(self, modes: dict[str, object], *, settled: bool = False, point: int | None = None) -> Any:
        """Steer and wait for the first outlook that answers it."""
        self._seq += 1
        seq, since = self._seq, len(self.seen)
        state: Any = self.controller.values()["state"]
        message = {
            "by": self.by,
            "seq": seq,
            "point": state["current"] if point is None else point,
            "modes": modes,
            "active": None,
            "settled": settled,
        }
        self.controller.steer(message)
        return self.wait(lambda trait, value: trait == "outlook" and value["seq"] == seq, since)


def improve(percent: float) -> dict[str, object]:
    return {"mode": "improve", "percent": percent}


class Bowls(pn.FunctionProblem):
    """Bowls in which passes are held until they are released, or fail, once they are told to."""

    def __init__(self, names: Sequence[str] | None = None, n: int = 6) -> None:
        bowls = pn.problems.quadratic(n=n, m=3 if names is None else len(names))
        self.broken = False
        self.error: BaseException = ZeroDivisionError("division by zero in my own loss")
        self._entered, self._open = threading.Event(), threading.Event()
        self._open.set()

        def function(x: torch.Tensor) -> torch.Tensor:
            self._entered.set()
            assert self._open.wait(PATIENCE)
            if self.broken:
                raise self.error
            return bowls.fn(x)

        super().__init__(function, bowls.parameters(), names=names)

    def hold(self) -> None:
        """From now on, no pass ends: whatever needs one is under way for as long as a test likes."""
        self._entered.clear()
        self._open.clear()

    def wait(self) -> None:
        """Wait until something is held."""
        assert self._entered.wait(PATIENCE)

    def release(self) -> None:
        self._open.set()
