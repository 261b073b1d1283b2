"""Events of starts and steps; a start or step that is stopped, at any place, has never been."""

import dataclasses
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.countdown import Countdown
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.navigation import beginning
from paretonav.objectives import watch
from paretonav.problems.trained import TrainedProblem
from paretonav.session import Journal

WISH = pn.Improve({"f1": 1.0})
Make = Callable[[], pn.Navigator]


class Regression(nn.Module):
    """A linear model that waits in one of its calls until a test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Linear(4, 1).double()
        self.calls = 0
        self.waits_in = 0
        self.entered, self.go_on = threading.Event(), threading.Event()

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.waits_in:
            self.entered.set()
            assert self.go_on.wait(60)
        return self.layers(x).squeeze(1)


def data(count: int, seed: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    return TensorDataset(x, torch.stack([x[:, 0] * x[:, 1], x[:, 1] - x[:, 2]], dim=1))


def model_problem(epochs: int = 10) -> TrainedProblem:
    """Two targets for one output, five batches for training, two for validation, a metric without a derivative."""
    torch.manual_seed(0)
    losses = {f"f{i + 1}": lambda out, b, i=i: (out - b[1][:, i]).square().mean() for i in (0, 1)}
    return TrainedProblem(
        Regression(),
        losses,
        data(60, 1),
        epochs=epochs,
        generator=torch.Generator().manual_seed(0),
        minibatch_size=20,
        learning_rate=5e-2,
        validation=data(24, 2),
        metrics={"signs": lambda out, b: (out.sign() == b[1][:, 0].sign()).double().mean()},
        weight_decay=1e-2,
        batch_size=12,
    )


def on_a_function() -> pn.Navigator:
    return pn.Navigator(pn.problems.quadratic(n=4, m=2))


def on_a_model() -> pn.Navigator:
    return pn.Navigator(model_problem())


def by_descent() -> pn.Navigator:
    return pn.Navigator(model_problem(), corrector=pn.correctors.AlignedDescent(epochs=3, batch_size=20))


def as_published() -> pn.Navigator:
    """But for the first model, which comes from the problem's own recipe."""
    published = pn.ppe(epochs=2, batch_size=20, learning_rate=1e-2)
    return pn.Navigator(
        model_problem(),
        predictor=published["predictor"],
        corrector=published["corrector"],
        geometry=published["geometry"],
    )


def state(nav: pn.Navigator) -> list[Tensor]:
    """All that the next step follows from."""
    here = nav.here
    front = [here.front.losses, here.front.weights, here.front.response, here.front.bend]
    return [nav.problem.parameters(), here.parameters, *map(torch.as_tensor, front), nav.tangent.basis]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def counts(cost: pn.Cost) -> tuple[float, ...]:
    return cost.forward_passes, cost.gradient_passes, cost.hessian_products


def require_sane(cost: pn.Cost, before: pn.Cost) -> None:
    for field in dataclasses.fields(cost):
        assert getattr(cost, field.name) >= getattr(before, field.name) >= 0


@pytest.mark.slow
@pytest.mark.parametrize("make", [on_a_function, on_a_model, by_descent, as_published])
def test_fractions_rise_to_one_and_time_runs_out(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_INTERVAL", 0.0)
    nav, told = make(), []
    nav.start(on_event=told.append)
    phases = [event.phase for event in told]
    assert phases[-1] == "measure"
    assert "" not in phases
    assert ("train the first model" in phases) == nav.problem.stochastic
    for amount in (0.02, 0.2):
        stepping: list[pn.Event] = []
        nav.step(WISH, min(amount, 0.5 * nav.preview(WISH, 1e-4).reach), on_event=stepping.append)
        assert {event.phase for event in stepping} >= {"predict", "return to the front", "measure"}
        assert all(event.losses is not None and event.losses.keys() == {"f1", "f2"} for event in stepping)
        assert all(event.seconds_left is not None for event in stepping if event.fraction > 0.1)
        told += stepping
        for events in (told[: len(phases)], stepping):
            fractions = [event.fraction for event in events]
            assert fractions == sorted(fractions)
            assert fractions[-1] == 1
            assert fractions.count(1) == 1
            assert len(set(fractions)) > 10
            assert [event.seconds for event in events] == sorted(event.seconds for event in events)
            assert events[-1].seconds_left == 0


def test_watching_changes_nothing() -> None:
    watched, alone = on_a_model(), on_a_model()
    watched.start(on_event=lambda _: None, cancel=threading.Event())
    alone.start()
    assert same(state(watched), state(alone))
    watched.step(WISH, 0.05, on_event=lambda _: None, cancel=threading.Event())
    alone.step(WISH, 0.05)
    assert same(state(watched), state(alone))


def test_a_step_on_a_function_stops_at_every_checkpoint_and_has_never_been() -> None:
    nav, twin = on_a_function(), on_a_function()
    nav.start()
    twin.start()
    everything = Countdown()
    wanted = twin.step(WISH, 0.05, cancel=everything)
    assert everything.asked > 30
    before, here = state(nav), nav.here
    for k in range(1, everything.asked + 1):
        spent = nav.problem.cost
        with pytest.raises(pn.Cancelled):
            nav.step(WISH, 0.05, cancel=Countdown(k))
        require_sane(nav.problem.cost, spent)
        assert nav.here is here
        assert len(nav.records) == 1
        assert not nav.problem.watch.active
    assert same(state(nav), before)
    step = nav.step(WISH, 0.05, cancel=Countdown(everything.asked + 1))
    assert same(state(nav), state(twin))
    assert counts(step.cost) == pytest.approx(counts(wanted.cost))
    assert dict(step.achieved.train) == dict(wanted.achieved.train)


@pytest.mark.slow
@pytest.mark.parametrize("make", [on_a_model, by_descent, as_published])
def test_a_step_on_a_model_stops_anywhere_and_has_never_been(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "_FIRST_RADIUS", 0.25)
    nav, twin = make(), make()
    nav.start()
    twin.start()
    amount = 0.15 if make is on_a_model else 0.03  # several legs, or one
    everything = Countdown()
    wanted = twin.step(WISH, amount, cancel=everything)
    assert (wanted.legs > 1) == (make is on_a_model)
    before = state(nav)
    for k in {
        1,
        2,
        everything.asked - 1,
        everything.asked,
        *range(3, everything.asked, everything.asked // 20),
    }:
        with pytest.raises(pn.Cancelled, match="the model is as it was"):
            nav.step(WISH, amount, cancel=Countdown(k))
        assert len(nav.records) == 1
        assert not nav.problem.watch.active
    assert same(state(nav), before)
    written = torch.cat([p.detach().reshape(-1) for p in nav.problem.model.parameters()])
    assert torch.equal(written, nav.here.parameters)
    step = nav.step(WISH, amount)
    assert same(state(nav), state(twin))
    assert counts(step.cost) == pytest.approx(counts(wanted.cost))
    assert nav.problem._own.pushforward._forward is not False


def test_a_start_stops_anywhere_and_has_never_been() -> None:
    twin, everything = on_a_function(), Countdown()
    twin.start(cancel=everything)
    nav = on_a_function()
    x = nav.problem.parameters()
    for k in {1, 2, everything.asked, *range(3, everything.asked, everything.asked // 20)}:
        with pytest.raises(pn.Cancelled):
            nav.start(cancel=Countdown(k))
        assert torch.equal(nav.problem.parameters(), x)
        assert nav.records == ()
        with pytest.raises(pn.NavigationError, match="no point yet"):
            _ = nav.here
    nav.start()
    assert same(state(nav), state(twin))


def test_a_training_stops_anywhere_and_has_never_been_until_it_is_complete() -> None:
    twin, everything = on_a_model(), Countdown()
    twin.start(cancel=everything)
    nav = on_a_model()
    x = nav.problem.parameters()
    for k in range(1, everything.asked, everything.asked // 25):
        with pytest.raises(pn.Cancelled):
            nav.start(cancel=Countdown(k))
        assert nav.records == ()
        if not nav.problem.needs_training:
            break
        assert torch.equal(nav.problem.parameters(), x)
    assert 30 < k < everything.asked - 30
    learnt = nav.problem.parameters()  # stays learnt
    assert not torch.equal(learnt, x)
    for k in (1, 10, 30):
        with pytest.raises(pn.Cancelled):
            nav.start(cancel=Countdown(k))
        assert torch.equal(nav.problem.parameters(), learnt)
    nav.start()
    assert same(state(nav), state(twin))


def test_a_training_in_place_is_undone() -> None:
    class InPlace(TrainedProblem):
        def train(self) -> Tensor:
            for _ in range(3):
                self.set_parameters(self.parameters() + 1)
                self.watch.checkpoint()
            return self.parameters()

    problem = model_problem()
    problem.__class__ = InPlace
    x = problem.parameters()
    with pytest.raises(pn.Cancelled):
        pn.Navigator(problem).start(cancel=Countdown(4))
    assert torch.equal(problem.parameters(), x)


def test_nothing_is_computed_where_cancelling_was_asked_for_before() -> None:
    nav = on_a_model()
    cancel = threading.Event()
    cancel.set()
    nav.problem.model.calls = 0
    with pytest.raises(pn.Cancelled):
        nav.start(cancel=cancel)
    nav.start(cancel=threading.Event())
    nav.problem.model.calls = 0
    with pytest.raises(pn.NavigationError, match="cancelled"):
        nav.step(WISH, 0.05, cancel=cancel)
    assert nav.problem.model.calls == 0


@pytest.mark.parametrize("error", [RuntimeError("no bar"), KeyError("no bar"), KeyboardInterrupt("no bar")])
@pytest.mark.parametrize("nth", [1, 2, 7, 40, 90])
def test_what_the_callback_raises_comes_out_and_nothing_is_lost(
    error: BaseException, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_INTERVAL", 0.0)
    nav = on_a_model()
    nav.start()
    before, count = state(nav), 0

    def fail(_: pn.Event) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise error

    with pytest.raises(type(error), match="no bar") as caught:
        nav.step(WISH, 0.05, on_event=fail)
    assert caught.value is error
    assert count == nth
    assert same(state(nav), before)
    assert nav.step(WISH, 0.05).status is not pn.StepStatus.REJECTED


@pytest.mark.parametrize("part", [0.0, 0.2, 0.7, 1.0])
def test_an_interrupt_in_the_model_loses_nothing(part: float) -> None:
    nav = on_a_model()
    nav.start()
    layers = nav.problem.model.layers
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    handle = layers.register_forward_pre_hook(count)
    nav.step(WISH, 0.05)
    handle.remove()
    nav.undo()
    before = state(nav)
    left = max(1, round(part * calls))

    def interrupt(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    handle = layers.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        nav.step(WISH, 0.05)
    handle.remove()
    assert same(state(nav), before)
    assert not nav.problem.watch.active


def test_what_a_corrector_has_written_into_the_model_is_undone() -> None:
    class Careless:
        def correct(self, problem, theta, weights, geometry, guide=None):
            problem.set_parameters(0 * theta)
            raise LookupError("lost")

    nav = on_a_function()
    nav.start()
    nav.method = replace(nav.method, corrector=Careless())
    with pytest.raises(LookupError, match="lost"):
        nav.step(WISH, 0.05)
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)


@pytest.mark.parametrize("after", ["keeping", "writing"])
def test_an_interrupt_when_a_point_has_been_kept_leaves_it_accepted(
    after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nav = on_a_function()
    nav.start()
    owner, name = (Journal, "add") if after == "keeping" else (type(nav.problem), "set_parameters")
    method = getattr(owner, name)

    def interrupted(*arguments: object) -> None:
        method(*arguments)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        nav.step(WISH, 0.05)
    assert len(nav.records) == 2
    assert nav.here.id == 1
    assert torch.equal(nav.problem.parameters(), nav.here.parameters)
    assert nav.session.current.id == 1


def test_a_session_on_disk_has_nothing_of_a_cancelled_step(tmp_path: Path) -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=4, m=2), session=tmp_path / "run")
    nav.start()
    everything = Countdown()
    for k in (1, 20, 50):
        with pytest.raises(pn.Cancelled):
            nav.step(WISH, 0.05, cancel=Countdown(k))
    nav.session.close()
    again = pn.Navigator(pn.problems.quadratic(n=4, m=2), session=tmp_path / "run")
    assert len(again.records) == 1
    again.step(WISH, 0.05, cancel=everything)
    assert len(again.records) == 2


def test_the_callback_cannot_move_what_is_moving() -> None:
    nav = on_a_function()
    nav.start()
    refused: list[str] = []

    def meddle(_: pn.Event) -> None:
        for meddling in (lambda: nav.step(WISH, 0.01), lambda: nav.go_to(0), nav.undo):
            try:
                meddling()
            except pn.NavigationError as error:
                refused.append(str(error))

    step = nav.step(WISH, 0.05, on_event=meddle)
    assert step.status == pn.StepStatus.ACCEPTED
    assert len(nav.records) == 2
    assert len(refused) % 3 == 0
    assert sum("under way" in text for text in refused) >= 2 * len(refused) // 3 > 0


@pytest.mark.parametrize("operation", ["start", "step"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.6, 0.8])
def test_cancelling_takes_no_longer_than_a_batch(operation: str, share: float) -> None:
    """Wherever the operation is, it begins at most one batch more."""

    def prepared() -> pn.Navigator:
        nav = on_a_model()
        if operation == "step":
            nav.start()
        return nav

    def carry_out(nav: pn.Navigator, cancel: threading.Event | None = None) -> None:
        nav.start(cancel=cancel) if operation == "start" else nav.step(WISH, 0.05, cancel=cancel)

    nav = prepared()
    before = nav.problem.model.calls
    carry_out(nav)
    length = nav.problem.model.calls - before
    assert length > 20

    nav = prepared()
    model, cancel, outcome = nav.problem.model, threading.Event(), []
    model.waits_in = model.calls + 1 + int(share * length)

    def work() -> None:
        try:
            carry_out(nav, cancel)
        except BaseException as error:
            outcome.append(type(error))

    worker = threading.Thread(target=work)
    worker.start()
    assert model.entered.wait(60)
    cancel.set()
    model.go_on.set()
    worker.join()
    assert outcome == [pn.Cancelled]
    assert model.calls <= model.waits_in + 1


def test_the_main_thread_may_cancel_by_a_signal() -> None:
    nav = on_a_function()
    nav.start()
    cancel = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        with pytest.raises(pn.Cancelled):
            nav.step(WISH, 0.05, on_event=lambda _: signal.raise_signal(signal.SIGINT), cancel=cancel)
    finally:
        signal.signal(signal.SIGINT, before)
