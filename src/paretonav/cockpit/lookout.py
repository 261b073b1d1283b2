"""Answers what views want while somebody drags: what it would come to, and how far it could go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from paretonav.cockpit.messages import Steer
from paretonav.cockpit.outlook import LATER, Json, Reaches, outlook, reaches_of
from paretonav.cockpit.plain import in_order
from paretonav.cockpit.traits import Traits
from paretonav.cockpit.wishes import preference_of
from paretonav.errors import ParetonavError
from paretonav.navigation import Navigator


class Lookout:
    """Answers the latest steer; those that were overtaken before their turn are never looked at.

    Args:
        navigator: asked for previews, and in the model's thread for trials.
        traits: where answers are published.
        at_desk: runs work in the thread that answers.
        at_model: runs work in the thread that has the model.
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
        self._reaches_for: object = None
        self._cancel_trial = threading.Event()

    def steer(self, steer: Steer) -> None:
        """Have a steer answered soon."""
        with self._traits.turn:
            self._cancel_trial.set()
            self._steer = steer
            self._look_soon()

    def arrive(self, point: int) -> None:
        """Have what is wanted answered anew, at another point.

        To be called in the turn in which views hear of the point: what one of them wants there comes afterwards.
        """
        with self._traits.turn:
            self._cancel_trial.set()
            self._steer = replace(self._steer, point=point, settled=False)
            self._traits.publish("trial", None)
            self._look_soon()

    def stop_trial(self) -> None:
        """The model is needed for something else."""
        self._cancel_trial.set()

    def look(self) -> None:
        """Answer the latest steer; as long as only amounts change, first with the ends known and then with new ones.

        A bound that moves, or a wish that is not possible, is answered with new ends only: those that are known may
        be of what could be kept.
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
            told = outlook(self._navigator, steer, self._reaches)
            if not told["problem"]:
                self._traits.publish("outlook", told)
                if self._overtaken(steer):
                    return
        self._reaches, self._reaches_for = reaches_of(here.front, steer.modes), alike
        self._traits.publish("outlook", outlook(self._navigator, steer, self._reaches))
        with self._traits.turn:
            if steer.settled and not self._overtaken(steer):
                self._cancel_trial = cancel = threading.Event()
                self._at_model(self._measure, steer, cancel)

    def _measure(self, steer: Steer, cancel: threading.Event) -> None:
        """Publish what the linearised model does, if that is still wanted."""
        here = self._navigator.here
        wanted = preference_of(steer.modes, here.front)
        if wanted is None or steer.point != here.id or cancel.is_set():
            return
        seconds = [0.0]
        try:
            found = self._navigator.trial(
                *wanted, on_event=lambda event: seconds.append(event.seconds), cancel=cancel
            )
        except ParetonavError:  # cancelled, or the outlook has said what is the matter
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
        """Answer what had to wait for the end of a trial."""
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
