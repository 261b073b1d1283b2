"""Walking along the front: start, preview, step, undo."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, get_args

import torch

from paretonav.atlas import Cover, FrontMap, Route
from paretonav.atlas.ranking import Candidate
from paretonav.display import Display, Shown
from paretonav.errors import NavigationError, PreferenceError, SessionError
from paretonav.geometry import Geometry, Tangent
from paretonav.navigation.beginning import Beginning, asked_training, first_trust, warn_if_untrained
from paretonav.navigation.covering import Covering
from paretonav.navigation.expectations import Expectations
from paretonav.navigation.exporting import export
from paretonav.navigation.gains import Gains
from paretonav.navigation.measuring import Spending, measured_at
from paretonav.navigation.news import Callback, Callbacks, News
from paretonav.navigation.one_step import OneStep
from paretonav.navigation.overview import Overview
from paretonav.navigation.position import Position
from paretonav.navigation.several import first_alone
from paretonav.objectives import Cost, Event, Problem
from paretonav.objectives.finite import require_finite_metrics
from paretonav.objectives.problem import Split
from paretonav.processes import Group, World, launched
from paretonav.session import Journal, Record, Session
from paretonav.steering.changes import Estimates
from paretonav.steering.planning.planned import Planned
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences import DEFAULT_AMOUNT, Aim, On, Preference, Units, check_amount
from paretonav.steering.preferences.situation import situation
from paretonav.steering.reporting.estimate import Estimate, What, epochs
from paretonav.steering.reporting.point import Point, Preview, Step, named
from paretonav.steering.reporting.report import Report
from paretonav.steering.reporting.training_gain import TrainingGain
from paretonav.steering.reporting.trial import Trial, trial
from paretonav.steering.stepping.correctors import Corrector
from paretonav.steering.stepping.creases import Side, plan_from_creases
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import Predictor
from paretonav.steering.stepping.train_on import TrainOn

logger = logging.getLogger(__name__)

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
        group: of processes among which passes over the data are divided: one of torch.distributed, or "world" for all
            that were launched. All of them make the same problem and call this. It returns in the first one alone,
            which goes on as if there were no others; these work for it until it ends, and then end themselves
            (``SystemExit``). ``Processes`` is for those that have something to do afterwards.
        callbacks: functions, or loggers (``paretonav.loggers``), that are told the ``News`` after the start and every
            step, those of a cover and rejected ones included, in the thread that computes. What one raises is logged as
            a warning; the step stays.

    Raises:
        SessionError: the folder is of another problem or other data, or its model was held otherwise; or it is damaged,
            or cannot be written.
        ProcessesError: the processes of the group do not have the same problem, or one is gone.

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
        group: Group | World | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        if group is not None:
            first_alone(problem, group)
        elif problem.stochastic and problem.processes == 1 and launched():
            logger.warning(
                "this is one of several processes, and steers alone; group='world' divides the work among them"
            )
        self.problem = problem
        self._callbacks = Callbacks(callbacks)
        self.method = Method.of(problem, predictor, corrector, approach, geometry)
        self.session = session if isinstance(session, Session) else Session(session, write=True)
        self._journal = Journal(self.session)
        self._at = Position(problem, self._journal, self._journal.attach(problem, holds=self.holds))
        self._resumed = self._at.point is not None
        self._beginning = Beginning(problem)
        self._expectations = Expectations(problem, self.session, holds=self.holds)
        self._gains = Gains(self._at)
        self._overview = Overview(problem, self.session, self.method)
        if not self.session.writable:
            logger.warning(
                "the session in %s is for reading only: %s; previews work, steps do not",
                self.session.path,
                f"{self.session.owner} writes to it" if self.session.owner else "it was opened so",
            )

    @property
    def holds(self) -> bool:
        """Whether the model is held where it is, rather than led to a front."""
        return self.method.holds

    @property
    def started(self) -> bool:
        """Whether there is a current point."""
        return self._at.point is not None

    @property
    def here(self) -> Point:
        """The current point."""
        if self._at.point is None:
            raise NavigationError(_NOT_STARTED)
        return self._at.point

    @property
    def records(self) -> tuple[Record, ...]:
        """The numbers of all visited points, in the order of their ids."""
        return self.session.records

    @property
    def tangent(self) -> Tangent:
        """The tangent space at the current point, solved again if it is no longer kept."""
        return self._at.tangent_of(self.here)

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
        if self.started:
            raise NavigationError("the navigation has started already; go_to(0) returns to its first point")
        how = asked_training(self.problem, train_on)
        expected = self._expectations.seconds("start", self._effort)
        came = None if how is None else self.problem.parameters()
        point = self._at.watched(lambda: self._start(how, polish), on_event, cancel, expected, came)
        warn_if_untrained(point)
        self._tell(point, None, point.cost)
        return point

    def _start(self, how: TrainOn | None, polish: bool) -> Point:
        spending = Spending(self.problem)
        correction = self._beginning.model(self.method, how, polish=polish)
        trust = first_trust(self.problem, self.method)
        place = measured_at(self.problem, correction, trust, holds=self.holds)
        require_finite_metrics(place.measured.shown)
        point = Point.at(place, id=len(self.session), parent=None, cost=spending.cost())
        self.problem.watch.finish()
        return self._at.accept(point, place.tangent, None)

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
        if what == "start" and self.started and not self._resumed:
            raise NavigationError("the navigation has started already; ask for the estimate of a 'step'")
        if what == "start" and self._resumed:
            return Estimate(0.0, 0.0, "no time: the session goes on where it was left")
        return self._expectations.estimate(what, self._effort, self._at.watched)

    def training_gain(
        self,
        how: TrainOn | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> TrainingGain:
        """How much more training at the current point's weights would lower each validation loss, measured.

        A short training is made and forgotten: point and model stay as they are. Asked again, it costs nothing.

        Args:
            how: the descent; by default the first two rounds of ``TrainOn()``, fifteen epochs.
            on_event: as in ``step``.
            cancel: as in ``step``.

        Raises:
            Cancelled: ``cancel`` was set.
            NavigationError: it has not started, another operation is under way, or the problem is a function.
            ProblemError: the optimizer does not fit.
            NonFiniteError: a loss or a gradient is not finite on the way.
        """
        return self._gains.measured(self.here, how, on_event, cancel)

    @property
    def known_estimate(self) -> Estimate | None:
        """What a step is expected to take, as far as that is known without measuring anything; else None."""
        return self._expectations.known("step", self._effort)

    @property
    def known_training_gain(self) -> TrainingGain | None:
        """What ``training_gain`` has last said at the current point; None if it was not asked there."""
        return self._gains.known(self.here)

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
        return self._preview(self.here, preference, amount)

    def _preview(self, here: Point, preference: Preference, amount: float | None) -> Preview:
        planned = self._plan(here, preference, amount)
        wish, plan, front = planned.wish, planned.plan, planned.front
        changes = plan.changes
        return Preview(
            planned=planned,
            predicted=predictions(front, plan),
            weights=named(front.names, plan.weights),
            trusted=plan.modelled == 1 and here.trust.share(front, plan.changes[: front.m]) == 1,
            nearest={wish.names[i]: float(front.values[i] + changes[i]) for i in wish.named},
            _reach=lambda: self.method.predictor.reach(front, lambda: self._at.tangent_of(here), wish),
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
                made = self._planned(here, preference, amount)
                return trial(self.problem, here, made.crease or self._at.tangent_of(here), made.plan)

        return self._at.watched(measured, on_event, cancel)

    def step(
        self,
        preference: Preference | Preview | Route,
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
        nearest outcome, and is reported as shortened. A route that is rejected leaves one where one was, which need not
        be where it begins. The published method makes no promises: its steps are kept unless what was to improve has
        not.

        Args:
            preference: what is wanted, or its preview; or a route of the ``map``, which begins at a point of its own.
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
        if isinstance(preference, Route):
            before, preference = self._journal.whole(preference.start), preference.preview
        step = self._at.watched(
            lambda: self._step(before, preference, amount, last=True),
            on_event,
            cancel,
            self._expectations.seconds("step", self._effort),
        )
        self._tell(step.point, step, step.cost)
        return step

    def _step(
        self, here: Point, asked_for: Preference | Preview, amount: float | None, *, last: bool
    ) -> Step:
        """A step from any point; ``last`` says that it is all of the operation."""
        self.problem.watch.saw(self.problem.names, torch.from_numpy(here.front.losses))
        spending = Spending(self.problem)
        made = self._planned(here, asked_for, amount)
        preference, plan = made.preference, made.plan
        tangent = made.crease or self._at.tangent_of(here)
        anew = here.anchor is not None and tangent is not self._journal.tangent(here.id)
        start = Place(made.front, tangent, here.trust)

        def point_at(place: Place, taken: float) -> Point:
            return Point.at(
                place,
                id=len(self.session),
                parent=here.id,
                cost=spending.cost(),
                preference=preference,
                amount=taken,
            )

        report = Report(here, preference, plan.amount, spending.cost)
        step, place = OneStep(self.problem, self.method, here, start, plan, anew).take(report, point_at)
        if place is not None:
            if last:
                self.problem.watch.finish()
            self._at.accept(step.point, place.tangent, step)
        return step

    def map(self, *, on: On | None = None) -> FrontMap:
        """All that is known of the front: the models around all visited points, side by side.

        ``nav.map().preview({"f1": 0.3})`` says from which of them to go to an outcome, and where that would lead;
        ``nav.step`` of it goes there.

        Args:
            on: the data whose losses are meant, as in preferences.

        Raises:
            NavigationError: it has not started, or its predictor is the published one, which plans no outcomes.
        """
        here = self.here
        self._overview.require_promises("a map")
        charts = self._overview.charts(on)
        region = self._overview.region({}, on, "range")
        visited = self._visited(charts[0].front.asked)
        return FrontMap(charts, region, on, self._overview.chart(here.id, on), visited, self._route)

    def cover(
        self,
        count: int,
        *,
        allow: Mapping[str, float] | None = None,
        on: On | None = None,
        units: Units = "range",
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Cover:
        """Points that are spread evenly along the front, by steps from those that are there.

        First it goes to the ends, where one objective is as good as it gets within the bounds. With two objectives it
        then goes to places at equal distances along the front as the models around all visited points have it between
        them; with more always to the predicted outcome that is furthest from all that is there. Every point is an
        ordinary one of the session. What is there is used: asked for again, also in a resumed session, it goes on
        where it was, and takes no step where nothing is missing. Afterwards one is where one was before.

        Args:
            count: of the points; 1 is the current one.
            allow: name -> the worst value of a loss or metric that counts, as in preferences. Around a model that is
                held the front ends nowhere; there no loss may be more than twice what it is at the first point, unless
                this says otherwise.
            on: the data whose losses are meant, as in preferences.
            units: in which distances between outcomes are counted: "range", in parts of each loss's range between the
                ends; "relative", in parts of the values at the first point; "absolute", in their own units.
            on_event: told how far it is, as in ``step``.
            cancel: set it to stop at the next batch, as in ``step``.

        Returns:
            The points, also where they are fewer than were wanted: because the front has gaps that no walk crosses, or
            steps were rejected. It says which, and why.

        Raises:
            Cancelled: ``cancel`` was set. Points that have been reached by then stay.
            PreferenceError: the bounds, data or units make no sense for this problem.
            NavigationError: the count is no positive integer, it has not started, another operation is under way, or
                its predictor is the published one, which makes no promises.
        """
        here = self.here
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise NavigationError(f"a cover of {count!r} points is not possible; give a positive integer")
        self._require_writable()
        self._overview.require_promises("a cover")
        region = self._overview.region({} if allow is None else allow, on, units)
        covering = Covering(
            problem=self.problem,
            region=region,
            wanted=count,
            on=on,
            holds=self.holds,
            charts=lambda: self._overview.charts(on),
            records=lambda: self.records,
            take=self._take,
            notes=self._overview.notes(region, on),
        )
        seconds = self._expectations.seconds("step", self._effort)
        return self._at.watched(
            lambda: self._covered(covering, here.id),
            on_event,
            cancel,
            None if seconds is None else count * seconds,
        )

    def _take(self, start: int, aim: Aim) -> Step:
        """A step of a cover."""
        step = self._step(self._journal.whole(start), aim, None, last=False)
        self._tell(step.point, step, step.cost)
        return step

    def _tell(self, point: Point, step: Step | None, cost: Cost) -> None:
        passed = None if self.problem.examples is None else epochs(cost, self.problem, point.trust.geometry)
        self._callbacks.tell(News(point, step, cost, passed, self.session))

    def _covered(self, covering: Covering, start: int) -> Cover:
        try:
            made = covering.made(start)
            self.problem.watch.finish()
            return made
        finally:
            if self.here.id != start:
                self._at.go_to(start)

    def undo(self) -> Point:
        """Go back to the point that the current one was reached from."""
        if self.here.parent is None:
            raise NavigationError("there is nothing to undo: this is the first point")
        return self.go_to(self.here.parent)

    def go_to(self, point_id: int) -> Point:
        """Make an earlier point the current one; the next step branches off there."""
        if not self.started:
            raise NavigationError(_NOT_STARTED)
        self.problem.watch.require_idle()
        return self._at.go_to(point_id)

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

    def export(
        self,
        path: str | PathLike[str],
        *,
        card: bool = False,
        example: Sequence[Any] | Mapping[str, Any] | None = None,
        dynamic_shapes: Any = None,
    ) -> None:
        """Write the current model, whole or not at all, in a format that loads without paretonav.

        ====================  =====================================  ===============================================
        ``path``              what is written                        how it is loaded
        ====================  =====================================  ===============================================
        ``NAME.safetensors``  the state_dict; the metadata has the   ``load_state_dict`` of what
                              losses, the weights and the point      ``safetensors.torch.load_file(path)`` gives
        a folder              what the model's ``save_pretrained``   ``from_pretrained`` of transformers or peft
                              writes: adapters, if peft has made it
        ``NAME.pt2``          the program that torch.export makes    ``torch.export.load(path).module()``, without
                              of the model, and its parameters       the model's code
        ====================  =====================================  ===============================================

        Args:
            path: of the file or folder; a name without an ending is a folder, which must be empty if it is there.
            card: write the model card (``Session.card``) as well: next to a file, under the same name with ``.md``; in
                a folder, as its README.md.
            example: for a ``.pt2``, what the model is called with: a tuple, or a dict of keyword arguments, with two
                examples or more.
            dynamic_shapes: for a ``.pt2``, as ``torch.export.export`` takes it. None: the first dimension of every
                tensor may vary, where the model allows that.

        Raises:
            SessionError: it cannot be written, or not in that format; the message says why.
            NavigationError: there is no point yet, or the model has been changed since.
        """
        export(self._at, self.here.id, path, card=card, example=example, dynamic_shapes=dynamic_shapes)

    def _display(self) -> Display:
        if self._at.point is None:
            return Display("Navigator, not started; call start()")
        shown = self._at.point._display()
        return replace(shown, title=f"Navigator at {shown.title[:1].lower()}{shown.title[1:]}")

    @property
    def _effort(self) -> Geometry:
        """How curvature is measured next."""
        return self.here.trust.geometry if self.started else self.method.geometry

    def _require_writable(self) -> None:
        if not self.session.writable:
            raise SessionError(
                f"the session in {str(self.session.path)!r} is open for reading only, so no step can be taken"
                + (f": {self.session.owner} writes to it; end that first" if self.session.owner else "")
            )

    def _planned(self, here: Point, asked_for: Preference | Preview, amount: float | None) -> Planned:
        """The plan of a preview, if that still holds, or a new one."""
        if not isinstance(asked_for, Preview):
            return self._plan(here, asked_for, amount)
        planned = asked_for.planned
        if amount is not None:
            raise NavigationError(
                f"a preview has its amount, {planned.plan.amount:.4g}; give the preview alone"
            )
        if planned.by is not self:
            raise NavigationError("the preview was made by another navigator; make one with this navigator")
        if planned.point != here.id:
            raise NavigationError(
                f"the preview was made at point {planned.point}, and this is point {here.id}; make one here, or "
                f"go_to({planned.point}) first"
            )
        return planned

    def _plan(self, here: Point, preference: Preference, amount: float | None) -> Planned:
        """The plan for a preference at a point."""
        if not hasattr(preference, "wish"):
            raise PreferenceError(
                f"{preference!r} is not a preference; use Improve, Direction, Aim, Classify or Prefer"
            )
        if amount is None:
            amount = getattr(preference, "default_amount", DEFAULT_AMOUNT)
        on = self.method.predictor.on or getattr(preference, "on", None)
        front = here.front if on is None else here.front.on(on)
        wish = preference.wish(situation(front, lambda: self._visited(front.asked)))
        side = Side(front, lambda: self._at.tangent_of(here), here.trust.geometry)
        plan, side = plan_from_creases(self.problem, self.method.predictor, side, wish, check_amount(amount))
        return Planned(preference, wish, plan, side.front, side.crossed, point=here.id, by=self)

    def _route(self, best: Candidate, preference: Preference) -> Route:
        """The route from the point that was found to be best."""
        here = self._journal.whole(best.chart.point)
        preview = self._preview(here, preference, None)
        front, plan = preview.planned.front, preview.plan
        values = dict(zip(front.steerable, (front.values + plan.changes).tolist(), strict=True))
        share = here.trust.share(front, plan.changes[: front.m])
        legs = max(1, math.ceil(1 / share - 1e-9)) if share > 0 else 1
        return Route(
            here.id, preview, Estimates(values), legs, self._expectations.known("step", self._effort)
        )

    def _visited(self, split: Split) -> list[dict[str, float]]:
        return [{**point.values.on(split), **point.metrics} for point in self.records]
