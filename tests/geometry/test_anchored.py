"""The ways from a model that is held where it is, against dense solves."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, Tangent, anchored, anchored_tangent, measure_front
from paretonav.geometry.anchored import PULLS, usual_products
from paretonav.geometry.exchange import Exchange

WHOLE = Geometry(samples=None)
FEW = settings(max_examples=10, deadline=None, derandomize=True)
COUNT, WIDTH = 60, 4


@pytest.fixture
def exact() -> Iterator[None]:
    """Solve as far as the space goes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchored, "_RESIDUAL", 1e-9)
        yield


def data(m: int, count: int = COUNT, seed: int = 0) -> TensorDataset:
    x = normal(count, 3, seed=seed)
    return TensorDataset(x, (x @ normal(3, m, seed=9)).tanh() + 0.3 * normal(count, m, seed=seed + 1))


def squares(i: int, scale: float) -> Any:
    return lambda o, b: scale * (o[:, i] - b[1][:, i]).square().mean()


def network(
    m: int = 3,
    scales: dict[str, float] | None = None,
    order: tuple[int, ...] | None = None,
    for_validation: int = 0,
    **options: Any,
) -> pn.ModelProblem:
    """A small network that is no optimum of anything; the objectives are "f0", "f1", ..., in some order."""
    model = nn.Sequential(nn.Linear(3, WIDTH), nn.Tanh(), nn.Linear(WIDTH, m)).double()
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            parameter.copy_(0.5 * normal(*parameter.shape, seed=20 + k))
    scales = scales or {}
    losses = {f"f{i}": squares(i, scales.get(f"f{i}", 1.0)) for i in order or range(m)}
    validation = data(m, for_validation, seed=50) if for_validation else None
    return pn.ModelProblem(model, losses, data(m), validation, batch_size=15, **options)


def dense(problem: pn.ModelProblem, scales: dict[str, float] | None = None) -> tuple[Tensor, Tensor]:
    """The Gauss-Newton matrix of the weighted losses, and the gradients in parts of the losses."""
    x, y = data(problem.m).tensors
    theta = problem.parameters()

    def outputs(theta: Tensor) -> Tensor:
        shapes, at, tensors = [p.shape for p in problem.model.parameters()], 0, []
        for shape in shapes:
            tensors.append(theta[at : at + shape.numel()].view(shape))
            at += shape.numel()
        names = [name for name, _ in problem.model.named_parameters()]
        return torch.func.functional_call(problem.model, dict(zip(names, tensors, strict=True)), (x,))

    J = torch.func.jacrev(outputs)(theta)  # [N, m, n]
    off = outputs(theta).detach() - y
    H, rhs = torch.zeros(len(theta), len(theta)).double(), []
    for name, weight in zip(problem.names, problem.training_weights, strict=True):
        i, scale = int(name[1:]), (scales or {}).get(name, 1.0)
        H += weight * scale * 2 / COUNT * J[:, i].T @ J[:, i]
        gradient = scale * 2 / COUNT * off[:, i] @ J[:, i]
        rhs.append(gradient / (scale * off[:, i].square().mean()))
    return H, torch.stack(rhs)


def projector(rows: Tensor) -> Tensor:
    """Onto the span of the rows."""
    q = torch.linalg.qr(rows.T)[0]
    return q @ q.T


def at(problem: pn.Problem, pull: float | None = 0.01, **options: Any) -> Tangent:
    return anchored_tangent(problem, problem.parameters(), WHOLE, pull=pull, **options)


@pytest.mark.slow
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("pull", [1e-1, 1e-3])
@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.parametrize("weights", [None, {"f0": 1, "f1": 4, "f2": 0.1}])
def test_the_ways_are_those_of_dense_solves(pull: float, decay: float, weights: Any) -> None:
    problem = network(weights=weights, weight_decay=decay)
    H, rhs = dense(problem)
    largest = float(torch.linalg.eigvalsh(H)[-1])
    tangent = at(problem, pull)
    assert tangent.anchor is not None
    assert tangent.anchor.part == pull
    assert tangent.anchor.pull == pytest.approx(pull * largest, rel=1e-6)
    assert tangent.anchor.reason == ""
    A = H + (pull * largest + decay) * torch.eye(len(H)).double()
    V = torch.linalg.solve(A, rhs.T).T
    assert len(tangent.basis) == 3
    torch.testing.assert_close(projector(tangent.basis), projector(V), rtol=0, atol=1e-5)
    # They are mixed as the weights are: those rise by mix / |loss| when the model moves by -V mix.
    mix = tangent.weight_basis * tangent.losses.mean[:, None]
    torch.testing.assert_close(tangent.basis, mix.T @ V, rtol=1e-4, atol=1e-5)
    # Of unit curvature cost, each and together.
    torch.testing.assert_close(tangent.basis @ A @ tangent.basis.T, torch.eye(3).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(tangent.curvature_of_front, torch.eye(3).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(tangent.response, tangent.jacobian @ tangent.basis.T)
    assert torch.equal(tangent.weights, problem.training_weights)


def test_nothing_leads_to_a_front_and_nothing_is_moved() -> None:
    problem = network()
    theta = problem.parameters()
    tangent = at(problem)
    assert torch.equal(tangent.theta, theta)
    assert torch.equal(problem.parameters(), theta)
    assert not tangent.normal_step.any()
    assert (tangent.joint_gain, tangent.residual, tangent.free) == (0.0, 0.0, None)
    assert tangent.solution.products == problem.cost.hessian_products > 0


def left_over(tangent: Tangent, H: Tensor, rhs: Tensor) -> float:
    """The largest relative residual of the solves that the ways are mixed from."""
    assert tangent.anchor is not None
    A = H + tangent.anchor.pull * torch.eye(len(H)).double()
    mix = tangent.weight_basis * tangent.losses.mean[:, None]
    left = rhs - torch.linalg.solve(mix, tangent.basis.T, left=False).T @ A
    return float((left.norm(dim=1) / rhs.norm(dim=1)).max())


@pytest.mark.parametrize("pull", PULLS)
def test_solves_end_at_a_residual_that_does_not_matter(pull: float) -> None:
    """The unit cost and the response are those of the ways that were found, however well they solve the system."""
    problem = network()
    tangent = at(problem, pull)
    H, rhs = dense(problem)
    assert tangent.anchor is not None
    A = H + tangent.anchor.pull * torch.eye(len(H)).double()
    torch.testing.assert_close(tangent.basis @ A @ tangent.basis.T, torch.eye(3).double(), rtol=0, atol=1e-3)
    assert left_over(tangent, H, rhs) < 0.16
    torch.testing.assert_close(tangent.response, tangent.jacobian @ tangent.basis.T)
    assert tangent.solution.products < len(H)


def trained_out(decay: float = 0.0) -> pn.ModelProblem:
    """A linear model at the optimum of the weighted sum."""
    x = normal(COUNT, 4, seed=0)
    y = normal(COUNT, 3, seed=1)
    weights = torch.tensor([0.2, 0.3, 0.5]).double()
    model = nn.Linear(4, 1, bias=False).double()
    A = 2 / COUNT * x.T @ x + decay * torch.eye(4).double()
    with torch.no_grad():
        model.weight.copy_(torch.linalg.solve(A, 2 / COUNT * x.T @ (y @ weights))[None])
    losses = {f"f{i}": (lambda o, b, i=i: (o[:, 0] - b[1][:, i]).square().mean()) for i in range(3)}
    named = dict(zip(losses, weights.tolist(), strict=True))
    return pn.ModelProblem(model, losses, TensorDataset(x, y), weights=named, weight_decay=decay)


def test_at_an_optimum_there_is_one_way_less() -> None:
    """The weighted gradients cancel: nothing is left of training on."""
    tangent = at(trained_out(), 1e-4)
    assert tangent.basis.shape == (2, 4)
    assert tangent.weight_basis.shape == (3, 2)
    torch.testing.assert_close(tangent.weights @ tangent.response, torch.zeros(2).double(), rtol=0, atol=1e-7)


def test_with_weight_decay_the_optimum_of_the_sum_is_none_of_the_losses() -> None:
    assert len(at(trained_out(0.3), 1e-4).basis) == 3


@pytest.mark.usefixtures("exact")
def test_losses_that_are_multiples_of_each_other_are_one_way() -> None:
    def loss(scale: float) -> Any:
        return lambda o, b: scale * (o - b[1]).square().mean()

    model = nn.Linear(3, 1).double()
    problem = pn.ModelProblem(model, {"one": loss(1), "two": loss(2)}, data(1))
    tangent = at(problem)
    assert tangent.basis.shape[0] == 1
    assert tangent.weight_basis.shape == (2, 1)


@pytest.mark.slow
@FEW
@given(exponent=st.floats(-4, 4), which=st.integers(0, 2))
def test_a_loss_in_other_units_with_its_weight_in_theirs_is_the_same(exponent: float, which: int) -> None:
    scale = 10**exponent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchored, "_RESIDUAL", 1e-9)
        name = f"f{which}"
        plain = at(network())
        weights = {f"f{i}": 1.0 for i in range(3)} | {name: 1 / scale}
        scaled = at(network(scales={name: scale}, weights=weights))
    torch.testing.assert_close(projector(scaled.basis), projector(plain.basis), rtol=0, atol=1e-4)
    # What it costs is measured in the units of the weighted sum, which has another one now.
    unit = 3 / sum(weights.values())
    costs = [t.basis.T @ t.basis for t in (plain, scaled)]
    torch.testing.assert_close(unit * costs[1], costs[0], rtol=1e-3, atol=1e-6)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_all_losses_in_other_units_have_the_same_ways(scale: float) -> None:
    plain, scaled = at(network()), at(network(scales={f"f{i}": scale for i in range(3)}))
    torch.testing.assert_close(projector(scaled.basis), projector(plain.basis), rtol=0, atol=1e-4)
    changes = [t.response / t.losses.mean[:, None] for t in (plain, scaled)]
    products = [change @ change.T for change in changes]
    torch.testing.assert_close(scale * products[1], products[0], rtol=1e-3, atol=1e-6)
    assert plain.anchor is not None
    assert scaled.anchor is not None
    assert scaled.anchor.pull == pytest.approx(scale * plain.anchor.pull, rel=1e-6)


@pytest.mark.usefixtures("exact")
def test_in_another_order_everything_is_in_that_order() -> None:
    order = (2, 0, 1)
    weights = {"f0": 0.5, "f1": 1.0, "f2": 2.0}
    plain, turned = at(network(weights=weights)), at(network(order=order, weights=weights))
    index = torch.tensor(order)
    torch.testing.assert_close(turned.losses.mean, plain.losses.mean[index])
    torch.testing.assert_close(turned.weights, plain.weights[index])
    torch.testing.assert_close(turned.jacobian, plain.jacobian[index])
    # Coordinates are any that have unit cost, so what does not depend on them is compared.
    for a, b in (
        (turned.basis.T @ turned.basis, plain.basis.T @ plain.basis),
        (turned.response @ turned.basis, (plain.response @ plain.basis)[index]),
        (turned.weight_basis @ turned.basis, (plain.weight_basis @ plain.basis)[index]),
        (turned.response @ turned.response.T, (plain.response @ plain.response.T)[index][:, index]),
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("exact")
def test_a_stronger_pull_makes_shorter_ways() -> None:
    """How far the model goes, and how much each loss gains, for a unit of its weight."""
    problem = network()
    gains, lengths = [], []
    for pull in PULLS:
        tangent = at(problem, pull)
        V = tangent.basis.T @ torch.linalg.pinv(tangent.weight_basis)  # of each weight
        lengths.append(V.norm(dim=0))
        gains.append((tangent.jacobian @ V).diagonal())
    for values in (gains, lengths):
        for strong, weak in pairwise(values):
            assert (weak > strong).all()


@pytest.mark.parametrize("pull", PULLS)
def test_the_axes_are_of_unit_cost_and_change_the_losses_independently(pull: float) -> None:
    """In parts of their sizes: what is probed along them is as different as it can be."""
    problem = network(for_validation=60, scales={"f1": 100.0})
    tangent = at(problem, pull)
    front = measure_front(problem, tangent, WHOLE)
    np.testing.assert_allclose(front.curvature, np.eye(3), atol=1e-6)
    changes = tangent.response / tangent.losses.mean[:, None]
    products = changes.T @ changes
    torch.testing.assert_close(
        products, products.diagonal().diag(), rtol=0, atol=1e-6 * float(products.max())
    )


def test_the_pull_is_chosen_by_validation_data() -> None:
    problem = network(for_validation=60)
    tangent, without = at(problem, None), at(network(), None)
    assert tangent.anchor is not None
    assert tangent.anchor.part in PULLS
    assert "on validation data" in tangent.anchor.reason
    assert without.anchor is not None
    assert "on training data" in without.anchor.reason
    given = at(problem, tangent.anchor.part)
    torch.testing.assert_close(
        given.basis.T @ given.basis, tangent.basis.T @ tangent.basis, rtol=0.3, atol=0.1
    )


def test_a_point_close_by_is_gone_on_from() -> None:
    problem = network()
    first = at(problem, 1e-3)
    theta = problem.parameters() + 1e-3 * normal(*problem.parameters().shape, seed=3)
    before = problem.cost.hessian_products
    onward = anchored_tangent(problem, theta, WHOLE, pull=1e-3, nearby=first)
    spent = problem.cost.hessian_products - before
    assert spent < first.solution.products
    alone = anchored_tangent(problem, theta, WHOLE, pull=1e-3)
    problem.set_parameters(theta)
    assert left_over(onward, *dense(problem)) < 0.16
    cost = onward.curvature_of_front
    torch.testing.assert_close(cost.diagonal(), torch.ones(3).double(), rtol=0, atol=1e-6)
    afresh = Geometry(samples=None, recycle=False)
    alike = anchored_tangent(problem, theta, afresh, pull=1e-3, nearby=first)
    torch.testing.assert_close(projector(alike.basis), projector(alone.basis), rtol=0, atol=1e-9)


def test_axes_that_are_known_are_taken() -> None:
    """So that coordinates mean what they did where a front was measured along them."""
    problem = network(for_validation=60)
    tangent = at(problem, None)
    assert tangent.anchor is not None
    theta = problem.parameters()
    again = anchored_tangent(problem, theta, WHOLE, pull=tangent.anchor.part, axes=tangent.weight_basis)
    assert torch.equal(again.weight_basis, tangent.weight_basis)
    H, rhs = dense(problem)
    assert max(left_over(t, H, rhs) for t in (tangent, again)) < 0.16
    for one, other in zip(tangent.basis, again.basis, strict=True):
        assert float(torch.cosine_similarity(one, other, dim=0)) > 0.95
    torch.testing.assert_close(again.response, tangent.response, rtol=0.1, atol=0.05)


def test_what_has_been_evaluated_is_not_evaluated_again() -> None:
    problem = network()
    evaluated = problem.jacobian(problem.parameters())
    before = problem.cost.gradient_passes
    again = at(problem, evaluated=evaluated)
    assert problem.cost.gradient_passes == before
    assert torch.equal(again.basis, at(problem).basis)


def test_the_front_around_it_has_no_edges_and_as_many_ways_as_losses() -> None:
    problem = network(for_validation=60)
    tangent = at(problem)
    front = measure_front(problem, tangent, WHOLE)
    assert front.dimensions == front.m == 3
    assert front.anchor is tangent.anchor
    assert front.asked == "validation"
    E, room = front.edges
    assert E.shape == (0, 3)
    assert not len(room)
    assert front.edge(np.array([1.0, -2.0, 3.0])) == np.inf
    assert front.trades.shape == (3, 2)
    np.testing.assert_allclose(front.trades.T @ front.trades, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(front.weights @ front.asked_response @ front.trades, 0, atol=1e-12)
    np.testing.assert_allclose(front.curvature, np.eye(3), atol=0.1)


def test_where_all_gradients_are_zero_there_is_nowhere_to_go() -> None:
    losses = {f"f{k}": lambda o, b, k=k: k + o.square().mean() for k in range(2)}
    problem = pn.ModelProblem(nn.Linear(3, 1).double(), losses, data(1))
    problem.set_parameters(0 * problem.parameters())
    with pytest.raises(pn.ProblemError, match=r"gradients of all losses are zero.*train the model"):
        at(problem)


def test_where_there_is_no_curvature_no_step_has_a_length() -> None:
    losses = {"up": lambda o, b: o.mean(), "down": lambda o, b: (b[1] - o).mean()}
    problem = pn.ModelProblem(nn.Linear(3, 1).double(), losses, data(1))
    with pytest.raises(pn.ProblemError, match=r"curvature of the losses is zero.*convex"):
        at(problem)


def test_a_gradient_that_is_not_finite_is_an_error() -> None:
    losses = {
        "root": lambda o, b: (o[:, 0] * 0).abs().sqrt().mean(),
        "square": lambda o, b: o[:, 0].square().mean(),
    }
    problem = pn.ModelProblem(nn.Linear(3, 1).double(), losses, data(1))
    with pytest.raises(
        pn.NonFiniteError, match=r"gradient of objective 'root' is not finite where the model is.*root or"
    ):
        at(problem)


def test_a_loss_that_is_not_finite_is_named() -> None:
    problem = network()
    theta = problem.parameters()
    theta[-1] = torch.nan
    with pytest.raises(pn.NonFiniteError, match="objective 'f2' is nan where the model is"):
        anchored_tangent(problem, theta, WHOLE)


def test_a_curvature_that_is_not_finite_is_an_error() -> None:
    losses = {
        "power": lambda o, b: 1 + (o[:, 0] * 0).abs().pow(1.5).mean() + o[:, 0].square().mean(),
        "square": lambda o, b: (o[:, 0] - 1).square().mean(),
    }
    problem = pn.ModelProblem(nn.Linear(3, 1).double(), losses, data(1))
    with pytest.raises(pn.NonFiniteError, match="curvature product is not finite"):
        at(problem)


@pytest.mark.parametrize(
    ("prices", "works", "chosen"),
    [
        ((2.0, 1.99, 0.5), (True, True, True), 0),  # to save less than 1 % ends the search
        ((2.0, 1.92, 1.91), (True, True, True), 0),  # to save less than 5 % is not worth the products
        ((2.0, 1.92, 0.5), (True, True, True), 2),
        ((2.0, 1.88, 1.8), (True, True, True), 1),
        ((2.0, 1.0, 0.5), (True, True, True), 2),
        ((5.0, 5.0, 1.0), (False, False, True), 2),  # where nothing is to be had there may be, further on
        ((5.0, 5.0, 5.0), (False, False, False), 0),
        ((5.0, 2.0, 3.0), (False, True, True), 1),
    ],
)
def test_a_weaker_pull_is_taken_as_long_as_each_saves_a_twentieth_of_the_price(
    prices: tuple[float, ...], works: tuple[bool, ...], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([Exchange(p, w, f"costs {p}") for p, w in zip(prices, works, strict=True)])
    monkeypatch.setattr(anchored, "exchange", lambda *_: next(found))
    anchor = at(network(), None).anchor
    assert anchor is not None
    assert anchor.part == PULLS[chosen]
    assert anchor.reason == f"costs {prices[chosen]}"


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("most", [6, 9, 15])
def test_no_more_products_than_are_allowed(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block more than that at most, however far from solved the systems are; which is said."""
    monkeypatch.setattr(anchored, "_PRODUCTS", (most, most))
    tangent = at(network())
    assert most <= tangent.solution.products < most + 3
    assert not tangent.solution.converged
    monkeypatch.setattr(anchored, "_PRODUCTS", (64, 64))
    monkeypatch.setattr(anchored, "room", lambda _: most)
    assert at(network()).solution.products <= most, "nor than there is memory for"


def test_a_space_that_has_grown_old_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would grow from point to point, with what was true far away."""
    problem = network()
    first = at(problem)
    theta = problem.parameters() + 0.1
    afresh = anchored_tangent(problem, theta, WHOLE, pull=0.01)
    onward = anchored_tangent(problem, theta, WHOLE, pull=0.01, nearby=first)
    assert not torch.equal(onward.basis, afresh.basis)
    assert first.nystrom is not None
    old = len(first.nystrom.values) - 1
    monkeypatch.setattr(anchored, "_PRODUCTS", (old, 64))
    monkeypatch.setattr(anchored, "_AGE", 1.0)
    again = anchored_tangent(problem, theta, WHOLE, pull=0.01, nearby=first)
    assert torch.equal(again.basis, afresh.basis)


def test_the_usual_products_are_between_the_fewest_and_the_most() -> None:
    """Two blocks at least at a start, one where a space is gone on from; two passes over the data at most."""
    small = network()
    fewest, most = 2 * small.m, len(small.parameters())
    assert usual_products(small, WHOLE) == (fewest + most) // 2
    assert usual_products(small, WHOLE, nearby=True) == (small.m + most) // 2
    assert fewest <= at(small, PULLS[0]).solution.products <= most
    model = nn.Linear(100, 1).double()
    losses = {f"f{i}": (lambda o, _, i=i: (o - i).square().mean()) for i in range(2)}
    large = pn.ModelProblem(model, losses, TensorDataset(torch.zeros(4000, 100).double()))
    for samples, most in ((4000, 24), (200, 40), (160, 50), (10, 64)):
        geometry = Geometry(samples=samples)
        assert usual_products(large, geometry, nearby=True) == (2 + most) // 2
        assert most * samples <= 2 * 4000 or most == 24
