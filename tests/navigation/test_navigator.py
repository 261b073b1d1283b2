"""The tree of points, and that nothing is lost when a step fails."""

from dataclasses import replace

import pytest
import torch
from tests.misled import Misled
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.session import archive

WISH = pn.Improve({"f1": 1.0})


@pytest.fixture
def nav() -> pn.Navigator:
    navigator = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    navigator.start()
    return navigator


def test_points_form_a_tree(nav: pn.Navigator) -> None:
    first = nav.step(WISH, 0.02).point
    second = nav.step(WISH, 0.02).point
    assert nav.undo() is first
    branch = nav.step(pn.Improve({"f2": 1.0}), 0.02).point
    assert [p.id for p in nav.records] == [0, 1, 2, 3]
    assert [p.parent for p in nav.records] == [None, 0, 1, 1]
    assert nav.here is branch
    assert nav.go_to(second.id) is second
    torch.testing.assert_close(nav.problem.parameters(), second.parameters, rtol=0, atol=0)
    assert (second.preference, second.amount) == (WISH, pytest.approx(0.02))


def test_what_cannot_be_done_now_is_said(nav: pn.Navigator) -> None:
    with pytest.raises(pn.NavigationError, match="nothing to undo"):
        nav.undo()
    with pytest.raises(pn.NavigationError, match="no point 7"):
        nav.go_to(7)
    with pytest.raises(pn.NavigationError, match="started already"):
        nav.start()
    with pytest.raises(pn.NavigationError, match="start"):
        _ = pn.Navigator(pn.problems.quadratic(n=4, m=2)).here


def test_a_preview_costs_no_pass(nav: pn.Navigator) -> None:
    before = nav.problem.cost
    view = nav.preview(WISH, 0.02)
    assert 0 < view.reach < 1
    assert nav.problem.cost == before


def test_the_reach_is_where_previews_end(nav: pn.Navigator) -> None:
    reach = nav.preview(WISH, 1e-3).reach
    nav.preview(WISH, 0.99 * reach)
    with pytest.raises(pn.InfeasiblePreferenceError) as refused:
        nav.preview(WISH, 1.05 * reach)
    assert refused.value.reach == pytest.approx(reach, rel=1e-3)
    assert refused.value.reason


@pytest.mark.parametrize("amount", [0, -0.1, float("nan"), float("inf"), "much", True])
def test_amounts_that_mean_nothing(nav: pn.Navigator, amount: object) -> None:
    with pytest.raises(pn.PreferenceError, match="amount"):
        nav.step(WISH, amount)


def test_something_else_than_a_preference(nav: pn.Navigator) -> None:
    with pytest.raises(pn.PreferenceError, match="Improve"):
        nav.step({"f1": 1.0})


class Stay:
    """A corrector that leaves the point where it is."""

    def correct(self, problem, theta, weights, geometry, guide=None):
        from paretonav.steering.stepping.correctors import Correction

        return Correction(theta, problem.evaluate(theta), weights, None, 0, True)


def test_a_step_that_makes_things_worse_is_taken_back(nav: pn.Navigator) -> None:
    nav.method = replace(nav.method, predictor=Misled(), corrector=Stay())
    before = nav.here
    step = nav.step(WISH, 0.05)
    assert step.status == pn.StepStatus.REJECTED
    assert "f1" in step.reason
    assert step.achieved.train["f1"] > 0
    assert step.point is nav.here is before
    assert len(nav.records) == 1
    torch.testing.assert_close(nav.problem.parameters(), before.parameters, rtol=0, atol=0)


def test_an_error_in_the_middle_of_a_step_loses_nothing() -> None:
    broken = False

    def fn(x: torch.Tensor) -> torch.Tensor:
        values = torch.stack([((x - 1) ** 2).sum(), ((x + 1) ** 2).sum()])
        return values * torch.tensor([1.0, float("nan")]) if broken else values

    nav = pn.Navigator(pn.FunctionProblem(fn, torch.full((3,), 0.3).double(), names=["near", "far"]))
    before = nav.start()
    broken = True
    with pytest.raises(pn.NonFiniteError, match="far"):
        nav.step(pn.Improve({"near": 1.0}), 0.05)
    assert nav.here is before
    torch.testing.assert_close(nav.problem.parameters(), before.parameters, rtol=0, atol=0)
    broken = False
    assert nav.step(pn.Improve({"near": 1.0}), 0.05).status == pn.StepStatus.ACCEPTED


def test_a_tangent_that_was_dropped_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_TANGENT_BYTES", 1)
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    nav.start()
    wanted = nav.tangent.basis
    nav.step(WISH, 0.02)
    nav.undo()
    torch.testing.assert_close(nav.tangent.basis, wanted, rtol=1e-5, atol=1e-8)


def test_costs_add_up(nav: pn.Navigator) -> None:
    before = nav.problem.cost
    step = nav.step(WISH, 0.02)
    spent = nav.problem.cost - before
    assert step.cost.hessian_products == spent.hessian_products > 0
    assert step.cost.gradient_passes == spent.gradient_passes > 0
    assert step.cost.seconds > 0


def test_start_can_take_the_parameters_as_they_are() -> None:
    problem = pn.problems.quadratic(n=8, m=3)
    x = problem.parameters()
    start = pn.Navigator(problem).start(polish=False)
    torch.testing.assert_close(start.parameters, x, rtol=0, atol=0)


def regression(m: int, decay: float, validation: bool) -> pn.ModelProblem:
    torch.manual_seed(0)
    x = torch.randn(200, 4).double()
    y = torch.stack([torch.tanh(x @ torch.randn(4).double()) for _ in range(m)], dim=1)
    model = nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, m)).double()
    losses = {f"f{i}": (lambda out, b, i=i: ((out[:, i] - b[1][:, i]) ** 2).mean()) for i in range(m)}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=decay)
    for _ in range(600):
        optimizer.zero_grad()
        sum(loss(model(x[:150]), (None, y[:150])) for loss in losses.values()).div(m).backward()
        optimizer.step()
    for_validation = TensorDataset(x[150:], y[150:]) if validation else None
    return pn.ModelProblem(model, losses, TensorDataset(x[:150], y[:150]), for_validation, weight_decay=decay)


@pytest.mark.parametrize(("m", "decay", "validation"), [(2, 0.01, True), (3, 0.01, False), (3, 0.0, True)])
def test_a_small_network(m: int, decay: float, validation: bool) -> None:
    problem = regression(m, decay, validation)
    nav = pn.Navigator(problem)
    start = nav.start()
    assert start.joint_gain < 0.02 * float(start.measured.train.mean.mean())
    wish = pn.Improve({"f0": 1.0})
    amount = min(0.03, 0.5 * nav.preview(wish, 1e-5).reach)
    step = nav.step(wish, amount)
    assert step.status == pn.StepStatus.ACCEPTED
    predicted, achieved = (
        torch.tensor(list(d.values())) for d in (step.predicted.train, step.achieved.train)
    )
    assert float((predicted - achieved).norm()) < 0.2 * float(predicted.norm())
    assert bool(step.achieved.validation) == validation
    written = torch.cat([p.detach().reshape(-1) for p in problem.model.parameters()])
    torch.testing.assert_close(written, step.point.parameters, rtol=0, atol=0)


def test_published_steps_at_a_corner_are_rejected_and_no_error() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=50, m=2), **pn.ppe(step=0.1))
    nav.start()
    statuses = {nav.step(pn.Improve({"f1": 1.0}), 0.05).status for _ in range(6)}
    assert statuses == {pn.StepStatus.ACCEPTED, pn.StepStatus.REJECTED}


@pytest.mark.parametrize("amount", [0.02, 0.05])
def test_a_step_on_a_preview_is_the_step_that_it_showed(nav: pn.Navigator, amount: float) -> None:
    preview = nav.preview(pn.Improve({"f1": 1.0}, hold=["f2"]), amount)
    of_preview = nav.step(preview)
    assert of_preview.predicted == preview.predicted
    assert (of_preview.preference, of_preview.amount) == (pn.Improve({"f1": 1.0}, hold=["f2"]), amount)
    nav.undo()
    again = nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), amount)
    assert torch.equal(again.point.parameters, of_preview.point.parameters)


def test_a_step_on_a_preview_plans_nothing_anew(nav: pn.Navigator, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = nav.preview(WISH, 0.02)

    def planned(*_: object) -> None:
        raise AssertionError("it was planned")

    monkeypatch.setattr("paretonav.navigation.navigator.plan_from_creases", planned)
    assert nav.trial(preview).changes.shown["f1"] == pytest.approx(preview.predicted.shown["f1"], rel=0.1)
    assert nav.step(preview).status is pn.StepStatus.ACCEPTED


def test_a_preview_holds_where_it_was_made(nav: pn.Navigator) -> None:
    preview, here = nav.preview(WISH, 0.02), nav.here
    nav.step(WISH, 0.01)
    for use in (nav.step, nav.trial):
        with pytest.raises(pn.NavigationError, match=r"made at point 0, and this is point 1; .*go_to\(0\)"):
            use(preview)
    assert nav.here.id == 1
    nav.undo()
    with pytest.raises(pn.NavigationError, match=r"a preview has its amount, 0\.02"):
        nav.step(preview, 0.03)
    other = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    other.start()
    with pytest.raises(pn.NavigationError, match="made by another navigator"):
        other.step(preview)
    assert len(other.records) == 1
    assert nav.step(preview).point.parent == here.id
