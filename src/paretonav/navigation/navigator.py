"""Walking along the front: start, preview, step, undo."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import NavigationError, NonFiniteError, PreferenceError, SessionError
from paretonav.geometry import FrontModel, Geometry, Tangent, pareto_weights, tangent_at
from paretonav.objectives import Cost, Event, Problem
from paretonav.session import Record, Session
from paretonav.steering.correctors import MGDA, Correction, Corrector, Newton
from paretonav.steering.creases import plan_from_creases
from paretonav.steering.finite import finite_jacobian
from paretonav.steering.leg import target_of
from paretonav.steering.plan import Plan
from paretonav.steering.point import Point, Preview, Step, StepStatus, named
from paretonav.steering.predictions import predictions
from paretonav.steering.predictors import ObjectiveSpace, Predictor
from paretonav.steering.preferences import DEFAULT_AMOUNT, Fit, Preference, Wish, check_amount
from paretonav.steering.report import misses, step_report, worse_metrics
from paretonav.steering.seek import seek
from paretonav.steering.situation import situation
from paretonav.steering.trial import Trial, trial
from paretonav.steering.trust import Trust, first_geometry
from paretonav.steering.walk import walk

if TYPE_CHECKING:
    from paretonav.cockpit.cockpit import Cockpit

logger = logging.getLogger(__name__)

_FIRST_RADIUS = 1.0  # until a prediction has failed, no loss may more than double in one leg
_TRAINED, _POLISHED = 0.85, 0.95  # where these end, as parts of a start
_JACOBIAN = 0.2  # of a start from a trained model
_AGAIN, _WALKED = 0.3, 0.75  # of a step
_NOT_STARTED = "the navigation has no point yet; call start() first"


class Navigator:
    """Steers a problem from one Pareto point to the next.

    The problem's parameters always are those of the current point: they are written when a step is accepted, and
    an error or a rejected step leaves them as they were.

    Args:
        problem: what is steered.
        predictor: along the tangent space; by default in objective space.
        corrector: back to the front; by default Newton-Krylov along the normal.
        geometry: how curvature is measured. Given, it stays; by default sample, tolerance and damping follow what
            predictions are worth, and long steps are taken in legs (``Trust``).
        approach: what brings a starting point to the front before ``corrector`` polishes it: that of a function,
            and a model that its problem says is untrained. By default descent with line search on functions, the
            problem's own recipe on models.
        session: where the visited points are kept: a folder, which is made, or resumed where it left off if it is a
            session already; or a ``Session``. None keeps them in memory. One process at a time can write to a
            folder; in a second one the navigator starts, too, but only looks and previews.

    Raises:
        SessionError: the folder is of another problem or other data, is damaged, or cannot be written.

    Example:
        >>> import paretonav as pn
        >>> nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
        >>> start = nav.start()
        >>> step = nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), amount=0.05)
        >>> step.status
        <StepStatus.ACCEPTED: 'accepted'>
        >>> round(step.achieved["f1"] / start.losses["f1"], 4), abs(round(step.achieved["f2"], 4))
        (-0.05, 0.0)
    """

    def __init__(
        self,
        problem: Problem,
        predictor: Predictor | None = None,
        corrector: Corrector | None = None,
        *,
        geometry: Geometry | None = None,
        approach: Corrector | None = None,
        session: Session | str | PathLike[str] | None = None,
    ) -> None:
        self.problem = problem
        self.predictor = predictor or ObjectiveSpace()
        self.corrector = corrector or Newton()
        self.geometry = geometry or first_geometry(problem)
        self._adapts = geometry is None and problem.stochastic
        self.approach = approach or (None if problem.stochastic else MGDA(normalized=True))
        self.session = session if isinstance(session, Session) else Session(session, write=True)
        self.session.attach(problem)
        current = self.session.current
        self._current = None if current is None else self.session.point(current.id)
        self._resumed = current is not None
        self._trained = False
        self._cockpit: Cockpit | None = None
        if not self.session.writable:
            logger.warning(
                "the session in %s is for reading only: %s; previews work, steps do not",
                self.session.path,
                f"{self.session.owner} writes to it" if self.session.owner else "it was opened so",
            )

    @property
    def started(self) -> bool:
        """Whether there is a current point."""
        return self._current is not None

    @property
    def here(self) -> Point:
        """The current point."""
        if self._current is None:
            raise NavigationError(_NOT_STARTED)
        return self._current

    @property
    def points(self) -> tuple[Record, ...]:
        """The numbers of all visited points, in the order of their ids."""
        return self.session.records

    @property
    def tangent(self) -> Tangent:
        """The tangent space at the current point, solved again if it is no longer kept."""
        return self._tangent_of(self.here)

    def start(
        self,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        *,
        polish: bool = True,
    ) -> Point:
        """Go to a first Pareto point and make it the root of the navigation.

        Args:
            on_event: told how far it is (see ``Event``), in this thread, at most 20 times a second. What it raises ends
                the start.
            cancel: set it, from another thread or from ``on_event``, to stop at the next batch.
            polish: False takes the problem's current parameters as they are, without any training or correction.

        Runs the problem's training recipe if it has one and has not been trained; a model that comes trained is
        only polished. If all objectives could still fall together by more than 2 % of their size afterwards, a
        warning is logged: from there, navigation would sell training for trade-offs.

        In a resumed session there is nothing to do: it returns the point where that has ended.

        Raises:
            Cancelled: ``cancel`` was set. The model is as it came, or, if its training had been completed, as trained;
                another ``start`` leads to the same point as if there had been none before.
            NavigationError: it has started already, or another operation is under way.
        """
        if self._resumed:
            self._resumed = False
            return self.here
        self._require_writable()
        if self._current is not None:
            raise NavigationError("the navigation has started already; go_to(0) returns to its first point")
        problem = self.problem
        with self._watched(on_event, cancel):
            with self._measured() as cost:
                if polish:
                    theta, weights = self._first_model()
                    with problem.watch.part(_POLISHED, "polish"):
                        correction = self.corrector.correct(problem, theta, weights, self.geometry)
                else:
                    correction = self._as_it_is()
                point, tangent = self._make_point(correction, None, None, cost, self._first_trust())
            problem.watch.finish()
            self._accept(point, tangent, None)
        scale = float(point.train.mean.abs().mean())
        if point.joint_gain > 0.02 * scale:
            logger.warning(
                "all objectives could still fall together by about %.3g (%.1f %% of their size); train the model "
                "on before trading",
                point.joint_gain,
                100 * point.joint_gain / scale,
            )
        return point

    def preview(self, preference: Preference, amount: float | None = None) -> Preview:
        """What ``step`` would do; algebra in the objectives' dimension, no pass over data.

        Args:
            preference: what is wanted.
            amount: how much of it; None for the preference's own: all the way of an ``Aim``, 0.05 of others.

        Raises:
            PreferenceError: the preference makes no sense for this problem.
            InfeasiblePreferenceError: the front does not allow it; carries the reason and the reach.
        """
        here = self.here
        wish, plan, front, _ = self._plan(preference, amount)
        changes = plan.changes
        return Preview(
            plan=plan,
            requested=plan.requested,
            **predictions(front, plan),
            weights=named(front.names, plan.weights),
            trusted=here.trust.share(front, plan.predicted) == 1,
            attainable=plan.attainable,
            nearest={wish.names[i]: float(front.values[i] + changes[i]) for i in wish.named},
            _reach=lambda: self.predictor.reach(front, lambda: self._tangent_of(here), wish),
        )

    def trial(
        self,
        preference: Preference,
        amount: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Trial:
        """What ``preview`` predicts, measured on the model moved along the tangent: no step, one forward pass.

        The current point and the problem's parameters stay as they are. What a step comes to differs from it by what
        the predictor's alignment and the corrector do.

        Args:
            preference: what is wanted.
            amount: how much of it; None for the preference's own.
            on_event: as in ``step``.
            cancel: as in ``step``.

        Raises:
            Cancelled: ``cancel`` was set.
            PreferenceError, InfeasiblePreferenceError: as ``preview``.
            NavigationError: another operation is under way.
        """
        here = self.here
        with self._watched(on_event, cancel), self.problem.watch.part(1.0, "measure"):
            _, plan, _, tangent = self._plan(preference, amount)
            return trial(self.problem, here, tangent or self._tangent_of(here), plan)

    def step(
        self,
        preference: Preference,
        amount: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Step:
        """Go to the point that ``preview`` shows: predict, correct, and check what was achieved.

        A step after which an objective that was to improve has not, or something is beyond its bound, is taken back
        and reported as rejected. An ``Aim`` that is out of reach ends at the nearest outcome, and is reported as
        shortened.

        Args:
            preference: what is wanted.
            amount: how much of it; None for the preference's own.
            on_event: told how far it is (see ``Event``), in this thread, at most 20 times a second. What it raises ends
                the step, and the model is where it was.
            cancel: set it, from another thread or from ``on_event``, to stop at the next batch.

        Raises:
            Cancelled: ``cancel`` was set; the model is where it was.
            PreferenceError, InfeasiblePreferenceError: as ``preview``.
            NonFiniteError: a loss or a derivative is not finite there; the model is where it was.
            NavigationError: another operation is under way.
        """
        before = self.here
        self._require_writable()
        earlier = self.session.records[-1]
        # As long as the latest step, if there was one.
        with self._watched(on_event, cancel, None if earlier.parent is None else earlier.cost.seconds):
            return self._step(before, preference, amount)

    def _step(self, here: Point, preference: Preference, amount: float | None) -> Step:
        self.problem.watch.saw(self.problem.names, here.train.mean)
        with self._measured() as cost:
            _, plan, front, tangent = self._plan(preference, amount)
            go = seek if plan.wish.fit is Fit.NEAREST else walk
            with self.problem.watch.part(_WALKED):
                gone = go(
                    self.problem,
                    self.predictor,
                    self.corrector,
                    here.trust,
                    front,
                    tangent or self.tangent,
                    plan,
                )
            asked = preference, plan.amount, gone.legs
            if gone.correction is None:
                return step_report(
                    here, here, plan, gone.losses, None, StepStatus.REJECTED, gone.reason, cost, *asked
                )
            taken = plan.share(front, gone.amount / plan.amount if plan.amount else 1.0)
            point, tangent = self._make_point(gone.correction, preference, taken.amount, cost, gone.trust)
            worse = worse_metrics(plan.wish, here, point)
            if worse:
                reason = f"{' and '.join(worse)} got worse"
                return step_report(
                    here, here, taken, point.train, point.held_out, StepStatus.REJECTED, reason, cost, *asked
                )
        status = StepStatus.SHORTENED if gone.reason else StepStatus.ACCEPTED
        remarks = [gone.reason] if gone.reason else []
        if gone.legs > 1:
            remarks.append(f"it took {gone.legs} legs, so the prediction for all of it was a guess")
        if not gone.correction.converged:
            remarks.append(f"the corrector stopped with a joint gain of {point.joint_gain:.2g} left")
        remarks += misses(taken.wish, target_of(taken, front, self.problem), point)
        step = step_report(
            here, point, taken, point.train, point.held_out, status, "; ".join(remarks), cost, *asked
        )
        self.problem.watch.finish()
        self._accept(point, tangent, step)
        return step

    def undo(self) -> Point:
        """Go back to the point that the current one was reached from."""
        if self.here.parent is None:
            raise NavigationError("there is nothing to undo: this is the first point")
        return self.go_to(self.here.parent)

    def go_to(self, point_id: int) -> Point:
        """Make an earlier point the current one; the next step branches off there."""
        if self._current is None:
            raise NavigationError(_NOT_STARTED)
        if self.problem.watch.active:
            raise NavigationError(
                "an operation is under way on this problem; wait for its end, or cancel it first"
            )
        point = self.session.go_to(point_id)
        self.problem.set_parameters(point.parameters)
        self._current = point
        return point

    def export(self, path: str | PathLike[str], *, card: bool = False) -> None:
        """Write the current model's state_dict to a ``.safetensors`` file, whole or not at all.

        It loads without paretonav: ``model.load_state_dict(safetensors.torch.load_file(path))``. The file's
        metadata has the losses, the weights and the number of the point. With ``card``, the model card
        (``Session.card``) is written next to it, under the same name with ``.md``.
        """
        self.session.export(path, self.here.id, card=card)

    def cockpit(self, title: str = "") -> Cockpit:
        """The navigator to be seen and steered with the mouse: the last line of a notebook's cell shows it.

        It is the same object at every call. In a notebook it needs ``pip install "paretonav[notebook]"``; it can be
        saved as a page and served, too.

        Args:
            title: shown above it; if empty, it stays as it is.
        """
        from paretonav.cockpit.cockpit import (
            Cockpit,  # this way round only here: rooms do not know who shows them
        )

        if self._cockpit is None:
            self._cockpit = Cockpit(self)
        if title:
            self._cockpit.title = title
        return self._cockpit

    def _require_writable(self) -> None:
        if not self.session.writable:
            raise SessionError(
                f"the session in {str(self.session.path)!r} is open for reading only, so no step can be taken"
                + (f": {self.session.owner} writes to it; end that first" if self.session.owner else "")
            )

    def _first_trust(self) -> Trust:
        if not self._adapts:
            return Trust(np.inf, self.geometry, adapts=False)
        tolerance = self.geometry.tolerance_for(self.problem, self.problem.parameters().dtype)
        return Trust(_FIRST_RADIUS, replace(self.geometry, tolerance=tolerance), adapts=True)

    def _first_model(self) -> tuple[Tensor, Tensor]:
        """Parameters to start from, and the weights at which they are expected to be optimal."""
        problem = self.problem
        uniform = torch.full((problem.m,), 1 / problem.m, dtype=torch.float64)
        if problem.stochastic and problem.needs_training and self.approach is None:
            self._train()
        theta = problem.parameters()
        if self._trained:
            return theta, uniform
        if self.approach is not None and (problem.needs_training or not problem.stochastic):
            with problem.watch.part(_TRAINED, "descend to the front"):
                found = self.approach.correct(problem, theta, uniform, self.geometry)
            return found.theta, found.weights
        return theta, self._as_it_is().weights

    def _train(self) -> None:
        """Run the problem's recipe to its end, or leave the model as it was."""
        before = self.problem.parameters()
        try:
            with self.problem.watch.part(_TRAINED, "train the first model"):
                trained = self.problem.train()
        except BaseException:
            self.problem.set_parameters(before)
            raise
        self.problem.set_parameters(trained)
        self._trained = True

    def _as_it_is(self) -> Correction:
        theta = self.problem.parameters()
        with self.problem.watch.part(_JACOBIAN, "measure the gradients", passes=1):
            losses, jacobian = finite_jacobian(self.problem, theta, "at the start")
        weights, _ = pareto_weights(self.problem, theta, jacobian)
        return Correction(theta, losses, weights, tangent=None, iterations=0, converged=False)

    def _plan(
        self, preference: Preference, amount: float | None
    ) -> tuple[Wish, Plan, FrontModel, Tangent | None]:
        """A preference as a wish, the plan for it, and the front and tangent (None for the point's own) of that."""
        if not hasattr(preference, "wish"):
            raise PreferenceError(
                f"{preference!r} is not a preference; use Improve, Direction, Aim, Classify or Compare"
            )
        if amount is None:
            amount = getattr(preference, "default_amount", DEFAULT_AMOUNT)
        here = self.here
        wish = preference.wish(situation(here.front, self._visited))
        return wish, *plan_from_creases(
            self.problem,
            self.predictor,
            here.trust.geometry,
            here.front,
            lambda: self._tangent_of(here),
            wish,
            check_amount(amount),
        )

    def _visited(self) -> list[dict[str, float]]:
        return [{**point.losses, **point.metrics} for point in self.points]

    def _make_point(
        self,
        correction: Correction,
        preference: Preference | None,
        amount: float | None,
        cost: Cost,
        trust: Trust,
    ) -> tuple[Point, Tangent]:
        problem = self.problem
        tangent = correction.tangent
        with problem.watch.part(1.0, "measure"):
            if tangent is None:
                with problem.watch.part(0.7):
                    tangent = tangent_at(problem, correction.theta, correction.weights, trust.geometry)
            front = FrontModel.from_tangent(problem, tangent, trust.geometry)
        _require_finite_front(front)
        shown = front.validation_losses or tangent.losses
        point = Point(
            id=len(self.session),
            parent=None if self._current is None else self._current.id,
            parameters=tangent.theta,
            train=tangent.losses,
            held_out=front.validation_losses,
            front=front,
            metrics=shown.metrics,
            preference=preference,
            amount=amount,
            cost=cost,
            trust=trust,
        )
        return point, tangent

    def _accept(self, point: Point, tangent: Tangent, step: Step | None) -> Point:
        try:
            self.session.add(Record.of(point, step), point, tangent)
        finally:  # an interrupt may come when the point has been kept already
            if len(self.session) > point.id:
                self._current = point
                self.problem.set_parameters(point.parameters)
        return point

    @contextmanager
    def _watched(
        self,
        on_event: Callable[[Event], None] | None,
        cancel: threading.Event | None,
        expected: float | None = None,
    ) -> Iterator[None]:
        """One long operation, after whose failure the model is that of the current point, whatever has failed."""
        try:
            with self.problem.watch.over(on_event, cancel, expected):
                yield
        except BaseException:
            if self._current is not None:
                self.problem.set_parameters(self._current.parameters)
            raise

    def _tangent_of(self, point: Point) -> Tangent:
        tangent = self.session.tangent(point.id)
        if tangent is None:
            weights = torch.from_numpy(point.front.weights)
            with self.problem.watch.part(_AGAIN, "solve for the tangent"):
                tangent = tangent_at(self.problem, point.parameters, weights, point.trust.geometry)
            self.session.keep_tangent(point.id, tangent)
        return tangent

    @contextmanager
    def _measured(self) -> Iterator[Cost]:
        """A cost that is complete when the block ends."""
        cost, before, began = Cost(), replace(self.problem.cost), time.perf_counter()
        try:
            yield cost
        finally:
            cost.add(self.problem.cost - before)
            cost.seconds += time.perf_counter() - began


def _require_finite_front(front: FrontModel) -> None:
    """Raise ``NonFiniteError`` naming the objective whose derivatives along the tangent are not finite."""
    bend = np.broadcast_to(front.bend, (front.m, *front.bend.shape[1:])).reshape(front.m, -1)
    derivatives = np.concatenate([front.response, bend], axis=1)
    # The objectives share a graph, where an infinite derivative of one makes those of the others 0 * inf.
    for suspect in (np.isinf(derivatives), np.isnan(derivatives)):
        if suspect.any():
            name = front.names[int(suspect.any(axis=1).argmax())]
            raise NonFiniteError(
                f"the second derivatives of objective {name!r} are not finite; look for a root or a logarithm at zero"
            )
