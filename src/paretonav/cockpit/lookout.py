"""Answers a view while somebody drags a slider: what the wish would come to, and how far one could go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from paretonav.cockpit.messages import Mode, Steer
from paretonav.cockpit.outlook import LATER, Json, Reaches, outlook, reaches_of
from paretonav.cockpit.plain import in_order
from paretonav.cockpit.traits import Traits
from paretonav.cockpit.wishes import preference_of
from paretonav.errors import ParetonavError
from paretonav.navigation import Navigator
from paretonav.steering.planning.reaches import Reach


class Lookout:
    """Answers steers, the messages that say what a view's sliders are set to.

    Only the latest one is answered. Dragging sends many, and those that are overtaken before their turn are skipped.
    Once the sliders rest, a trial follows: the linearised model is measured on the data.

    Args:
        navigator: gives previews and, in the model's thread, trials.
        traits: where answers are published.
        at_desk: runs a function in the thread that answers steers.
        at_model: runs a function in the thread that owns the model.
    """

    def __init__(
        self,
        navigator: Navigator,
        traits: Traits,
        at_desk: Callable[..., object],
        at_model: Callable[..., object],
    ) -> None:
        self._navigator, self._traits = navigator, traits
        self._at_desk, self._at_model = at_desk, at_model
        self._steer = Steer()
        self._due = False
        self._reaches: Reaches = {}
        self._alone: tuple[int | None, dict[int, Reach]] = None, {}
        self._reaches_for: object = None
        self._cancel_trial = threading.Event()

    def steer(self, steer: Steer) -> None:
        """Have this steer answered soon, instead of any before it; a trial for one before is cancelled."""
        with self._traits.turn:
            self._cancel_trial.set()
            self._steer = steer
            self._look_soon()

    def arrive(self, point: int) -> None:
        """Have the latest steer answered anew, at another point.

        To be called in the same ``turn`` in which the new point is published, so that it comes before any steer that a
        view sends from there.
        """
        with self._traits.turn:
            self._cancel_trial.set()
            self._steer = replace(self._steer, point=point, settled=False)
            self._traits.publish("trial", None)
            self._look_soon()

    def stop_trial(self) -> None:
        """Cancel a trial: the model is needed for something else."""
        self._cancel_trial.set()

    def look(self) -> None:
        """Answer the latest steer.

        How far each slider could go takes longest to find. As long as only amounts change, the ends that were found
        last are close, and are sent at once; the new ones follow. Where a bound has moved, or the wish is not possible,
        the old ends may be wrong altogether, so only the new ones are sent.
        """
        with self._traits.turn:
            self._due = False
            steer = self._steer
        here = self._navigator.here
        if steer.point != here.id:
            return
        bounds = tuple(mode.number for mode in steer.modes.values() if mode.kind == "limit")
        alike = (here.id, tuple(steer.kinds.items()), bounds)
        if self._reaches_for == alike:
            told = self._told(steer)
            if not told["problem"]:
                self._traits.publish("outlook", told)
                if self._overtaken(steer):
                    return
        self._reaches, self._reaches_for = reaches_of(here.front, steer.modes), alike
        self._traits.publish("outlook", self._told(steer))
        with self._traits.turn:
            if steer.settled and not self._overtaken(steer):
                self._cancel_trial = cancel = threading.Event()
                self._at_model(self._measure, steer, cancel)
        self._look_around(steer)

    def _told(self, steer: Steer) -> Json:
        point, alone = self._alone
        known = alone if point == steer.point and len(alone) == len(self._sensible()) else None
        return outlook(self._navigator, steer, self._reaches, known)

    def _sensible(self) -> list[int]:
        """The quantities of which it is known which way is better."""
        return [i for i, side in enumerate(self._navigator.here.front.orientation) if side]

    def _look_around(self, steer: Steer) -> None:
        """Find how far each quantity could go by itself, once at each point, as long as nothing else is wanted.

        One at a time, so that nobody at the desk waits for all of them.
        """
        here = self._navigator.here
        if steer.point != here.id or self._overtaken(steer):
            return
        if self._alone[0] != here.id:
            self._alone = here.id, {}
        alone = self._alone[1]
        missing = [i for i in self._sensible() if i not in alone]
        if not missing:
            return
        name = here.front.steerable[missing[0]]
        found = reaches_of(here.front, {name: Mode("improve")})
        alone[missing[0]] = found.get(missing[0], Reach(0.0, ""))
        if len(missing) > 1:
            self._at_desk(self._look_around, steer)
        elif not self._overtaken(steer):
            self._traits.publish("outlook", self._told(steer))

    def _measure(self, steer: Steer, cancel: threading.Event) -> None:
        """Measure what the linearised model comes to, and publish that if nothing else is wanted by then."""
        here = self._navigator.here
        wanted = preference_of(steer.modes, here.front)
        if wanted is None or steer.point != here.id or cancel.is_set():
            return
        seconds = [0.0]
        try:
            found = self._navigator.trial(
                *wanted, on_event=lambda event: seconds.append(event.seconds), cancel=cancel
            )
        except ParetonavError:  # it was cancelled, or the outlook has already said what is wrong
            return
        finally:
            self._look_again()
        shown, names = found.changes.shown, here.front.steerable
        told: Json = {
            "by": steer.by,
            "seq": steer.seq,
            "point": here.id,
            "modes": {name: mode.told() for name, mode in steer.modes.items()},
            "shown": in_order(names, shown),
            "errors": in_order(names, shown.standard_errors) if shown.standard_errors else None,
            "seconds": seconds[-1],
        }
        with self._traits.turn:
            if not cancel.is_set():
                self._traits.publish("trial", told)

    def _look_again(self) -> None:
        """Answer the latest steer again if it was told to wait for the end of a trial."""
        with self._traits.turn:
            told = self._traits.values()["outlook"]
            if isinstance(told, dict) and told["problem"] == LATER:
                self._look_soon()

    def _look_soon(self) -> None:
        if not self._due:
            self._due = True
            self._at_desk(self.look)

    def _overtaken(self, steer: Steer) -> bool:
        with self._traits.turn:
            return self._due or self._steer is not steer
