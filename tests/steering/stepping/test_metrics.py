"""Steering by metrics from the wish to the new point, on a model of which it is known what can be had."""

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.steering.changes import Changes
from paretonav.steering.stepping.predictors import ObjectiveSpace

TASKS = torch.tensor([[1.0, 0.4, 0.0], [0.0, 1.0, 0.5], [-0.5, 0.3, 1.0]], dtype=torch.float64)


def loss(k: int) -> Any:
    return lambda o, b: (o[:, 0] - b[1][:, k]).square().mean()


def absolute(o: Tensor, b: Any) -> Tensor:
    return (o[:, 0] - b[1][:, 1]).abs().mean()


def hits(o: Tensor, b: Any) -> float:
    """Not differentiable, and a plain number."""
    return float(((o[:, 0] - b[1][:, 0]).abs() < 1).double().mean())


METRICS = {
    "error": pn.Metric(absolute, higher_is_better=False),  # falls with the loss of the second task
    "score": pn.Metric(lambda o, b: 10 - absolute(o, b), higher_is_better=True),
    "hits": pn.Metric(hits, higher_is_better=True),  # rise as the loss of the first task falls
    "slope": lambda o, b: (
        o[:, 0] * b[0][:, 0]
    ).mean(),  # the first weight: about 0.17, the first task wants 1
}


def inputs() -> Tensor:
    return torch.randn(1600, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def problem(
    validation: bool = True,
    metrics: Any = METRICS,
    batch_size: int = 200,
    losses: Any = None,
    for_validation: int = 800,
) -> pn.ModelProblem:
    """One linear output for three targets that are different functions."""
    x = inputs()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = x @ TASKS.T + 0.5 * noise
    model = nn.Linear(3, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(TASKS.mean(0))  # which is best for the tasks together
    train, others = TensorDataset(x[:800], y[:800]), TensorDataset(x[-for_validation:], y[-for_validation:])
    return pn.ModelProblem(
        model,
        losses or {f"task {k}": loss(k) for k in range(3)},
        train if validation else TensorDataset(x, y),
        others if validation else None,
        metrics=metrics,
        batch_size=batch_size,
    )


def started(**options: Any) -> pn.Navigator:
    # The cheapest plans, so that the others do pay.
    nav = pn.Navigator(problem(**options), predictor=ObjectiveSpace(spare=False))
    nav.start()
    return nav


@pytest.fixture(scope="module")
def shared() -> pn.Navigator:
    return started()


@pytest.fixture
def nav(shared: pn.Navigator) -> pn.Navigator:
    shared.go_to(0)
    return shared


def shown(point: pn.Point) -> dict[str, float]:
    """What is asked for: losses on validation data, and metrics."""
    return {**point.validation, **point.metrics}


def predicted(report: pn.Preview | pn.Step) -> dict[str, float]:
    """The same of the changes that are predicted."""
    return {**report.predicted.validation, **report.predicted.metrics}


def losses_of(step: pn.Step) -> Changes:
    return step.achieved.validation


def metrics_of(step: pn.Step) -> Changes:
    return step.achieved.metrics


def test_a_metric_that_is_to_fall_falls_as_previewed(nav: pn.Navigator) -> None:
    before = nav.here.metrics["error"]
    wish = pn.Improve({"error": 1.0})
    preview = nav.preview(wish, 0.05)
    assert preview.requested.shown == {"error": pytest.approx(-0.05 * before)}
    assert preview.predicted.metrics["error"] == pytest.approx(-0.05 * before)
    step = nav.step(wish, 0.05)
    assert step.status == pn.StepStatus.ACCEPTED
    assert metrics_of(step)["error"] == pytest.approx(-0.05 * before, rel=0.1)
    assert nav.here.metrics["error"] - before == pytest.approx(metrics_of(step)["error"])
    assert losses_of(step)["task 1"] < 0
    assert max(losses_of(step).values()) > 0


def test_a_metric_that_is_to_rise_rises(nav: pn.Navigator) -> None:
    before = nav.here.metrics["score"]
    step = nav.step(pn.Improve({"score": 1.0}), 0.005)
    assert step.status == pn.StepStatus.ACCEPTED
    assert step.requested.shown == {"score": pytest.approx(0.005 * before)}
    assert metrics_of(step)["score"] == pytest.approx(0.005 * before, rel=0.1)
    assert metrics_of(step)["error"] == pytest.approx(-metrics_of(step)["score"])


def test_a_metric_without_derivative_rises(nav: pn.Navigator) -> None:
    step = nav.step(pn.Improve({"hits": 1.0}), 0.05)
    assert step.status != pn.StepStatus.REJECTED
    # It goes by leaps, and what it takes to bring it there is not quite what was predicted.
    assert metrics_of(step)["hits"] == pytest.approx(step.requested.shown["hits"], rel=0.5)
    assert losses_of(step)["task 0"] < 0


@pytest.mark.parametrize(("improved", "held"), [("task 0", "error"), ("task 1", "slope")])
def test_a_metric_is_held_while_a_loss_improves(nav: pn.Navigator, improved: str, held: str) -> None:
    free = nav.step(pn.Improve({improved: 1.0}), 0.05)
    nav.undo()
    step = nav.step(pn.Improve({improved: 1.0}, hold=[held]), 0.05)
    assert step.status == pn.StepStatus.ACCEPTED
    assert losses_of(step)[improved] == pytest.approx(losses_of(free)[improved], rel=0.05)
    assert step.predicted.metrics[held] == pytest.approx(0, abs=1e-8)
    assert abs(metrics_of(step)[held]) < 0.2 * abs(metrics_of(free)[held])


def test_a_metric_that_is_zero_can_be_held() -> None:
    metrics = {"none": pn.Metric(lambda o, b: (o[:, 0] > 1e3).double().mean(), higher_is_better=False)}
    nav = started(metrics=metrics)
    assert nav.here.metrics == {"none": 0}
    step = nav.step(pn.Direction({"task 0": -1.0, "none": 0.0}), 0.03)
    assert step.status == pn.StepStatus.ACCEPTED
    assert metrics_of(step) == {"none": 0}


@pytest.mark.parametrize("name", ["error", "task 1"])
def test_a_bound_binds_or_does_not(nav: pn.Navigator, name: str) -> None:
    values = shown(nav.here)
    wish = pn.Improve({"task 0": 1.0})
    free = nav.preview(wish, 0.05)
    rise = predicted(free)[name]
    assert rise > 0
    loose = nav.preview(pn.Improve({"task 0": 1.0}, allow={name: values[name] + 2 * rise}), 0.05)
    assert predicted(loose)["task 2"] == pytest.approx(predicted(free)["task 2"], rel=1e-4)
    bounded = pn.Improve({"task 0": 1.0}, allow={name: values[name] + 0.4 * rise})
    tight = nav.preview(bounded, 0.05)
    assert predicted(tight)[name] == pytest.approx(0.4 * rise, rel=1e-4)
    assert predicted(tight)["task 0"] == pytest.approx(predicted(free)["task 0"])
    assert predicted(tight)["task 2"] > predicted(free)["task 2"]
    assert tight.reach < free.reach
    beyond = nav.preview(bounded, 1.1 * tight.reach)
    assert beyond.modelled == pytest.approx(0.9 / 1.1, rel=1e-3)
    assert re.fullmatch(rf"the bounds? on (.* and )?{name} (is|are) reached", beyond.plan.end)
    assert beyond.reach == pytest.approx(tight.reach, rel=1e-3)


def test_a_bound_on_a_loss_is_kept_to_second_order_while_a_metric_improves(nav: pn.Navigator) -> None:
    front = nav.here.front
    wish = pn.Improve({"error": 1.0})
    amount = 0.7 * nav.preview(wish, 1e-3).reach
    free = dict(nav.preview(wish, amount).predicted.validation or {})
    payer = max(free, key=lambda name: free[name])
    for share in (0.95, 0.9, 0.85):
        allowed = front.values[front.names.index(payer)] + share * free[payer]
        try:
            planned = predicted(nav.preview(pn.Improve({"error": 1.0}, allow={payer: allowed}), amount))
        except pn.InfeasiblePreferenceError:
            assert share < 0.95
            continue
        assert planned[payer] <= share * free[payer] + 1e-6


@pytest.mark.parametrize(("name", "share"), [("task 1", 0.3), ("error", 0.0), ("score", 0.2), ("hits", 0.0)])
def test_no_loss_or_metric_ends_beyond_its_bound(nav: pn.Navigator, name: str, share: float) -> None:
    """Where the free step would pass it, smooth or by leaps, higher or lower the better."""
    improved = "task 2" if name == "hits" else "task 0"
    before = shown(nav.here)
    free = nav.step(pn.Improve({improved: 1.0}), 0.04)
    after = shown(free.point)
    nav.undo()
    bound = before[name] + share * (after[name] - before[name])
    step = nav.step(pn.Classify(improve=[improved], allow={name: bound}), 0.04)
    worse = -1.0 if name in ("hits", "score") else 1.0
    assert worse * (after[name] - bound) > 0
    assert step.status is not pn.StepStatus.REJECTED
    assert worse * (shown(step.point)[name] - bound) <= 1e-12
    assert losses_of(step)[improved] < 0


def test_metrics_can_be_aimed_at(nav: pn.Navigator) -> None:
    before = shown(nav.here)
    target = {"error": 0.97 * before["error"], "task 0": 1.01 * before["task 0"]}
    step = nav.step(pn.Aim(target))
    assert step.status is pn.StepStatus.ACCEPTED
    for name, value in target.items():
        assert shown(nav.here)[name] == pytest.approx(value, rel=2e-3)
    nav.go_to(0)
    far = nav.step(pn.Aim({"task 0": 0.0, "score": 10.0}))
    assert far.status is pn.StepStatus.SHORTENED
    assert far.reason.startswith("the target was not reached")
    assert shown(nav.here)["task 0"] < before["task 0"]


def test_what_is_beyond_its_bound_already_is_said(nav: pn.Navigator) -> None:
    here = shown(nav.here)
    for name, bound in (
        ("hits", here["hits"] + 0.01),
        ("error", here["error"] - 0.01),
        ("task 1", here["task 1"] - 0.01),
    ):
        with pytest.raises(pn.PreferenceError, match=f"'{name}' is .* here, already beyond its bound of"):
            nav.preview(pn.Improve({"task 0": 1.0}, allow={name: bound}))


def test_a_metric_of_which_nobody_says_which_way_is_better(nav: pn.Navigator) -> None:
    for wish in (pn.Improve({"slope": 1.0}), pn.Improve({"task 0": 1.0}, allow={"slope": 2.0})):
        with pytest.raises(
            pn.PreferenceError, match=r"which way 'slope' is better; wrap the metric as Metric\("
        ):
            nav.step(wish)
    before = nav.here.metrics["slope"]
    for sign in (1.0, -1.0):
        nav.go_to(0)
        step = nav.step(pn.Direction({"slope": sign}), 0.1)
        assert step.status == pn.StepStatus.ACCEPTED
        assert metrics_of(step)["slope"] == pytest.approx(sign * 0.1 * abs(before), rel=0.1)
        assert (losses_of(step)["task 0"] < 0) == (sign > 0)


def test_relative_units_weigh_a_loss_and_a_metric_by_their_values(nav: pn.Navigator) -> None:
    here = shown(nav.here)
    wanted = nav.preview(pn.Improve({"task 0": 0.5, "hits": 1.0}, units="relative"), 0.02)
    assert wanted.requested.shown["hits"] == pytest.approx(0.02 * here["hits"])
    assert wanted.requested.shown["task 0"] == pytest.approx(-0.01 * here["task 0"])
    step = nav.step(pn.Improve({"task 0": 1.0, "error": 0.5}, units="relative"), 0.02)
    assert step.requested.shown["task 0"] == pytest.approx(-0.02 * here["task 0"])
    assert losses_of(step)["task 0"] == pytest.approx(step.requested.shown["task 0"], rel=0.1)
    assert metrics_of(step)["error"] == pytest.approx(-0.01 * here["error"], rel=0.15)


def test_the_published_method_refuses_metrics() -> None:
    nav = pn.Navigator(problem(), **pn.ppe(initial_epochs=1, epochs=1))
    nav.start()
    for wish in (pn.Improve({"hits": 1.0}), pn.Improve({"task 0": 1.0}, hold=["error"])):
        with pytest.raises(pn.PreferenceError, match="published method steers by the losses alone"):
            nav.step(wish)


def test_without_validation_data_the_training_metrics_are_steered() -> None:
    nav = started(validation=False)
    before = nav.here.metrics["error"]
    preview = nav.preview(pn.Improve({"error": 1.0}), 0.03)
    assert not preview.predicted.validation
    assert preview.predicted.metrics.standard_errors
    step = nav.step(pn.Improve({"error": 1.0}), 0.03)
    assert not step.achieved.validation
    assert metrics_of(step)["error"] == pytest.approx(-0.03 * before, rel=0.1)
    assert metrics_of(step).standard_errors


def require_unmoved(nav: pn.Navigator, here: pn.Point) -> None:
    assert nav.here is here
    assert [point.id for point in nav.records] == [here.id]
    torch.testing.assert_close(nav.problem.parameters(), here.parameters, rtol=0, atol=0)


@pytest.mark.parametrize("passes", [0, 3])
@pytest.mark.parametrize("wish", [pn.Improve({"task 0": 1.0}), pn.Improve({"fragile": 1.0})])
def test_a_metric_that_raises_in_the_middle_of_a_step_is_named(wish: pn.Improve, passes: int) -> None:
    left: list[int] = []

    def fragile(o: Tensor, b: Any) -> Tensor:
        if left:
            left.append(0)
            if len(left) > passes:
                raise ZeroDivisionError("no such group")
        return absolute(o, b)

    nav = started(metrics={"fragile": pn.Metric(fragile, higher_is_better=False)})
    here = nav.here
    left.append(0)
    with pytest.raises(pn.ProblemError, match="metric 'fragile' failed on validation data: no such group"):
        nav.step(wish, 0.02)
    require_unmoved(nav, here)
    left.clear()
    assert nav.step(wish, 0.02).status == pn.StepStatus.ACCEPTED


@pytest.mark.parametrize("healthy", range(5))
def test_a_loss_that_is_not_finite_in_the_middle_of_a_step_is_never_accepted(healthy: int) -> None:
    """From some pass over the training data on, the second loss is nan on the third batch."""
    passes: list[int] = []

    def second(o: Tensor, b: Any) -> Tensor:
        value = (o[:, 0] - b[1][:, 1]).square().mean()
        third = bool(passes) and b[0].shape == marked.shape and bool((b[0] == marked).all())
        if third:
            passes.append(0)
        return value * torch.nan if third and len(passes) > healthy + 1 else value

    losses = {"task 0": loss(0), "fragile": second, "task 2": loss(2)}
    nav = started(losses=losses, metrics={})
    marked = inputs()[400:600]
    here = nav.here
    passes.append(0)
    said = ""
    try:
        step = nav.step(pn.Improve({"task 0": 1.0}), 0.02)
        said = step.reason
        if step.status is not pn.StepStatus.REJECTED:
            assert len(passes) <= healthy + 1, "nobody has met it"
            return
    except pn.NonFiniteError as error:
        said = str(error)
    assert re.search(
        r"^fragile came out as no finite number on training data|'fragile'.* not finite|'fragile' is nan",
        said,
    )
    require_unmoved(nav, here)
    passes.clear()
    assert nav.step(pn.Improve({"task 0": 1.0}), 0.02).status == pn.StepStatus.ACCEPTED


def test_a_validation_loss_that_is_not_finite_is_named() -> None:
    broken: list[int] = []

    def second(o: Tensor, b: Any) -> Tensor:
        value = (o[:, 0] - b[1][:, 1]).square().mean()
        return value * torch.nan if broken and bool((b[0] == for_validation).all(dim=1).any()) else value

    losses = {"task 0": loss(0), "fragile": second, "task 2": loss(2)}
    made = problem(losses=losses, metrics={})
    for_validation = inputs()[1000]
    broken.append(0)
    with pytest.raises(pn.NonFiniteError, match="'fragile' is nan on validation data"):
        pn.Navigator(made).start()


def test_too_few_batches_or_examples_have_no_standard_errors() -> None:
    nav = started(batch_size=300, for_validation=31)
    assert {conflict.real for conflict in nav.here.conflict.values()} == {None}
    preview = nav.preview(pn.Improve({"task 0": 1.0}), 0.02)
    step = nav.step(pn.Improve({"task 0": 1.0}), 0.02)
    for report in (preview, step):
        for changes in (report.predicted.train, report.predicted.validation, report.predicted.metrics):
            assert not changes.standard_errors
    for changes in (step.achieved.train, step.achieved.validation, metrics_of(step)):
        assert not changes.standard_errors
        assert not changes.is_noise(next(iter(changes)))
