"""A model that comes trained is held where it is, and steered from there."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests import regression
from tests.misled import Misled
from tests.regression import NAMES, noisy
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.session import archive
from paretonav.steering.planning.reasons import end_of_the_front
from paretonav.steering.planning.what_if import what_if
from paretonav.steering.stepping.correctors import Newton, Stay
from paretonav.steering.stepping.predictors import ObjectiveSpace

WISH = pn.Improve({"small": 1.0})


class Network(nn.Module):
    """With a normalisation that has buffers, trained and then put to use."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(4, 12), nn.BatchNorm1d(12), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.last(self.norm(self.first(x)).tanh())
        return outputs


def early_stopped(epochs: int = 12) -> nn.Module:
    """Trained as people train: minibatches of Adam, ended long before an optimum."""
    return deepcopy(_early_stopped(epochs))


@cache
def _early_stopped(epochs: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Network().double()
        x, y = noisy(512, 10).tensors
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                (model(x[part]) - y[part]).square().mean(0).sum().backward()
                optimizer.step()
    return model.eval()


def brought(
    model: nn.Module | None = None, *, validation: int | None = 600, **options: Any
) -> pn.ModelProblem:
    losses = {name: regression.squared(i) for i, name in enumerate(NAMES)}
    arguments: dict[str, Any] = {"batch_size": 64} | options
    if validation:
        arguments["validation"] = noisy(validation, 20)
    return pn.ModelProblem(model or early_stopped(), losses, noisy(512, 10), **arguments)


def outside(model: nn.Module, data: TensorDataset) -> Tensor:
    """The losses, computed without the library."""
    x, y = data.tensors
    with torch.no_grad():
        return (model(x) - y).square().mean(0)


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def require_same(now: dict[str, Tensor], then: dict[str, Tensor]) -> None:
    assert now.keys() == then.keys()
    for name, tensor in now.items():
        assert torch.equal(tensor, then[name]), name


@pytest.mark.parametrize("polish", [True, False])
@pytest.mark.parametrize("validation", [600, None])
def test_start_leaves_parameters_and_buffers_bit_for_bit(polish: bool, validation: int | None) -> None:
    model = early_stopped()
    before = state(model)
    nav = pn.Navigator(brought(model, validation=validation))
    assert nav.holds
    assert isinstance(nav.method.corrector, Stay)
    here = nav.start(polish=polish)
    require_same(state(model), before)
    assert torch.equal(here.parameters, nav.problem.parameters())
    assert here.front.anchor is not None
    assert here.front.joint_gain == 0
    torch.testing.assert_close(
        torch.tensor(list(here.losses.values())).double(), outside(model, noisy(512, 10))
    )
    nav.preview(WISH, 0.02)
    nav.trial(WISH, 0.02)
    require_same(state(model), before)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(None, [0.5, 0.5]), ({"small": 3, "large": 1}, [0.75, 0.25]), ({"small": 0, "large": 2}, [0.0, 1.0])],
)
def test_its_weights_are_exactly_those_that_it_was_trained_with(weights: Any, expected: list[float]) -> None:
    nav = pn.Navigator(brought(weights=weights))
    here = nav.start()
    assert here.front.weights.tolist() == expected
    assert dict(here.weights) == dict(zip(NAMES, expected, strict=True))
    preview, step = nav.preview(WISH, 0.005), nav.step(WISH, 0.005)
    assert preview.weights == step.point.weights == here.weights, "the next point is held with the same"
    told = what_if(here.front, [0])
    assert told is not None
    assert not told.weights.any()


def test_weights_around_it_are_no_prices_and_no_edge() -> None:
    here = pn.Navigator(brought(weights={"small": 0, "large": 2})).start()
    assert here.trade_offs == {}
    assert np.isnan(here.front.exchange_rates()).all()
    for c in (np.zeros(2), np.array([1.0, -2.0]), np.array([-3.0, 1.0])):
        assert end_of_the_front(here.front, c) == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("amount", [0.01, 0.03])
def test_a_step_comes_true_on_validation_data_as_computed_outside(name: str, amount: float) -> None:
    model, data = early_stopped(), noisy(600, 20)
    nav = pn.Navigator(brought(model))
    nav.start()
    before = outside(model, data)
    preview = nav.preview(pn.Improve({name: 1.0}), amount)
    step = nav.step(pn.Improve({name: 1.0}), amount)
    assert step.status is pn.StepStatus.ACCEPTED
    change = outside(model, data) - before
    i = NAMES.index(name)
    assert float(change[i]) == pytest.approx(-amount * float(before[i]), rel=0.02)
    predicted = torch.tensor(list(preview.predicted.validation.values())).double()
    largest = float((predicted / before).abs().max())
    errors = step.achieved.validation.standard_errors
    assert errors
    noise = 2 * torch.tensor(list(errors.values())).double() / before
    worse = (change - predicted) / before  # by a tenth of the largest change, or its noise up to a half of it
    assert (worse <= noise.clamp(0.1 * largest, 0.5 * largest)).all()
    torch.testing.assert_close(torch.tensor(list(step.achieved.validation.values())).double(), change)
    assert dict(step.point.validation or {}) == pytest.approx(
        dict(zip(NAMES, outside(model, data).tolist(), strict=True))
    )
    assert list(step.point.losses.values()) == pytest.approx(outside(model, noisy(512, 10)).tolist())


def test_on_training_data_it_is_these_that_come_true() -> None:
    model, data = early_stopped(), noisy(512, 10)
    nav = pn.Navigator(brought(model))
    nav.start()
    before = outside(model, data)
    asked = pn.Improve({"large": 1.0}, on="train")
    step = nav.step(asked, 0.02)
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.requested.shown == {"large": pytest.approx(-0.02 * float(before[1]))}
    change = outside(model, data) - before
    assert float(change[1]) == pytest.approx(-0.02 * float(before[1]), rel=0.02)
    assert step.achieved.train["large"] == pytest.approx(float(change[1]))
    assert step.point.preference == asked


def test_without_validation_data_wishes_are_about_the_training_losses() -> None:
    model, data = early_stopped(), noisy(512, 10)
    nav = pn.Navigator(brought(model, validation=None))
    nav.start()
    before = outside(model, data)
    assert nav.step(pn.Improve({"large": 1.0}), 0.02).status is pn.StepStatus.ACCEPTED
    assert float(outside(model, data)[1] - before[1]) == pytest.approx(-0.02 * float(before[1]), rel=0.02)
    with pytest.raises(pn.PreferenceError, match="no validation losses"):
        nav.preview(pn.Improve({"large": 1.0}, on="validation"))


def test_all_losses_can_be_asked_to_fall_as_there_are_as_many_ways() -> None:
    """Which is training on, as far as that pays on validation data."""
    nav = pn.Navigator(brought(early_stopped(epochs=3)))
    here = nav.start()
    assert here.front.dimensions == 2
    step = nav.step(pn.Improve({"small": 1.0, "large": 1.0}, units="relative"), 0.01)
    assert step.status is pn.StepStatus.ACCEPTED
    assert max(step.achieved.validation.values()) < 0


def test_undo_and_another_way_from_there() -> None:
    model = early_stopped()
    nav = pn.Navigator(brought(model))
    nav.start()
    before = state(model)
    first = nav.step(WISH, 0.02).point
    there = state(model)
    assert not torch.equal(first.parameters, nav.records and nav.undo().parameters)
    require_same(state(model), before)
    again = nav.step(WISH, 0.02).point
    require_same(state(model), there)
    assert torch.equal(again.parameters, first.parameters)
    nav.undo()
    other = nav.step(pn.Improve({"large": 1.0}), 0.02).point
    assert other.parent == 0
    assert not torch.equal(other.parameters, first.parameters)


@pytest.mark.parametrize("on", ["validation", "train"])
def test_a_rejected_step_leaves_the_model(on: Any) -> None:
    model = early_stopped()
    nav = pn.Navigator(brought(model), predictor=Misled())
    here = nav.start()
    before = state(model)
    step = nav.step(pn.Improve({"small": 1.0}, on=on), 0.02)
    assert step.status is pn.StepStatus.REJECTED
    assert step.reason.startswith(("small came out +", "large came out +")), "it is not as promised of either"
    assert ("on training data" if on == "train" else "on validation data") in step.reason
    assert step.point is nav.here is here
    assert len(nav.records) == 1
    require_same(state(model), before)
    if on == "train":
        assert step.achieved.train["small"] > 0
    else:
        assert dict(step.achieved.train) == {}, "training data were not read"
        assert step.achieved.validation["small"] > 0


def test_what_fails_in_the_middle_leaves_the_model() -> None:
    failing: list[int] = []

    def metric(o: Tensor, _: Any) -> Tensor:
        if failing:
            raise ZeroDivisionError("no such group")
        return o[:, 0].mean()

    model = early_stopped()
    nav = pn.Navigator(brought(model, metrics={"level": metric}))
    here = nav.start()
    before = state(model)
    failing.append(0)
    with pytest.raises(pn.ProblemError, match="metric 'level' failed"):
        nav.step(WISH, 0.02)
    require_same(state(model), before)
    assert nav.here is here


def walk(nav: pn.Navigator, legs: int) -> Tensor:
    for k in range(legs):
        nav.step(pn.Improve({NAMES[k % 2]: 1.0}), 0.01)
    return nav.here.parameters


@pytest.mark.slow
def test_a_session_that_is_resumed_goes_on_as_if_it_had_not_ended(tmp_path: Path) -> None:
    whole = pn.Navigator(brought(), session=tmp_path / "whole")
    whole.start()
    expected = walk(whole, 3)
    first = pn.Navigator(brought(), session=tmp_path / "parts")
    first.start()
    walk(first, 2)
    there = first.here.parameters
    del first
    nav = pn.Navigator(brought(), session=tmp_path / "parts")
    assert torch.equal(nav.start().parameters, there)
    assert nav.holds
    assert nav.here.front.anchor == whole.session.point(2).front.anchor
    nav.step(pn.Improve({"small": 1.0}), 0.01)
    assert torch.equal(nav.here.parameters, expected)


def test_a_tangent_that_was_dropped_means_the_same_when_it_is_solved_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The front of the point is in its coordinates."""
    monkeypatch.setattr(archive, "_TANGENT_BYTES", 1)
    nav = pn.Navigator(brought())
    nav.start()
    wanted = nav.tangent
    expected = nav.step(WISH, 0.02)
    nav.undo()
    found = nav.tangent
    assert found is not wanted
    assert found.anchor is not None
    assert wanted.anchor is not None
    assert found.anchor.part == wanted.anchor.part
    torch.testing.assert_close(found.response, wanted.response, rtol=0.1, atol=0.02)
    assert float(torch.cosine_similarity(found.basis, wanted.basis).min()) > 0.95
    step = nav.step(WISH, 0.02)
    assert step.status is expected.status
    assert step.achieved.validation["small"] == pytest.approx(step.requested.shown["small"], rel=0.02)


def test_an_explicit_corrector_leads_to_the_front() -> None:
    problem = regression.linear()
    half = regression.best(noisy(256, 10), torch.tensor([0.5, 0.5]).double())
    problem.set_parameters(half + 0.01 * torch.tensor([1.0, -1.0, 0.5, 2.0]).double())
    nav = pn.Navigator(problem, corrector=Newton())
    assert not nav.holds
    here = nav.start()
    assert here.front.anchor is None
    assert here.front.dimensions == 1
    step = nav.step(pn.Improve({"small": 1.0}), 0.02)
    assert step.status is pn.StepStatus.ACCEPTED
    for point in (here, step.point):
        weights = torch.from_numpy(point.front.weights)
        best = regression.best(noisy(256, 10), weights)
        above = weights @ (problem.evaluate(point.parameters).mean - problem.evaluate(best).mean)
        assert 0 <= float(above) < 1e-3 * float(weights @ problem.evaluate(best).mean)
    assert step.achieved.train["small"] == pytest.approx(-0.02 * here.losses["small"], rel=0.02)


@pytest.mark.parametrize(
    ("make", "holds"),
    [
        (lambda: pn.Navigator(brought()), True),
        (lambda: pn.Navigator(brought(), geometry=pn.Geometry(samples=None)), True),
        (lambda: pn.Navigator(brought(), corrector=Newton()), False),
        (lambda: pn.Navigator(brought(), approach=pn.correctors.MGDA()), False),
        (lambda: pn.Navigator(brought(), **pn.ppe(initial_epochs=1, epochs=1)), False),
        (lambda: pn.Navigator(pn.problems.quadratic(n=4, m=2)), False),
        (lambda: pn.Navigator(pn.problems.digits(epochs=1, train_size=300, validation_size=100)), False),
    ],
)
def test_who_is_held(make: Callable[[], pn.Navigator], holds: bool) -> None:
    assert make().holds is holds


def test_the_published_method_trains_as_before() -> None:
    model = early_stopped()
    before = state(model)
    nav = pn.Navigator(brought(model), **pn.ppe(initial_epochs=1, epochs=1))
    here = nav.start()
    assert here.front.anchor is None
    assert any(not torch.equal(tensor, before[name]) for name, tensor in state(model).items())
    step = nav.step(WISH, 0.02)
    assert step.point.front.anchor is None


def test_geometry_that_is_given_stays() -> None:
    geometry = pn.Geometry(samples=128)
    nav = pn.Navigator(brought(), geometry=geometry)
    assert nav.start().trust.geometry == geometry
    assert nav.step(WISH, 0.02).point.trust.geometry == geometry


def test_a_starting_model_that_is_an_optimum_has_one_way_less() -> None:
    problem = regression.linear()
    problem.set_parameters(regression.best(noisy(256, 10), torch.tensor([0.5, 0.5]).double()))
    nav = pn.Navigator(problem)
    here = nav.start()
    assert here.front.dimensions == 1
    step = nav.step(pn.Improve({"small": 1.0}), 0.01)
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.achieved.train["large"] > 0
    np.testing.assert_allclose(step.achieved.train["small"], -0.01 * here.losses["small"], rtol=0.02)


def test_a_step_costs_no_training() -> None:
    """Nothing is descended: gradients are those of the tangents, one Jacobian each."""
    nav = pn.Navigator(brought())
    nav.start()
    before = nav.problem.cost
    step = nav.step(WISH, 0.02)
    assert step.legs == 1
    spent = nav.problem.cost - before
    assert spent.gradient_passes <= 2 * len(NAMES)


def test_test_losses_are_shown_with_their_errors_and_nothing_is_chosen_by_them() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 3, generator=generator)
    data = torch.utils.data.TensorDataset(x, x @ torch.randn(3, 2, generator=generator))
    losses = {
        name: lambda outputs, batch, k=k: (outputs[:, 0] - batch[1][:, k]).square().mean()
        for k, name in enumerate(("first", "second"))
    }

    def started(test: torch.utils.data.TensorDataset | None) -> pn.Navigator:
        torch.manual_seed(0)
        nav = pn.Navigator(pn.ModelProblem(torch.nn.Linear(3, 1), losses, data, data, test=test))
        nav.start()
        return nav

    other = torch.utils.data.TensorDataset(x[:50] + 1, data.tensors[1][:50])
    with_test, without = started(other), started(None)
    seen = with_test.test_losses()
    with torch.no_grad():
        outputs = with_test.problem.model(other.tensors[0])
        for name, loss in losses.items():
            assert seen[name] == pytest.approx(float(loss(outputs, other.tensors)), rel=1e-5)
    assert seen.standard_errors
    wish = pn.Improve({"first": 1.0})
    for nav in (with_test, without):
        nav.step(wish, 0.02)
    assert torch.equal(with_test.here.parameters, without.here.parameters)
    with pytest.raises(pn.NavigationError, match="give test="):
        without.test_losses()


@pytest.mark.parametrize("amount", [0.01, 0.05])
@pytest.mark.parametrize("name", ["large", "small"])
def test_the_others_are_spared_where_there_is_room_beside(name: str, amount: float) -> None:
    """At most at twice the curvature cost, and what was asked for is the same."""
    wish = pn.Improve({name: 1.0})
    found = {}
    for spare in (True, False):
        nav = pn.Navigator(brought(early_stopped()), predictor=ObjectiveSpace(spare=spare))
        here, view = nav.start(), nav.preview(wish, amount)
        assert view.predicted.validation[name] == pytest.approx(-amount * here.validation[name], rel=1e-6)
        paid = sum(view.predicted.validation[x] / here.validation[x] for x in here.validation if x != name)
        c, metric = view.plan.coordinates, here.front.curvature
        found[spare] = paid, float(c @ metric @ c)
    assert found[True][0] <= found[False][0] + 1e-12
    assert found[True][1] <= 2.5 * found[False][1]
