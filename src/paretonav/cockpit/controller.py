"""The one that has the model: carries out what views ask for, and publishes what there is to see."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch

from paretonav.cockpit.download import Download, download
from paretonav.cockpit.here import not_started, options_of, pace_of, state_of
from paretonav.cockpit.isolated import isolating
from paretonav.cockpit.kept import with_wish, without_wish
from paretonav.cockpit.lookout import Lookout
from paretonav.cockpit.messages import MessageError, Request, Steer, request_of, steer_of
from paretonav.cockpit.plain import in_order, plain
from paretonav.cockpit.points import columns
from paretonav.cockpit.report import comparison
from paretonav.cockpit.saved import page
from paretonav.cockpit.saved_outlooks import saved_outlooks
from paretonav.cockpit.seldom import Seldom
from paretonav.cockpit.traits import Listener, Traits
from paretonav.cockpit.whole import Spreading, gone, way_to
from paretonav.cockpit.wishes import bounds_of, preference_of
from paretonav.cockpit.worker import Worker
from paretonav.errors import Cancelled, NavigationError, ParetonavError
from paretonav.navigation import Navigator
from paretonav.objectives import Event
from paretonav.steering import Option, Step

logger = logging.getLogger(__name__)

_MODEL = ("start", "step", "take", "undo", "go", "cover", "visit")  # commands that change where the model is
_LARGEST_INLINE = 256 * 2**20  # bytes of a model that goes through a message
_IDLE: dict[str, object] = {"id": 0, "what": "", "status": "idle", "by": None, "seq": None, "message": ""}


@dataclass(frozen=True, eq=False)
class _Job:
    """A command that is carried out, or was refused."""

    id: int
    request: Request


class Controller:
    """Steers a navigator for any number of views, of which it knows nothing.

    One thread has the model: what changes the current point, and trials, happen there one after the other. Another
    answers what needs no model, so that somebody can look ahead, note down and compare while a step runs. What there
    is to see is published as *traits*, plain JSON values that are never changed, only replaced:

    - ``state``: the current point; ``points``: all points as columns; ``job``: what runs, or how it ended;
    - ``steer``: what is wanted, as the view has it that said so last; ``outlook``: what that would come to;
      ``trial``: the same measured on the linearised model; ``answer``: the reply to one request;
    - ``kept``: wishes that are kept beside each other; ``spread``: the models that were spread along the front last.

    Args:
        navigator: started or not. Other code may use it, too, while no job runs; ``refresh`` shows what that did.
        title: of the navigation, for people, as long as its session has none.
    """

    TRAITS: ClassVar = ("state", "points", "job", "outlook", "trial", "answer", "steer", "kept", "spread")

    def __init__(self, navigator: Navigator, title: str = "") -> None:
        self.navigator = navigator
        self._title = title
        self._traits = Traits(self.TRAITS, isolating(self._names()))
        self._traits.publish("job", _IDLE)
        self._traits.publish("kept", [])
        self._version = 0
        self._kept: tuple[dict[str, Any], ...] = ()
        self._worker = Worker("paretonav-model", _leave_a_core)
        self._desk = Worker("paretonav-desk")
        self._seldom = Seldom()
        self._jobs = 0
        self._running: _Job | None = None
        self._cancel = threading.Event()
        self._lookout = Lookout(
            navigator, self._traits, partial(self._submit, self._desk), partial(self._submit, self._worker)
        )
        self._options: tuple[Option, ...] = ()
        self._last: Step | None = None
        self._at: int | None = None
        self._after = ""
        self._closed = False
        self.refresh()

    @property
    def title(self) -> str:
        """The session's, or what this was called where that has none."""
        return self.navigator.session.title or self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title

    def values(self) -> dict[str, object]:
        """The present value of each trait."""
        return self._traits.values()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(trait, value, by)`` at every change, from the controller's threads: it must not wait.

        ``by`` is the view that caused the change where it need not be told itself, else None.

        Returns:
            What ends it.
        """
        return self._traits.subscribe(listener)

    def refresh(self) -> None:
        """Publish where the navigator is now, whoever has brought it there, and what is wanted from there."""
        self._submit(self._desk, self._show).result()
        self._submit(self._desk, lambda: None).result()  # behind the outlook

    def steer(self, message: object) -> None:
        """Take what a view wants; it is answered by ``outlook``, and once the hand is off the slider by ``trial``."""
        try:
            steer = steer_of(message, self._names())
        except MessageError as error:
            if self._seldom.may_say("steer"):
                logger.warning("a view said something that makes no sense: %s", error)
            return
        with self._traits.turn:
            if self._closed:
                return
            self._traits.publish("steer", steer.told(), by=steer.by)
            if self.navigator.started:
                self._lookout.steer(steer)

    def request(self, message: object) -> None:
        """Take a command; how it goes is told by ``job``, and what it asked for by ``answer``."""
        try:
            request = request_of(message, self._names())
        except MessageError as error:
            if self._seldom.may_say("request"):
                logger.warning("a view asked for something that makes no sense: %s", error)
            return
        with self._traits.turn:
            if self._closed:
                return
            if request.cmd == "cancel":
                self._cancel.set()
                return
            refusal = self._refusal(request)
            if refusal:
                self._tell(self._job(request), "refused", refusal)
            elif request.cmd in _MODEL:
                job = self._running = self._job(request)
                self._lookout.stop_trial()
                self._cancel = threading.Event()
                self._tell(job, "running", phase="", fraction=0.0, seconds=0.0, left=None, losses=None)
                self._submit(self._worker, self._run, job)
            else:
                self._submit(self._desk, self._attend, request)

    def outlooks(self) -> dict[str, dict[str, object]]:
        """What a saved page knows of other modes, by ``saved_outlooks.key``."""
        return saved_outlooks(self.navigator.here.front)

    def download(self, what: str, point: int | None = None) -> Download:
        """A file to take away: "model", "card", "csv", "json", "page". A model is assembled when no step is under way.

        Raises:
            ParetonavError: there is no such point, or it cannot be made.
        """
        if what != "model":
            return self._file(what, point)
        made = self._worker.submit(self._file, what, point)
        try:
            return made.result()
        except (ParetonavError, CancelledError):
            raise
        except BaseException as error:  # of the user's own model, which may even exit: the server must not
            raise NavigationError(f"the file could not be made: {_in_words(error)}") from error

    def close(self, *, wait: bool = True) -> None:
        """Cancel what runs, and wait for its end. The navigator is as it was; its session stays open.

        Args:
            wait: False leaves a thread in the batch that it is in, which nothing can interrupt; it goes no further.
        """
        with self._traits.turn:
            self._closed = True
            self._cancel.set()
            self._lookout.stop_trial()
        for worker in (self._worker, self._desk):
            worker.end(wait=wait)

    # In the thread of the model.

    def _run(self, job: _Job) -> None:
        """Carry out a command that changes where the model is."""
        status, message = "done", ""
        try:
            self._carry_out(job)
        except Cancelled as error:
            status, message = "cancelled", str(error)
        except ParetonavError as error:
            status, message = "failed", str(error)
        except BaseException as error:
            # Of the user's own code: the model, a loss, the data; it may even exit.
            logger.exception("%s failed", job.request.cmd)
            status, message = "failed", _in_words(error)
        self._submit(self._desk, self._show).result()
        # Not behind the outlook from there: a point that is shown as the present one can be left at once.
        with self._traits.turn:
            self._running = None
            self._tell(job, status, message)

    def _carry_out(self, job: _Job) -> None:
        navigator, request, cancel = self.navigator, job.request, self._cancel

        def tell(event: Event) -> None:
            self._tell(
                job,
                "running",
                phase=event.phase,
                fraction=plain(event.fraction),
                seconds=plain(event.seconds),
                left=plain(event.seconds_left),
                losses=None
                if event.losses is None
                else dict(zip(event.losses, in_order(list(event.losses), event.losses), strict=True)),
            )

        match request.cmd:
            case "start":
                navigator.start(on_event=tell, cancel=cancel)
            case "undo":
                navigator.undo()
                self._last = None
            case "go":
                navigator.go_to(request.point or 0)
                self._last = None
            case "take":
                if not 0 <= request.option < len(self._options):
                    raise NavigationError(
                        "there is no such option any more; look at those that are shown now"
                    )
                option = self._options[request.option]
                self._last = navigator.step(option.preference, option.amount, on_event=tell, cancel=cancel)
            case "step":
                wanted = preference_of((request.steer or Steer()).modes, navigator.here.front)
                if wanted is None:
                    raise NavigationError(
                        "nothing is asked for yet; choose something to improve, and by how much"
                    )
                self._last = navigator.step(*wanted, on_event=tell, cancel=cancel)
            case "visit":
                route = navigator.map().preview(request.target)
                current = navigator.here.id
                step = navigator.step(route, on_event=tell, cancel=cancel)
                self._last = gone(route, step, current)
            case "cover":
                self._cover(request, tell, cancel)

    def _cover(self, request: Request, tell: Callable[[Event], None], cancel: threading.Event) -> None:
        """Spread models along the front; each is shown as soon as it is there."""
        navigator = self.navigator
        allow = bounds_of((request.steer or Steer()).modes, navigator.here.front)
        spreading = Spreading(request.count, allow, len(navigator.session))
        shown = spreading.before

        def show(event: Event) -> None:
            nonlocal shown
            tell(event)
            if len(navigator.session) > shown:
                shown = len(navigator.session)
                self._submit(self._desk, self._show_points)
                self._traits.publish("spread", spreading.running(shown))

        self._traits.publish("spread", spreading.running(shown))
        try:
            cover = navigator.cover(request.count, allow=allow, on_event=show, cancel=cancel)
        except BaseException as error:
            status, why = ("cancelled", "") if isinstance(error, Cancelled) else ("failed", _in_words(error))
            self._traits.publish("spread", spreading.ended(status, len(navigator.session), why))
            raise
        self._traits.publish("spread", spreading.done(cover))

    # At the desk.

    def _show(self) -> None:
        """Publish the points and the state, and have the outlook from there answered."""
        navigator = self.navigator
        session = navigator.session
        with self._traits.turn:
            self._version += 1
            version = self._version
            job = self._running
        if not navigator.started:
            self._traits.publish("state", not_started(session, navigator.problem.names, self.title, version))
            return
        here = navigator.here
        step = self._last if self._last is not None and self._last.point.id == here.id else None
        self._options = options_of(here)
        if job is not None:
            self._after = job.request.cmd
        elif here.id != self._at:
            self._after = ""
        self._at = here.id
        points = columns(session, version)
        gain = navigator.known_training_gain
        pace = navigator.known_estimate
        state = state_of(session, here, step, self._options, self.title, version, gain, self._after, pace)
        with self._traits.turn:
            self._traits.publish("points", points)
            self._lookout.arrive(here.id)
            self._traits.publish("state", state)

    def _show_points(self) -> None:
        self._traits.publish("points", columns(self.navigator.session, self._version))

    def _attend(self, request: Request) -> None:
        """Carry out a command that needs no model."""
        session = self.navigator.session
        try:
            match request.cmd:
                case "star":
                    session.star(request.point or 0, on=request.on)
                    self._show_points()
                case "note":
                    session.note(request.point or 0, request.text)
                    self._show_points()
                case "name":
                    session.name(request.point or 0, request.text)
                    self._show_points()
                case "title":
                    session.title = request.text
                    with self._traits.turn:
                        state = self._traits.values()["state"]
                        if isinstance(state, dict):
                            self._traits.publish("state", state | {"title": self.title})
                case "keep":
                    self._keep(with_wish(self._kept, dict(request.wish)))
                case "drop":
                    self._keep(without_wish(self._kept, request.wish))
                case "compare":
                    self._answer(request, comparison(session.compare(*request.points)))
                case "route":
                    self._answer(request, way_to(self.navigator, request.target))
                case "pace":
                    self._submit(self._worker, self._find_pace)
                case "download":
                    self._submit(self._worker, self._send, request)
        except BaseException as error:
            self._fail(request, error)

    def _keep(self, kept: tuple[dict[str, Any], ...]) -> None:
        self._kept = kept
        self._traits.publish("kept", list(kept))

    def _find_pace(self) -> None:
        """Publish what a step is expected to take, where that takes a batch or two to be known."""
        try:
            found = self.navigator.estimate("step")
        except ParetonavError:  # of a function nobody knows it before there was one
            return
        with self._traits.turn:
            state = self._traits.values()["state"]
            if isinstance(state, dict):
                self._traits.publish("state", state | {"pace": pace_of(found)})

    def _send(self, request: Request) -> None:
        """Answer with a file."""
        try:
            made = self._file(request.what, request.point)
            with made as content:
                if made.size > _LARGEST_INLINE:
                    raise NavigationError(
                        f"{made.name} has {made.size / 2**20:.0f} MiB, too much for a message; write it to a file with "
                        "navigator.export"
                    )
                data = base64.b64encode(content.read()).decode("ascii")
            self._answer(request, {"name": made.name, "mime": made.mime, "base64": data})
        except BaseException as error:
            self._fail(request, error)

    def _fail(self, request: Request, error: BaseException) -> None:
        """Tell who has asked that it came to nothing, whatever the reason."""
        if not isinstance(error, ParetonavError):
            logger.error("%s failed", request.cmd, exc_info=error)
        self._tell(self._job(request), "failed", _in_words(error))

    # Anywhere.

    def _file(self, what: str, point: int | None) -> Download:
        return download(self.navigator.session, self.title, what, point, partial(page, self))

    def _refusal(self, request: Request) -> str:
        """Why a command is not carried out; empty if it is."""
        navigator = self.navigator
        if request.cmd in _MODEL and self._running:
            return "a step is under way; wait for its end, or cancel it first"
        if request.cmd == "route" and self._running and self._running.request.cmd in ("cover", "visit"):
            return "models are being made just now; ask again once that has ended"
        if request.cmd == "start":
            return "the navigation has started already" if navigator.started else ""
        if not navigator.started:
            return "the navigation has no point yet; start it first"
        if request.cmd in (*_MODEL[1:], "route") and request.expected_current != navigator.here.id:
            return f"the navigation has moved on to point {navigator.here.id} meanwhile; look at it, and say it again"
        return ""

    def _names(self) -> tuple[str, ...]:
        problem = self.navigator.problem
        return (*problem.names, *problem.metric_names)

    def _answer(self, request: Request, data: object) -> None:
        self._traits.publish(
            "answer", {"by": request.by, "seq": request.seq, "cmd": request.cmd, "data": data}
        )

    def _job(self, request: Request) -> _Job:
        with self._traits.turn:
            self._jobs += 1
            return _Job(self._jobs, request)

    def _tell(self, job: _Job, status: str, message: str = "", **progress: object) -> None:
        """Publish how a job stands; what is refused or fails beside a step that runs does not hide that for long."""
        told = {
            "id": job.id,
            "what": job.request.cmd,
            "status": status,
            "by": job.request.by,
            "seq": job.request.seq,
            "message": message,
            **progress,
        }
        with self._traits.turn:
            running = self._running is not None and job is not self._running
            before = self.values()["job"]
            self._traits.publish("job", told)
            if running:
                self._traits.publish("job", before)

    def _submit(self, worker: Worker, work: Callable[..., None], *args: object) -> Future[None]:
        """Nobody waits for what runs in a thread, so its mistakes are logged there."""

        def guarded() -> None:
            try:
                work(*args)
            except BaseException:
                logger.exception("the cockpit failed")

        with self._traits.turn:
            if self._closed:  # what is not begun by now is not wanted any more
                dropped: Future[None] = Future()
                dropped.set_result(None)
                return dropped
            return worker.submit(guarded)


def _leave_a_core() -> None:
    """A view that waits for a core that computes is no pleasure."""
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def _in_words(error: BaseException) -> str:
    """What went wrong; of errors that are not ours, which they are, as some of them say nothing else."""
    if isinstance(error, ParetonavError):
        return str(error)
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
