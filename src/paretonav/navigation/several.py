"""Several processes at one problem: the first one steers it, the others compute for it."""

from __future__ import annotations

import atexit
from types import TracebackType
from typing import Any, Self

from paretonav.errors import ProcessesError
from paretonav.objectives import ModelProblem, Problem
from paretonav.objectives.joining import join, require_divisible
from paretonav.processes import Group, Wire, World, the_group


class Processes:
    """The processes of a group, among which passes over a problem's data are divided as long as this is open.

    Every process makes the same problem, with the same model and all of the data, and then this. Process 0 steers: it
    alone makes navigators, previews and steps, as if there were no others. The others do their part of every pass when
    they close this, which they do at once, and return when process 0 has closed it. Their models are then what process
    0 has made of its own.

    Where nothing follows the steering, ``Navigator(problem, group="world")`` is shorter.

    Args:
        problem: with training data, the same in all processes.
        group: of torch.distributed; "world" for all processes that torchrun, Accelerate or Lightning have launched,
            which may be one.

    Attributes:
        rank: the number of this process in the group.
        size: how many there are.

    Raises:
        ProblemError: the problem is a function, or its data are divided already.
        ProcessesError: the processes do not have the same problem (names the first difference), or one is gone.

    Example:
        >>> import paretonav as pn
        >>> problem = pn.problems.digits(epochs=1)
        >>> with pn.Processes(problem) as processes:  # by torchrun --nproc-per-node 2 it takes half of the time
        ...     if processes.first:
        ...         losses, jacobian = problem.jacobian(problem.parameters())
        >>> processes.size
        1
    """

    def __init__(self, problem: Problem, group: Group | World = "world") -> None:
        self.problem = problem
        self.rank, self.size = 0, 1
        self._joined: ModelProblem | None = None
        found = the_group(group)
        if found is None:
            return
        whole = require_divisible(problem)
        if whole.processes > 1:
            raise ProcessesError("this problem is computed by several processes already; close those first")
        wire = Wire(found)
        join(whole, wire)
        self.rank, self.size, self._joined = wire.rank, wire.size, whole

    @property
    def first(self) -> bool:
        """Whether this is the process that steers."""
        return self.rank == 0

    def close(self) -> None:
        """In process 0: let the others go on. In these: work until then. Each is alone from there on.

        Raises:
            ProcessesError: from a process that works for others, one of them is gone.
        """
        problem, self._joined = self._joined, None
        if problem is None:
            return
        if self.first:
            problem.team.end()
        else:
            problem.team.serve()
        problem.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or self.first:
            self.close()

    def __repr__(self) -> str:
        return f"Processes(rank={self.rank}, size={self.size})"


def first_alone(problem: Problem, group: Any) -> None:
    """Return in the first process; the others work for it until it ends, and then end, too.

    Raises:
        ProblemError, ProcessesError: see ``Processes``.
        SystemExit: from the others, with status 0.
    """
    processes = Processes(problem, group)
    if processes.first:
        atexit.register(processes.close)
        return
    processes.close()
    raise SystemExit(0)
