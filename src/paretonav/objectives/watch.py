"""How far a long operation is, told while it runs, and how to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from paretonav.errors import BusyError, Cancelled

T = TypeVar("T")

_INTERVAL = 0.05  # seconds between two events of a phase: as often as an eye can follow
_PRIOR = 0.1  # an earlier operation's time counts like so much of this one, in estimates of the time left
_MEMORY = 3  # the pace at time s counts (s / now)^3: the last sixth of the time as much as all before
_ALMOST = 0.999  # the fraction that is shown at most before the operation is done
_BUSY = "another operation is under way on this problem; wait for its end, or cancel it first"
_ENOUGH = 0.01  # so much of the operation, and _INTERVAL, must have passed before its pace is told


@dataclass(frozen=True)
class Event:
    """How far an operation is.

    Attributes:
        phase: what is being done, such as "predict".
        fraction: of the whole operation, in [0, 1]; it never falls, and 1 comes last.
        losses: name -> the training loss that was measured last on the way; None before the first.
        seconds: since the operation began.
        seconds_left: an estimate; None until there is something to go by.
    """

    phase: str
    fraction: float
    losses: Mapping[str, float] | None
    seconds: float
    seconds_left: float | None


class Watch:
    """Reports the progress of one operation at a time, and stops it on request.

    Every problem has one, so that all code that computes with the problem can report without being handed a callback.
    Outside ``over`` its methods do nothing; a ``checkpoint`` then costs some tens of nanoseconds.

    Progress is composed of nested parts. Each piece of code says only how far it brings the part that it is in:
    ``part(until)`` goes from where that part is to its fraction ``until``. So nobody needs to know the whole, and
    progress never falls.

    An operation belongs to the thread that began it. Code in other threads that uses the same problem meanwhile
    neither reports to it nor is stopped by it.

    Example:
        >>> watch, seen = Watch(), []
        >>> with watch.over(seen.append):
        ...     with watch.part(0.8, "train"):
        ...         watch.at(0.5)
        ...     with watch.part(1.0, "measure"):
        ...         watch.checkpoint()
        >>> [(event.phase, event.fraction) for event in (seen[0], seen[-1])]
        [('train', 0.0), ('measure', 1.0)]
    """

    def __init__(self) -> None:
        self._run: _Run | None = None

    @property
    def active(self) -> bool:
        """Whether an operation is under way in any thread."""
        return self._run is not None

    @property
    def elsewhere(self) -> bool:
        """Whether an operation is under way in a thread other than this one."""
        run = self._run
        return run is not None and run.thread != threading.get_ident()

    def require_free(self) -> None:
        """Called before work that must not run beside an operation of another thread.

        Raises:
            BusyError: another thread has an operation under way.
        """
        if self.elsewhere:
            raise BusyError(_BUSY)

    @property
    def _own(self) -> _Run | None:
        """The operation under way, if it is this thread's."""
        run = self._run
        return run if run is not None and run.thread == threading.get_ident() else None

    @contextmanager
    def over(
        self,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        expected: float | None = None,
    ) -> Iterator[None]:
        """The block is one operation.

        An exception from ``on_event`` ends the operation and comes out unchanged. The last event has fraction 1; it
        comes when ``finish`` is called, or else at the end of the block.

        Args:
            on_event: called with each event, in the thread of the operation: at every change of phase, otherwise
                at most 20 times a second.
            cancel: set (by any thread, or by ``on_event``) to stop at the next checkpoint.
            expected: seconds that such an operation took before.

        Raises:
            Cancelled: ``cancel`` was set.
            BusyError: another operation is under way.
        """
        self.require_idle()
        run = _Run(on_event, cancel, expected)
        try:
            self._run = run
            run.checkpoint()
            yield
            run.finish()
        except BaseException as error:
            # Code on the way may have caught the request to stop, and raised it as an error of the model.
            if run.stopped is not None and run.stopped is not error:
                raise run.stopped from None
            raise
        finally:
            self._run = None

    def require_idle(self) -> None:
        """Raise ``BusyError`` if an operation is under way."""
        if self._run is not None:
            raise BusyError(_BUSY)

    def let_go(self) -> None:
        """End this thread's operation, if Ctrl-C came just when ``over`` was about to; for whoever began it."""
        run = self._run
        if run is not None and run.thread == threading.get_ident():
            self._run = None

    def finish(self) -> None:
        """Report that all is computed. From here on the operation cannot be stopped.

        Raises:
            Cancelled: it was asked to stop before.
        """
        run = self._own
        if run is not None:
            run.finish()

    def checkpoint(self) -> None:
        """Called between two pieces of work: stop here if asked to, and report if it is time to.

        Raises:
            Cancelled: it was asked to stop.
        """
        run = self._own
        if run is not None:
            run.checkpoint()

    @contextmanager
    def part(self, until: float, phase: str | None = None, passes: int = 2) -> Iterator[None]:
        """The block is a part of the operation.

        Args:
            until: where it ends, as a fraction of the enclosing part.
            phase: the name of the phase that it begins, if any.
            passes: how many passes over data to expect in it. Each pass is given 1 / passes of what is then left.
        """
        run = self._own
        if run is None:
            yield
            return
        outside = run.low, run.high, run.share
        end = max(run.place(until), run.fraction)
        run.low, run.high, run.share = run.fraction, end, 1 / passes
        try:
            if phase is not None:
                run.enter(phase)
            yield
        finally:
            run.low, run.high, run.share = outside
        run.reach(end)

    def at(self, fraction: float) -> None:
        """Report how far the innermost part is, in [0, 1]; also a checkpoint."""
        run = self._own
        if run is not None:
            run.reach(run.place(fraction))
            run.checkpoint()

    def through(self, pairs: Iterator[tuple[T, int]], total: int) -> Iterator[tuple[T, int]]:
        """The same batches with their lengths, which sum to ``total``, reporting progress as they are read."""
        run = self._own
        if run is None:
            return pairs
        return run.through(pairs, total)

    def saw(self, names: Sequence[str], losses: Tensor) -> None:
        """Report the losses [m] with all events from here on."""
        run = self._own
        if run is not None:
            run.losses = names, losses


class _Run:
    """One operation under way.

    Attributes:
        thread: the one that began it.
        low: where the innermost part began, as a fraction of the whole.
        high: where that part ends.
        share: how much of the rest of that part a pass over data takes.
        fraction: how far the operation is.
        losses: names and values [m], the latest.
        stopped: the exception that stops it, kept to be raised again if code on the way has caught it.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None] | None,
        cancel: threading.Event | None,
        expected: float | None,
    ) -> None:
        self.thread = threading.get_ident()
        self.low, self.high, self.share = 0.0, 1.0, 0.5
        self.fraction = 0.0
        self.losses: tuple[Sequence[str], Tensor] | None = None
        self.stopped: BaseException | None = None
        self._on_event, self._cancel, self._expected = on_event, cancel, expected
        self._phase = ""
        self._began = time.perf_counter()
        self._told = self._began
        self._before = 0.0, 0.0  # seconds and fraction at the latest event
        self._lately = 0.0, 0.0  # sums of both since the beginning, in which what is older counts less
        self._finished = False

    def place(self, fraction: float) -> float:
        """Turn a fraction of the innermost part into a fraction of the whole."""
        return self.low + min(max(fraction, 0.0), 1.0) * (self.high - self.low)

    def reach(self, fraction: float) -> None:
        self.fraction = max(self.fraction, min(fraction, _ALMOST))

    def enter(self, phase: str) -> None:
        self._phase = phase
        self._tell()
        self._stop_if_asked()

    def checkpoint(self) -> None:
        if self._finished:
            return
        self._stop_if_asked()
        watched = self._on_event is not None and self._phase
        if watched and time.perf_counter() - self._told >= _INTERVAL:
            self._tell()
            self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.stopped is not None:
            raise self.stopped
        if self._cancel is not None and self._cancel.is_set():
            self.stopped = Cancelled(
                f"cancelled{f' ({self._phase})' if self._phase else ''}; the model is as it was before"
            )
            raise self.stopped

    def finish(self) -> None:
        if self._finished:
            return
        self._stop_if_asked()
        self.fraction = 1.0
        self._tell()
        self._stop_if_asked()
        self._finished = True

    def through(self, pairs: Iterator[tuple[T, int]], total: int) -> Iterator[tuple[T, int]]:
        # It does not open a ``part``, which a pass that is broken off would never close.
        low, width, seen = self.fraction, self.share * (self.high - self.fraction), 0
        for item, length in pairs:
            yield item, length
            seen += length
            self.reach(low + width * min(1.0, seen / total))
            self.checkpoint()

    def _tell(self) -> None:
        if self._on_event is None:
            return
        self._told = time.perf_counter()
        seconds = self._told - self._began
        losses = None
        if self.losses is not None:
            names, values = self.losses
            losses = dict(zip(names, values.tolist(), strict=True))
        event = Event(self._phase, self.fraction, losses, seconds, self._left(seconds))
        try:
            self._on_event(event)
        except BaseException as error:
            self.stopped = error
            raise

    def _left(self, seconds: float) -> float | None:
        """Estimate the seconds that are left; None while there is too little to go by.

        The estimate is what is left divided by the pace. The latest pace counts most, as first batches are slow and
        phases differ. The time of an earlier operation, if known, counts as if a part of this one had run at its pace.
        """
        fading = (self._before[0] / seconds) ** _MEMORY if seconds > 0 else 0.0
        time_lately = fading * self._lately[0] + seconds - self._before[0]
        gone_lately = fading * self._lately[1] + self.fraction - self._before[1]
        self._lately, self._before = (time_lately, gone_lately), (seconds, self.fraction)
        if self.fraction == 1:
            return 0.0
        if self._expected is not None:
            time_lately, gone_lately = time_lately + _PRIOR * self._expected, gone_lately + _PRIOR
        elif self.fraction < _ENOUGH or seconds < _INTERVAL:
            return None
        return (1 - self.fraction) * time_lately / gone_lately if gone_lately > 0 else None
