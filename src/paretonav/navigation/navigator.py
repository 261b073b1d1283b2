"""Walking along the front: start, preview, step, undo."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import TypeVar, get_args

import numpy as np
import torch
from torch import Tensor

from paretonav.display import Display, Shown
from paretonav.errors import NavigationError, NonFiniteError, PreferenceError, SessionError
from paretonav.geometry import FrontModel, Geometry, Tangent, anchored_tangent, pareto_weights, tangent_at
from paretonav.objectives import Cost, Event, Losses, Problem
from paretonav.objectives.finite import finite_jacobian, require_finite_metrics
from paretonav.objectives.modes import differentiable
from paretonav.objectives.problem import Split
from paretonav.session import Journal, Record, Session
from paretonav.session.undisturbed import undisturbed
from paretonav.steering.changes import Estimates
from paretonav.steering.planning.planned import Planned
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences import DEFAULT_AMOUNT, Fit, Preference, check_amount
from paretonav.steering.preferences.situation import situation
from paretonav.steering.reporting.estimate import Estimate, Pace, What, epochs, planned, recorded
from paretonav.steering.reporting.point import Point, Preview, Step, StepStatus, named
from paretonav.steering.reporting.report import misses, step_report, worse_metrics
from paretonav.steering.reporting.training_gain import SHORT, TrainingGain
from paretonav.steering.reporting.trial import Trial, trial
from paretonav.steering.stepping.correctors import MGDA, Correction, Corrector, Newton, Stay
from paretonav.steering.stepping.creases import plan_from_creases
from paretonav.steering.stepping.leg import target_of
from paretonav.steering.stepping.onward import tangent_after
from paretonav.steering.stepping.predictors import ObjectiveSpace, Predictor
from paretonav.steering.stepping.seek import seek
from paretonav.steering.stepping.train_on import TrainOn, train_on
from paretonav.steering.stepping.trust import Trust, first_geometry
from paretonav.steering.stepping.walk import best_kept, promises, walk

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_RADIUS = 1.0  # until a prediction has failed, no loss may more than double in one leg
_TRAINED, _POLISHED = 0.85, 0.95  # where these end, as parts of a start
_NOTABLE = 0.02  # of a loss: a joint gain beyond that is warned of
_JACOBIAN = 0.2  # of a start from a trained model
_AGAIN, _WALKED = 0.3, 0.75  # of a step
_BY_FAR = 0.02  # an error of a prediction, from which less pull would do
_NOT_STARTED = "the navigation has no point yet; call start() first"


class Navigator(Shown):
    """Steers a problem from one Pareto point to the next.

    The problem's parameters always are those of the current point: they are written when a step is accepted, and
    an error or a rejected step leaves them as they were.

    Args:
        problem: what is steered.
        predictor: along the tangent space; by default in objective space.
        corrector: back to the front; by default Newton-Krylov along the normal. A model that comes trained is by
            default not led to a front at all: it is held where it is (``anchored_tangent``).
        geometry: how curvature is measured. Given, it stays; by default sample, tolerance and damping follow what
            predictions are worth, and long steps are taken in legs (``Trust``).
        approach: what brings a starting point to the front before ``corrector`` polishes it: that of a function,
            and a model that its problem says is untrained. By default descent with line search on functions, the
            problem's own recipe on models.
        session: where the visited points are kept: a folder, which is made, or resumed where it left off if it is a
            session already; or a ``Session``. None keeps them in memory. One process at a time can write to a
            folder; in a second one the navigator starts, too, but only looks and previews.

    Raises:
        SessionError: the folder is of another problem or other data, or its model was held otherwise; or it is damaged,
            or cannot be written.

    Example:
        >>> import paretonav as pn
        >>> nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
        >>> start = nav.start()
        >>> step = nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), amount=0.05)
        >>> step.status
        <StepStatus.ACCEPTED: 'accepted'>
        >>> round(step.achieved.train["f1"] / start.losses["f1"], 4), abs(round(step.achieved.train["f2"], 4))
        (-0.05, 0.0)
    """

    def __init__(
        self,
        problem: Problem,
        *,
        predictor: Predictor | None = None,
        corrector: Corrector | None = None,
        geometry: Geometry | None = None,
        approach: Corrector | None = None,
        session: Session | str | PathLike[str] | None = None,
    ) -> None:
        self.problem = problem
        self.predictor = predictor or ObjectiveSpace()
        # A model that comes trained is held where it is, unless somebody says how to lead it to the front.
        self.holds = (
            problem.comes_trained and corrector is None and approach is None and self.predictor.promises
        )
        self.corrector = corrector or (Stay() if self.holds else Newton())
        self.geometry = geometry or first_geometry(problem)
        self._adapts = geometry is None and problem.stochastic
        self.approach = approach or (None if problem.stochastic else MGDA(normalized=True))
        self.session = session if isinstance(session, Session) else Session(session, write=True)
        self._journal = Journal(self.session)
        self._current = self._journal.attach(problem, holds=self.holds)
        self._resumed = self._current is not None
        self._trained = False
        self._gains: dict[
            int, tuple[TrainOn, TrainingGain]
        ] = {}  # of the points at which they were asked for
        self._estimates: dict[What, Estimate] = {}  # that were asked for
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
    def records(self) -> tuple[Record, ...]:
        """The numbers of all visited points, in the order of their ids."""
        return self.session.records

    @property
    def tangent(self) -> Tangent:
        """The tangent space at the current point, solved again if it is no longer kept."""
        return self._tangent_of(self.here)

    def start(
        self,
        *,
        polish: bool = True,
        train_on: TrainOn | bool | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Point:
        """Go to a first Pareto point and make it the root of the navigation.

        Args:
            polish: False takes the problem's current parameters as they are, without any training or correction; a
                model that is held is so taken in any case.
            train_on: how to train a model that comes trained on, before the first point is made; True for
                ``TrainOn()``. Without it nothing is trained on.
            on_event: told how far it is (see ``Event``), in this thread, at most 20 times a second. What it raises ends
                the start.
            cancel: set it, from another thread or from ``on_event``, to stop at the next batch.

        A model that comes trained is left bit for bit as it is, unless the navigator was given a corrector, an
        approach or a predictor that leads it to the front. Anything else is brought to the front: by the problem's
        training recipe if it has one and has not been trained, by ``approach``, and by the corrector at the end. If
        all objectives could still fall together there by more than 2 % of any loss's size, a warning is logged: from
        there, navigation would sell training for trade-offs.

        In a resumed session there is nothing to do: it returns the point where that has ended.

        Raises:
            Cancelled: ``cancel`` was set. The model is as it came, or, if its training had been completed, as trained;
                another ``start`` leads to the same point as if there had been none before.
                What fails or is cancelled after ``train_on`` takes that back, too.
            NavigationError: it has started already, or another operation is under way; or ``train_on`` is asked of a
                function, or of a problem that brings its own recipe.
            ProblemError: the optimizer of ``train_on`` does not fit.
        """
        if self._resumed:
            self._resumed = False
            return self.here
        self._require_writable()
        if self._current is not None:
            raise NavigationError("the navigation has started already; go_to(0) returns to its first point")
        problem, how = self.problem, self._asked_training(train_on)
        expected = self._expected("start")
        came = None if how is None else problem.parameters()
        point = self._watched(lambda: self._start(how, polish), on_event, cancel, expected, came)
        if notable := _notable(point):
            logger.warning(
                "all objectives could still fall together by about %.3g, which is much for %s; train the model on "
                "before trading",
                point.joint_gain,
                notable,
            )
        return point

    def _start(self, how: TrainOn | None, polish: bool) -> Point:
        problem = self.problem
        with self._measured() as cost:
            if how is not None:
                self._train_on(how)
            if self.holds:
                correction = Correction(
                    problem.parameters(), None, problem.training_weights, None, 0, converged=True
                )
            elif polish:
                theta, weights = self._first_model()
                with problem.watch.part(_POLISHED, "polish"):
                    correction = self.corrector.correct(problem, theta, weights, self.geometry)
            else:
                correction = self._as_it_is()
            point, tangent = self._make_point(correction, None, None, cost, self._first_trust())
        problem.watch.finish()
        return self._accept(point, tangent, None)

    def estimate(self, what: What = "start") -> Estimate:
        """How long ``start`` or ``step`` will take, before it begins.

        Where steps have been taken in this session it is what the latest took, and after a start what that took for its
        passes. Otherwise the passes that are planned are counted, and a batch or two are timed, which takes a part of
        an epoch. Point, model and costs stay as they are. What was asked here is where the time left begins in
        the events of what is asked for next.

        A step of several legs takes that often as long. What ``start`` is to train first, by the problem's own recipe
        or by ``train_on``, is not included.

        Args:
            what: "start" or "step".

        Raises:
            NavigationError: it has started already, another operation is under way, or nothing is known of the problem,
                a function, of which nobody knows how often it will be evaluated.
        """
        if what not in get_args(What):
            raise NavigationError(f"there is no estimate of {what!r}; ask for 'start' or 'step'")
        if what == "start" and self._current is not None and not self._resumed:
            raise NavigationError("the navigation has started already; ask for the estimate of a 'step'")
        if what == "start" and self._resumed:
            return Estimate(0.0, 0.0, "no time: the session goes on where it was left")
        found = self._from_records() if what == "step" else None
        if found is None and not self.problem.stochastic:
            raise NavigationError(
                "nobody knows how often a function will be evaluated on its way to the front; its steps can be "
                "estimated when there has been one"
            )
        if found is None:
            work = planned(self.problem, self._effort, what, held=self.holds)
            pace = self._watched(lambda: Pace.measured(self.problem, self._effort))
            untrained = what == "start" and self.problem.needs_training
            found = Estimate.of(
                pace.seconds(work),
                epochs(work, self.problem, self._effort),
                ", and its training, of which the time is not known before" if untrained else "",
            )
        self._estimates[what] = found
        return found

    def training_gain(
        self,
        how: TrainOn | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> TrainingGain:
        """How much more training at the current point's weights would lower each validation loss, measured.

        A short descent is made and forgotten: point and model stay as they are. Asked again, it costs nothing.

        Args:
            how: the descent; by default three epochs at most, ended by the first that does not pay.
            on_event: as in ``step``.
            cancel: as in ``step``.

        Raises:
            Cancelled: ``cancel`` was set.
            NavigationError: it has not started, another operation is under way, or the problem is a function.
            ProblemError: the optimizer does not fit.
            NonFiniteError: a loss or a gradient is not finite on the way.
        """
        here, how = self.here, SHORT if how is None else how
        if not isinstance(how, TrainOn):
            raise NavigationError(f"training_gain({how!r}) is not possible; give a TrainOn, or None")
        if not self.problem.stochastic:
            raise NavigationError("a function has no data to train on, so there is no gain to measure")
        if here.id in self._gains and self._gains[here.id][0] == how:
            return self._gains[here.id][1]
        weights = torch.from_numpy(here.front.weights)
        descent = how

        def measured() -> TrainingGain:
            with self._measured() as cost, self.problem.watch.part(1.0, "train on"):
                trained = train_on(self.problem, weights, descent)
            return TrainingGain.of(self.problem, weights, trained, cost)

        gain = self._watched(measured, on_event, cancel)
        self._gains[here.id] = how, gain
        return gain

    @property
    def known_training_gain(self) -> TrainingGain | None:
        """What ``training_gain`` has last said at the current point; None if it was not asked there."""
        return self._gains[self.here.id][1] if self.here.id in self._gains else None

    def preview(self, preference: Preference, amount: float | None = None) -> Preview:
        """What ``step`` would do; algebra in the objectives' dimension, no pass over data.

        It can be stepped on, ``nav.step(preview)``, as long as the navigation is where it was made.

        Args:
            preference: what is wanted.
            amount: how much of it; None for the preference's own: all the way of an ``Aim``, 0.05 of others.

        Raises:
            PreferenceError: the preference makes no sense for this problem.
            InfeasiblePreferenceError: the front does not allow it; carries the reason and the reach.
            BusyError: it would have to solve for the tangent, which is no longer kept, while another thread's
                operation is under way.
        """
        here = self.here
        planned = self._plan(preference, amount)
        wish, plan, front = planned.wish, planned.plan, planned.front
        changes = plan.changes
        return Preview(
            plan=plan,
            requested=plan.requested,
            predicted=predictions(front, plan),
            weights=named(front.names, plan.weights),
            trusted=plan.modelled == 1 and here.trust.share(front, plan.changes[: front.m]) == 1,
            attainable=plan.attainable,
            nearest={wish.names[i]: float(front.values[i] + changes[i]) for i in wish.named},
            modelled=plan.modelled,
            planned=planned,
            _reach=lambda: self.predictor.reach(front, lambda: self._tangent_of(here), wish),
        )

    def trial(
        self,
        preference: Preference | Preview,
        amount: float | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Trial:
        """What ``preview`` predicts, measured on the model moved along the tangent: no step, one forward pass.

        The current point and the problem's parameters stay as they are. What a step comes to differs from it by what
        the predictor's alignment and the corrector do.

        Args:
            preference: what is wanted, or its preview.
            amount: how much of it; None for the preference's own, or the preview's.
            on_event: as in ``step``.
            cancel: as in ``step``.

        Raises:
            Cancelled: ``cancel`` was set.
            PreferenceError, InfeasiblePreferenceError: as ``preview``.
            NavigationError: another operation is under way, or the preview is of another point or navigator.
        """
        here = self.here

        def measured() -> Trial:
            with self.problem.watch.part(1.0, "measure"):
                made = self._planned(preference, amount)
                return trial(self.problem, here, made.crease or self._tangent_of(here), made.plan)

        return self._watched(measured, on_event, cancel)

    def step(
        self,
        preference: Preference | Preview,
        amount: float | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Step:
        """Go to the point that ``preview`` shows: predict, correct, and check what was achieved.

        A step is kept only if everything that the preview shows came out at most a little worse than predicted: each
        training loss, validation loss and metric, named or not; and if what was named came out as asked. Where a part
        of the way does, that much is taken and reported as shortened; where none does, the model is where it was, and
        the step is reported as rejected, with what broke the promise. An ``Aim`` that is out of reach ends at the
        nearest outcome, and is reported as shortened. The published method makes no promises: its steps are kept
        unless what was to improve has not.

        Args:
            preference: what is wanted, or its preview.
            amount: how much of it; None for the preference's own, or the preview's.
            on_event: told how far it is (see ``Event``), in this thread, at most 20 times a second. What it raises ends
                the step, and the model is where it was.
            cancel: set it, from another thread or from ``on_event``, to stop at the next batch.

        Raises:
            Cancelled: ``cancel`` was set; the model is where it was.
            PreferenceError, InfeasiblePreferenceError: as ``preview``.
            NonFiniteError: a loss or a derivative is not finite there; the model is where it was.
            NavigationError: another operation is under way, or the preview is of another point or navigator.
        """
        before = self.here
        self._require_writable()
        return self._watched(
            lambda: self._step(before, preference, amount), on_event, cancel, self._expected("step")
        )

    def _step(self, here: Point, asked_for: Preference | Preview, amount: float | None) -> Step:
        self.problem.watch.saw(self.problem.names, here.train.mean)
        with self._measured() as cost:
            made = self._planned(asked_for, amount)
            preference, plan, front, crease = made.preference, made.plan, made.front, made.crease
            began = crease or self.tangent
            start, way = front, plan
            if here.anchor is not None and began is not self._journal.tangent(here.id):
                # It was solved for anew, and its ways are not quite those that the front was measured along.
                start = replace(
                    FrontModel.from_tangent(self.problem, began, here.trust.geometry), asked=front.asked
                )
                way = self.predictor.plan(start, lambda: began, plan.wish, plan.amount)
            go = seek if plan.wish.fit is Fit.NEAREST else walk
            with self.problem.watch.part(_WALKED):
                gone = go(
                    self.problem,
                    self.predictor,
                    self.corrector,
                    here.trust,
                    start,
                    began,
                    way,
                )
            asked = preference, plan.amount, gone.legs
            if gone.correction is None:
                train, held_out = (None, gone.losses) if front.asked == "validation" else (gone.losses, None)
                return step_report(
                    here, here, plan, train, held_out, StepStatus.REJECTED, gone.reason, cost, *asked
                )
            plans = [plan.share(front, gone.amount / plan.amount if plan.amount else 1.0)]
            if plan.wish.fit is not Fit.NEAREST:
                plans = promises(self.predictor, front, began, plan, gone.amount)
            tangent = tangent_after(
                self.problem, gone.correction, gone.tangent, gone.trust.geometry, weaker=gone.error < _BY_FAR
            )
            correction = replace(gone.correction, tangent=tangent)
            held_out = gone.losses if front.asked == "validation" else None
            point, tangent = self._make_point(
                correction, preference, plans[0].amount, cost, gone.trust, held_out
            )
            taken, lost = best_kept(front, plans, point.train, point.held_out, gone.legs)
            if not self.predictor.promises:
                lost = ()
            if plan.wish.fit is Fit.NEAREST and gone.legs != 1:
                lost = ()  # every leg has been planned anew, and has come true; or there was nowhere to go
            worse = [str(lost[0])] if lost else worse_metrics(plan.wish, here, point)
            if worse:
                return step_report(
                    here,
                    here,
                    taken,
                    point.train,
                    point.held_out,
                    StepStatus.REJECTED,
                    worse[0],
                    cost,
                    *asked,
                )
        status = StepStatus.SHORTENED if gone.reason else StepStatus.ACCEPTED
        remarks = [gone.reason] if gone.reason else []
        if taken.modelled < 1:
            known = 100 * taken.modelled * taken.amount
            remarks.append(f"it took {gone.legs} legs, and beyond {known:.2g} % the prediction was a guess")
        elif gone.legs > 1:
            remarks.append(f"it took {gone.legs} legs, so the prediction for all of it was a guess")
        if not gone.correction.converged:
            remarks.append(f"the corrector stopped with a joint gain of {point.joint_gain:.2g} left")
        remarks += misses(
            taken, target_of(taken, front, self.problem), replace(point.front, asked=front.asked)
        )
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
        self.problem.watch.require_idle()
        point = self._journal.whole(point_id)
        return undisturbed(
            lambda: self._moved(point, lambda: self._journal.go_to(point_id), self._is_current)
        )

    def test_losses(self) -> Estimates:
        """The losses of the current model on the test data, name -> value, with standard errors; one forward pass.

        They are there to be seen: nothing is ever chosen by them.

        Raises:
            NavigationError: the problem has no test data, or there is no point yet.
        """
        if not self.problem.has_test:
            raise NavigationError("there are no test data; give test= to the problem")
        losses = self.problem.evaluate(self.here.parameters, "test")
        return Estimates.of(self.problem.names, losses.mean, losses.standard_error(), len(losses.fractions))

    def export(self, path: str | PathLike[str], *, card: bool = False) -> None:
        """Write the current model's state_dict to a ``.safetensors`` file, whole or not at all.

        It loads without paretonav: ``model.load_state_dict(safetensors.torch.load_file(path))``. The file's
        metadata has the losses, the weights and the number of the point. With ``card``, the model card
        (``Session.card``) is written next to it, under the same name with ``.md``.
        """
        self.session.export(path, self.here.id, card=card)

    def _display(self) -> Display:
        if self._current is None:
            return Display("Navigator, not started; call start()")
        shown = self._current._display()
        return replace(shown, title=f"Navigator at {shown.title[:1].lower()}{shown.title[1:]}")

    @property
    def _effort(self) -> Geometry:
        """How curvature is measured next."""
        return self.geometry if self._current is None else self._current.trust.geometry

    def _from_records(self) -> Estimate | None:
        """What a step takes, by what this session has recorded; None where that says nothing."""
        problem, records = self.problem, self.session.records
        steps = [record.cost for record in records if record.parent is not None]
        if steps or not records or not self.holds:
            return recorded(steps, problem, self._effort)
        start = records[0].cost
        work = epochs(planned(problem, self._effort, "step", held=True), problem, self._effort)
        spent = epochs(start, problem, self._effort)
        return Estimate.of(work * start.seconds / spent, work) if spent > 0 else None

    def _expected(self, what: What) -> float | None:
        """Seconds that a start or a step should take, as far as that is known without measuring anything."""
        found = (self._from_records() if what == "step" else None) or self._estimates.get(what)
        if found is not None:
            logger.info("the %s is expected to take %s", what, found.words)
        elif self.holds:
            work = planned(self.problem, self._effort, what, held=True)
            logger.info(
                "the %s is expected to take about %.2g epochs", what, epochs(work, self.problem, self._effort)
            )
        return None if found is None else found.seconds

    def _require_writable(self) -> None:
        if not self.session.writable:
            raise SessionError(
                f"the session in {str(self.session.path)!r} is open for reading only, so no step can be taken"
                + (f": {self.session.owner} writes to it; end that first" if self.session.owner else "")
            )

    def _first_trust(self) -> Trust:
        if not self._adapts:
            return Trust(np.inf, self.geometry, adapts=False)
        if self.holds:
            return Trust(_FIRST_RADIUS, self.geometry, adapts=True)
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

    def _asked_training(self, train_on: TrainOn | bool | None) -> TrainOn | None:
        if train_on is None or train_on is False:
            return None
        how = TrainOn() if train_on is True else train_on
        if not isinstance(how, TrainOn):
            raise NavigationError(f"train_on={train_on!r} is not possible; give True, a TrainOn, or None")
        if not self.problem.stochastic:
            raise NavigationError(
                "train_on is for models; a function has no data to train on, and start() descends it by itself"
            )
        if type(self.problem).train is not Problem.train:
            raise NavigationError(
                "train_on is for models that come trained; this problem brings its own recipe, which start() runs"
            )
        return how

    def _train_on(self, how: TrainOn) -> None:
        """Descend before the first point; ``_watched`` undoes it if what follows fails."""
        problem = self.problem
        with problem.watch.part(_TRAINED, "train on"):
            trained = train_on(problem, problem.training_weights, how)
        if trained.kept:
            problem.set_parameters(trained.theta)
        logger.info(
            "trained on for %d epochs and kept what was there after %d; %s losses: %s",
            trained.epochs,
            trained.kept,
            trained.on,
            ", ".join(
                f"{name} {before:.4g} -> {after:.4g}"
                for name, before, after in zip(
                    problem.names, trained.before.mean.tolist(), trained.losses.mean.tolist(), strict=True
                )
            ),
        )

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

    def _planned(self, asked_for: Preference | Preview, amount: float | None) -> Planned:
        """The plan of a preview, if that still holds, or a new one."""
        if not isinstance(asked_for, Preview):
            return self._plan(asked_for, amount)
        planned = asked_for.planned
        if amount is not None:
            raise NavigationError(
                f"a preview has its amount, {planned.plan.amount:.4g}; give the preview alone"
            )
        if planned.by is not self:
            raise NavigationError("the preview was made by another navigator; make one with this navigator")
        if planned.point != self.here.id:
            raise NavigationError(
                f"the preview was made at point {planned.point}, and this is point {self.here.id}; make one here, or "
                f"go_to({planned.point}) first"
            )
        return planned

    def _plan(self, preference: Preference, amount: float | None) -> Planned:
        """The plan for a preference at the current point."""
        if not hasattr(preference, "wish"):
            raise PreferenceError(
                f"{preference!r} is not a preference; use Improve, Direction, Aim, Classify or Prefer"
            )
        if amount is None:
            amount = getattr(preference, "default_amount", DEFAULT_AMOUNT)
        here = self.here
        on = self.predictor.on or getattr(preference, "on", None)
        front = here.front if on is None else here.front.on(on)
        wish = preference.wish(situation(front, lambda: self._visited(front.asked)))
        made = plan_from_creases(
            self.problem,
            self.predictor,
            here.trust.geometry,
            front,
            lambda: self._tangent_of(here),
            wish,
            check_amount(amount),
        )
        return Planned(preference, wish, *made, point=here.id, by=self)

    def _visited(self, split: Split) -> list[dict[str, float]]:
        return [{**point.values.on(split), **point.metrics} for point in self.records]

    def _make_point(
        self,
        correction: Correction,
        preference: Preference | None,
        amount: float | None,
        cost: Cost,
        trust: Trust,
        held_out: Losses | None = None,
    ) -> tuple[Point, Tangent]:
        problem = self.problem
        tangent = correction.tangent
        with problem.watch.part(1.0, "measure"):
            if tangent is None:
                with problem.watch.part(0.7):
                    tangent = (
                        anchored_tangent(problem, correction.theta, trust.geometry)
                        if self.holds
                        else tangent_at(problem, correction.theta, correction.weights, trust.geometry)
                    )
            front = FrontModel.from_tangent(problem, tangent, trust.geometry, known=held_out)
        _require_finite_front(front)
        shown = front.validation_losses or tangent.losses
        if self._current is None:
            require_finite_metrics(shown)
        point = Point(
            id=len(self.session),
            parent=None if self._current is None else self._current.id,
            parameters=tangent.theta,
            train=tangent.losses,
            held_out=front.validation_losses,
            front=front,
            preference=preference,
            amount=amount,
            cost=cost,
            trust=trust,
        )
        return point, tangent

    def _accept(self, point: Point, tangent: Tangent, step: Step | None) -> Point:
        record = Record.of(point, step)
        return undisturbed(
            lambda: self._moved(point, lambda: self._journal.add(record, point, tangent), self._is_kept)
        )

    def _moved(self, point: Point, move: Callable[[], object], has_moved: Callable[[Point], bool]) -> Point:
        """Move the session to a point, and this with it: both, or neither, whatever breaks that off."""
        try:
            move()
            self._current = point
            self.problem.set_parameters(point.parameters)
        except BaseException:
            if has_moved(point):
                self._current = point
            if self._current is not None:
                self.problem.set_parameters(self._current.parameters)
            raise
        return point

    def _is_kept(self, point: Point) -> bool:
        return len(self.session) > point.id

    def _is_current(self, point: Point) -> bool:
        current = self.session.current
        return self.session.writable and current is not None and current.id == point.id

    def _watched(
        self,
        work: Callable[[], T],
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        expected: float | None = None,
        came: Tensor | None = None,
    ) -> T:
        """One long operation, after whose failure the model is that of the current point, whatever has failed.

        Without such a point it has the parameters ``came`` [n], if they are given.

        Raises:
            NavigationError: the model is no longer that of the current point: somebody has changed it.
        """
        watch = self.problem.watch
        watch.require_idle()
        changed = None if self._current is None else self.problem.changed_since(self._current.parameters)
        if changed is not None:
            raise NavigationError(
                f"{changed} of the model changed since point {self.here.id} was made (trained on, say), so nothing "
                f"here is about it; go_to({self.here.id}) brings that point's parameters back, and a new Navigator "
                "starts from the model as it is"
            )
        try:
            with differentiable(), watch.over(on_event, cancel, expected):
                return work()
        except BaseException:
            watch.let_go()
            if watch.active:  # in another thread, which was faster
                raise
            if self._current is not None:
                self.problem.set_parameters(self._current.parameters)
            elif came is not None:
                self.problem.set_parameters(came)
            raise

    def _tangent_of(self, point: Point) -> Tangent:
        tangent = self._journal.tangent(point.id)
        if tangent is None:
            self.problem.watch.require_free()
            weights, anchor = torch.from_numpy(point.front.weights), point.front.anchor
            with self.problem.watch.part(_AGAIN, "solve for the tangent"):
                tangent = (
                    tangent_at(self.problem, point.parameters, weights, point.trust.geometry)
                    if anchor is None
                    else anchored_tangent(
                        self.problem,
                        point.parameters,
                        point.trust.geometry,
                        pull=anchor.part,
                        axes=torch.from_numpy(point.front.weight_basis),
                    )
                )
            if anchor is None:  # else its ways are not quite those of the point's front
                self._journal.keep_tangent(point.id, tangent)
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


def _notable(point: Point) -> str:
    """The losses against which the joint gain of a point is much, with its share of each; empty if there are none."""
    return ", ".join(
        f"{name} ({100 * point.joint_gain / abs(loss):.1f} % of it)" if loss else f"{name} (which is 0)"
        for name, loss in point.losses.items()
        if point.joint_gain > _NOTABLE * abs(loss)
    )


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
    if front.validation_response is not None:
        finite = np.isfinite(front.validation_response).all(axis=1)
        if not finite.all():
            raise NonFiniteError(
                f"objective {front.names[int(finite.argmin())]!r} is not finite on validation data next to the model, "
                "however near; look for a root or a logarithm at zero"
            )
