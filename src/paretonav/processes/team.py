"""One process that decides, and others that do their part of what it asks for.

See docs/scale.md#several-processes.
"""

from __future__ import annotations

import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from paretonav.errors import BusyError, ParetonavError, ProcessesError
from paretonav.processes.wire import GONE, Traffic, Wire
from paretonav.undisturbed import undisturbed


class Subject(Protocol):
    """What work is about: it has a place for what one piece of work leaves for others."""

    kept: dict[int, Any]


S = TypeVar("S", bound=Subject)
R = TypeVar("R")

_END = b""
_IN_THE_MIDST = (
    "several processes are in the midst of a pass, and can begin another one only when that has ended; what is called "
    "by on_event, or by a loss, must not ask for one"
)
_OUT_OF_STEP = (
    "the processes are out of step, since a message between them was broken off; end all of them and start again, with "
    "the same session"
)


@dataclass(frozen=True)
class Done(Generic[R]):
    """What one process has done of a piece of work.

    Attributes:
        report: small, and on the CPU; the first process gets those of all processes, in their order.
        total: a tensor of which the first process wants the sum over all processes; None in all of them, or in none.
    """

    report: R
    total: Tensor | None = None


class Team(Generic[S]):
    """The processes that have a part in work on ``subject``, of which each has its own; alone, until it joins others.

    All decisions are the first process's: only there runs what steers, and it can do whatever it likes. Where it needs
    all of the data it asks for work ``everywhere``. The others ``serve``: they wait, do their part of such work, and
    return when the first one ends.

    Work is a function that every process can import. It must not ask for other work. Several threads of a process may
    ask for work at a time; it is done one after the other.

    Args:
        subject: what work is about.
    """

    def __init__(self, subject: S) -> None:
        self.subject = subject
        self._wire: Wire | None = None
        self._device = torch.device("cpu")
        self._lock = threading.RLock()
        self._out_of_step = self._at_work = False
        self._numbers = count()
        self._let_go: list[int] = []

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""
        return 0 if self._wire is None else self._wire.rank

    @property
    def size(self) -> int:
        """How many processes there are."""
        return 1 if self._wire is None else self._wire.size

    @property
    def first(self) -> bool:
        """Whether this is the process that decides."""
        return self.rank == 0

    @property
    def lost(self) -> bool:
        """Whether the others cannot be reached any more."""
        return self._wire is not None and (self._wire.broken or self._out_of_step)

    @property
    def traffic(self) -> Traffic:
        """What has gone through this process."""
        return Traffic() if self._wire is None else self._wire.traffic

    def join(self, wire: Wire, device: torch.device) -> None:
        """Work with others from here on; their vectors come to ``device``."""
        self._wire, self._device, self._out_of_step = wire, device, False

    def everywhere(
        self, work: Callable[..., Done[R]], *vectors: Tensor, **facts: Any
    ) -> tuple[list[R], Tensor | None]:
        """Have every process do ``work(subject, *vectors, **facts)``.

        What fails in one process fails here; what has failed in this one comes first, as it is.

        Args:
            work: a function of a module, or of a class.
            vectors: sent as they are.
            facts: anything small that can be pickled.

        Returns:
            the reports of all processes, and the sum of their totals.

        Raises:
            ProcessesError: another process is gone, or has failed with an error that is none of ours.
            BusyError: this thread is in the midst of other work, as when an event is told of it.
        """
        if self._wire is None:
            done = work(self.subject, *vectors, **facts)
            return [done.report], done.total
        with self._lock:
            if self._at_work:
                raise BusyError(_IN_THE_MIDST)
            self._at_work = True
            try:
                return self._asked(self._wire, work, vectors, facts)
            finally:
                self._at_work = False

    def number(self) -> int:
        """A new number, for what is ``kept`` of work for other work."""
        return next(self._numbers)

    def let_go(self, number: int) -> None:
        """Let go of what is kept under a number; the others do so when they hear of the next work."""
        self.subject.kept.pop(number, None)
        self._let_go.append(number)

    def serve(self) -> None:
        """Do this process's part of all work, until the first one ends.

        Raises:
            ProcessesError: another process is gone.
        """
        assert self._wire is not None
        with _deaf():
            while (message := self._wire.tell()) != _END:
                self._serve(self._wire, message)
        self._leave(self._wire)

    def end(self) -> None:
        """Tell the others that there is no more work; from here on this process is alone."""
        wire = self._wire
        if wire is None:
            return
        with self._lock:
            if not self.lost:
                with suppress(ProcessesError):
                    undisturbed(lambda: wire.tell(_END))
            self._leave(wire)

    def _leave(self, wire: Wire) -> None:
        in_step = not self.lost
        self._wire = None
        self.subject.kept.clear()  # of all processes it was a part
        if in_step:
            with suppress(ProcessesError):
                wire.words(0)  # nobody hangs up before all have heard it

    def _asked(
        self, wire: Wire, work: Callable[..., Done[R]], vectors: tuple[Tensor, ...], facts: dict[str, Any]
    ) -> tuple[list[R], Tensor | None]:
        if self.lost:
            raise ProcessesError(_OUT_OF_STEP if self._out_of_step else GONE.format(size=wire.size))
        let_go, self._let_go = self._let_go, []
        message = pickle.dumps((work, [(v.shape, v.dtype) for v in vectors], facts, let_go))
        told = asked = put_together = False
        done: Done[R] | None = None
        failed: BaseException | None = None

        def ask() -> None:
            nonlocal told, asked
            told = True
            wire.tell(message)
            for vector in vectors:
                wire.spread(vector.detach())
            asked = True

        def ending() -> tuple[list[R], Tensor | None]:
            nonlocal put_together
            try:
                return _put_together(wire, done, failed)
            finally:
                put_together = True

        try:
            undisturbed(ask)
            done = work(self.subject, *vectors, **facts)
        except BaseException as error:  # Ctrl-C, too: the others have begun
            failed = error
        if not asked:
            assert failed is not None
            self._out_of_step = told
            raise failed
        try:
            return undisturbed(ending)
        finally:
            self._out_of_step = self._out_of_step or not put_together

    def _serve(self, wire: Wire, message: bytes) -> None:
        work, kinds, facts, let_go = pickle.loads(message)
        for number in let_go:
            self.subject.kept.pop(number, None)
        vectors = [
            wire.spread(torch.empty(shape, dtype=dtype, device=self._device)) for shape, dtype in kinds
        ]
        done, failed = None, None
        try:
            done = work(self.subject, *vectors, **facts)
        except Exception as error:
            failed = error
        _put_together(wire, done, failed)


def _put_together(
    wire: Wire, done: Done[R] | None, failed: BaseException | None
) -> tuple[list[R], Tensor | None]:
    """The end of a piece of work: one word tells how it went, then come the reports and the sum, if there are any."""
    if done is not None and failed is None:
        message = b"" if done.report is None else pickle.dumps(done.report)
    elif wire.rank == 0:
        message = b""  # the others do not need to know
    else:
        assert failed is not None
        message = pickle.dumps(_told(failed, wire))
    words = wire.words(int(failed is not None), len(message))
    sizes = [size for _, size in words]
    messages = wire.collect(message, sizes) if any(sizes) else [b""] * len(sizes)
    if any(wrong for wrong, _ in words):
        if wire.rank > 0:
            return [], None
        if failed is not None:
            raise failed
        kind, what, told = next(
            pickle.loads(m) for m, (wrong, _) in zip(messages, words, strict=True) if wrong
        )
        error = kind(what)
        error.add_note(told)
        raise error
    assert done is not None
    total = None if done.total is None else wire.add(done.total)
    if wire.rank > 0:
        return [], None
    others: list[Any] = [pickle.loads(m) if m else None for m in messages[1:]]
    return [done.report, *others], total


def _told(error: BaseException, wire: Wire) -> tuple[type[Exception], str, str]:
    """An error as it can be sent: its kind, what it says, and where it came from."""
    ours = isinstance(error, ParetonavError)
    what = str(error) if ours else f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    kind = type(error) if isinstance(error, ParetonavError) else ProcessesError
    return kind, f"{what} (in process {wire.rank} of {wire.size})", trace


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C, which a terminal sends to all processes, is for the first one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
