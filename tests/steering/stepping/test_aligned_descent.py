from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.steering.stepping.pace import require_even, told
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, tangent_at
from paretonav.objectives import Bounds
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.correctors import AlignedDescent, Guide
from paretonav.steering.stepping.predictors import ObjectiveSpace
from paretonav.steering.stepping.target import Target

GEOMETRY = Geometry(tolerance=1e-8, samples=None)
M, N, EXAMPLES = 3, 6, 512

OPTIMIZERS = {
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=3e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.0),
}


class Linear(pn.ModelProblem):
    """Linear regressions that share their parameters: squared losses on noisy data, whose front is known.

    Task i is ``1/2 mean (x . theta - y_i)^2`` of its own features, so every objective is a quadratic.
    """

    def __init__(self, seed: int = 0, weight_decay: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(EXAMPLES, M, N, generator=generator, dtype=torch.float64)
        truth = torch.randn(M, N, generator=generator, dtype=torch.float64)
        y = (x * truth).sum(2) + 0.3 * torch.randn(EXAMPLES, M, generator=generator, dtype=torch.float64)
        self.Q = torch.einsum("eij,eik->ijk", x, x) / EXAMPLES
        self.pull = torch.einsum("eij,ei->ij", x, y) / EXAMPLES
        super().__init__(
            _Shared(),
            {f"task {i}": lambda o, b, i=i: 0.5 * (o[:, i] - b[1][:, i]).square().mean() for i in range(M)},
            TensorDataset(x, y),
            weight_decay=weight_decay,
        )

    def pareto_point(self, w: Tensor) -> Tensor:
        """The minimiser of the weighted objectives, from the normal equations."""
        hessian = torch.einsum("i,ijk->jk", w, self.Q) + self.weight_decay * torch.eye(N, dtype=torch.float64)
        point: Tensor = torch.linalg.solve(hessian, torch.einsum("i,ij->j", w, self.pull))
        return point

    def excess(self, theta: Tensor, w: Tensor) -> float:
        """How far the weighted objectives are above their minimum."""
        best = self.pareto_point(w)

        def value(x: Tensor) -> float:
            return float(w @ self.objectives(self.evaluate(x).mean, x))

        return value(theta) - value(best)


class _Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(N, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.theta


def excess(problem: Linear, guide: Guide, theta: Tensor) -> float:
    """How far a named loss is above its target, in tolerances."""
    target = guide.target
    return float((target.excess(problem, theta, problem.evaluate(theta)) / target.tolerance).max())


def uniform() -> Tensor:
    return torch.full((M,), 1 / M, dtype=torch.float64)


def stepped(
    problem: Linear, preference: Any, amount: float, off: float = 0.0
) -> tuple[Tensor, Tensor, Guide]:
    """A predicted point, moved off the front at random, its weights, and the guide to correct it."""
    w = uniform()
    tangent = tangent_at(problem, problem.pareto_point(w), w, GEOMETRY)
    front = measure_front(problem, tangent, GEOMETRY)
    wish = preference.wish(situation(front))
    made = plan(front, wish, amount)
    theta = ObjectiveSpace().predict(problem, front, tangent, made).theta
    noise = torch.randn(N, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theta = theta + off * theta.norm() * noise / noise.norm()
    target = Target.of(made, front, problem, 0.01)
    return theta, torch.from_numpy(made.weights), Guide(tangent, front, made, target)


WISHES = [pn.Improve({"task 0": 1.0}, hold=["task 1"]), pn.Improve({"task 0": 0.7, "task 2": 0.3})]


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("preference", WISHES)
def test_it_returns_to_the_front_and_keeps_what_was_asked_for(name: str, preference: pn.Improve) -> None:
    problem = Linear()
    theta, weights, guide = stepped(problem, preference, 0.05, off=0.3)
    assert excess(problem, guide, theta) > 3
    before = problem.excess(theta, weights)
    descent = AlignedDescent(optimizer=OPTIMIZERS[name], epochs=40, batch_size=32, tolerance=1e-4)
    found = descent.correct(problem, theta, weights, GEOMETRY, guide)
    assert excess(problem, guide, found.theta) <= 1
    # Its own weights are not quite the predicted ones: those of its tangent are.
    assert problem.excess(found.theta, tangent_at(problem, found.theta, weights, GEOMETRY).weights) < (
        0.05 * before
    )
    assert torch.equal(found.losses.mean, problem.evaluate(found.theta).mean)
    assert found.converged


def test_plain_descent_on_the_same_weights_gives_some_of_it_away() -> None:
    """Where the predicted weights are off, what keeps the target is the alignment."""
    problem = Linear()
    theta, weights, guide = stepped(problem, WISHES[0], 0.2)
    weights = weights + torch.tensor([-0.05, 0.1, -0.05], dtype=torch.float64)
    aligned, plain = (
        AlignedDescent(epochs=10, alignments=rounds, optimizer=OPTIMIZERS["momentum"]) for rounds in (2, 0)
    )
    kept = aligned.correct(problem, theta, weights, GEOMETRY, guide)
    assert excess(problem, guide, kept.theta) <= 1
    moving = theta.clone().requires_grad_()
    optimizer = torch.optim.SGD([moving], lr=0.02, momentum=0.9)
    for _ in range(10):
        for batch in problem.minibatches(256, torch.Generator().manual_seed(0)):
            optimizer.zero_grad()
            (weights @ batch.losses(batch.outputs(moving))).backward()
            optimizer.step()
    assert excess(problem, guide, moving.detach()) > 3
    # Even without alignment no epoch that loses what was asked for is kept.
    kept = plain.correct(problem, theta, weights, GEOMETRY, guide)
    assert excess(problem, guide, kept.theta) <= 1


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_without_a_guide_it_goes_to_the_point_of_the_weights(decay: float) -> None:
    problem = Linear(1, weight_decay=decay)
    w = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    descent = AlignedDescent(optimizer=OPTIMIZERS["momentum"], epochs=60, batch_size=64, tolerance=1e-6)
    theta = problem.pareto_point(w) + 0.5
    found = descent.correct(problem, theta, w, GEOMETRY)
    assert problem.excess(found.theta, w) < 1e-3 * problem.excess(theta, w)
    assert torch.equal(found.weights, w)
    assert (found.theta - problem.pareto_point(w)).norm() < 0.02


def test_a_guided_correction_keeps_the_parameters_size() -> None:
    """Descent with decay would shrink them: the losses then rise for it."""
    problem = Linear(weight_decay=0.1)
    theta, weights, guide = stepped(problem, WISHES[0], 0.05)
    theta = theta * 1.2
    found = AlignedDescent(epochs=3, alignments=0).correct(problem, theta, weights, GEOMETRY, guide)
    assert not torch.equal(found.theta, theta)
    torch.testing.assert_close(found.theta.norm(), theta.norm())
    free = AlignedDescent(epochs=3, alignments=0).correct(problem, theta, weights, GEOMETRY)
    assert free.theta.norm() < 0.999 * theta.norm()


def test_at_a_critical_point_it_stops_and_stays_at_least_as_good() -> None:
    problem = Linear()
    w = uniform()
    theta = problem.pareto_point(w)
    before = problem.cost
    found = AlignedDescent(batch_size=64).correct(problem, theta, w, GEOMETRY)
    spent = problem.cost - before
    assert (found.iterations, found.converged) == (2, True)
    assert spent.gradient_passes == pytest.approx(2)
    assert spent.forward_passes == pytest.approx(2 + 3)  # batches; at the start and after each epoch
    assert torch.equal(found.theta, theta)


def test_one_backward_pass_per_batch_whatever_the_number_of_objectives() -> None:
    problem = Linear()
    theta, weights, guide = stepped(problem, WISHES[0], 0.05, off=0.3)
    before = problem.cost
    AlignedDescent(epochs=1, batch_size=50).correct(problem, theta, weights, GEOMETRY, guide)
    assert (problem.cost - before).gradient_passes == pytest.approx(1)
    assert (problem.cost - before).hessian_products == 0


def test_the_same_seed_gives_the_same_point() -> None:
    problem = Linear()
    theta, weights, guide = stepped(problem, WISHES[1], 0.05, off=0.3)

    def run(seed: int) -> Tensor:
        descent = AlignedDescent(epochs=3, batch_size=32, seed=seed)
        return descent.correct(problem, theta, weights, GEOMETRY, guide).theta

    state = torch.get_rng_state()
    assert torch.equal(run(0), run(0))
    assert not torch.equal(run(0), run(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_learning_rate_that_is_too_high_is_halved_until_it_pays() -> None:
    problem = Linear()
    w = uniform()
    theta = problem.pareto_point(w) + 0.5
    wild = AlignedDescent(optimizer=lambda p: torch.optim.SGD(p, lr=4.0), batch_size=256, patience=1)
    assert torch.equal(wild.correct(problem, theta, w, GEOMETRY).theta, theta)
    found = replace(wild, patience=6).correct(problem, theta, w, GEOMETRY)
    assert problem.excess(found.theta, w) < 0.1 * problem.excess(theta, w)


def test_it_stays_in_the_box() -> None:
    problem = Linear()
    theta = problem.parameters()
    problem.bounds = Bounds(theta - 0.01, theta + 0.01)
    found = AlignedDescent(optimizer=OPTIMIZERS["momentum"], epochs=3).correct(
        problem, theta, uniform(), GEOMETRY
    )
    assert (found.theta - theta).abs().max() <= 0.01
    assert (found.theta - theta).abs().max() > 0.005


def test_its_progress_is_even(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Linear()
    theta, weights, guide = stepped(problem, WISHES[0], 0.05, off=0.3)
    descent = AlignedDescent(epochs=4, patience=4, batch_size=150)
    require_even(
        *told(problem, lambda: descent.correct(problem, theta, weights, GEOMETRY, guide), monkeypatch)
    )


def test_it_is_a_corrector_of_the_navigator() -> None:
    problem = Linear()
    problem.set_parameters(problem.pareto_point(uniform()))
    nav = pn.Navigator(problem, corrector=AlignedDescent())
    start = nav.start()
    step = nav.step(WISHES[0], 0.05)
    assert step.status == pn.StepStatus.ACCEPTED
    assert step.achieved.train["task 0"] == pytest.approx(-0.05 * start.losses["task 0"], rel=0.02)
    assert abs(step.achieved.train["task 1"]) < 0.02 * abs(step.achieved.train["task 0"])


def test_what_is_not_finite_is_named() -> None:
    problem = Linear()
    with pytest.raises(pn.NonFiniteError, match="objective 'task 0' is nan before the first epoch"):
        AlignedDescent().correct(problem, problem.parameters() * torch.nan, uniform(), GEOMETRY)
    wild = AlignedDescent(optimizer=lambda p: torch.optim.SGD(p, lr=1e200), batch_size=256)
    with pytest.raises(pn.NonFiniteError, match=r"objective 'task 0' is .* on batch 2 of epoch 1"):
        wild.correct(problem, problem.parameters(), uniform(), GEOMETRY)
    root = pn.FunctionProblem(
        lambda x: torch.stack([(x + 1).square().sum(), x[0].sqrt() + x[1] ** 2]),
        torch.ones(2, dtype=torch.float64),
        names=["a", "b"],
    )
    with pytest.raises(
        pn.NonFiniteError, match="gradient of objective 'b' is not finite on batch 1 of epoch 1"
    ):
        AlignedDescent().correct(root, torch.zeros(2, dtype=torch.float64), uniform()[:2], GEOMETRY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adam"}, "optimizer='adam' is not a function"),
        ({"epochs": 0}, "epochs=0 is not possible"),
        ({"batch_size": 2.5}, "batch_size=2.5 is not possible"),
        ({"patience": 0}, "patience=0 is not possible"),
        ({"alignments": -1}, "alignments=-1 is not possible"),
        ({"tolerance": float("nan")}, "tolerance=nan is not possible"),
    ],
)
def test_arguments_that_make_no_sense_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        AlignedDescent(**arguments)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda p: None, "optimizer made a NoneType"),
        (lambda p: torch.optim.LBFGS(p), "L-BFGS evaluates the loss by itself"),
        (lambda p: torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), "for other tensors"),
    ],
)
def test_optimizers_that_do_not_fit_are_refused(optimizer: Any, message: str) -> None:
    problem = Linear()
    with pytest.raises(pn.ProblemError, match=message):
        AlignedDescent(optimizer=optimizer).correct(problem, problem.parameters(), uniform(), GEOMETRY)
