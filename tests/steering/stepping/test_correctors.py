from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.steering.stepping.pace import require_even, told
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, pareto_weights, tangent_at
from paretonav.objectives import Bounds, Losses, Problem
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.correctors import MGDA, Correction, Guide, Newton
from paretonav.steering.stepping.predictors import ObjectiveSpace
from paretonav.steering.stepping.target import Target

FEW = settings(max_examples=15, deadline=None, derandomize=True)
SIZES, SEEDS = st.integers(2, 6), st.integers(0, 10**6)
GEOMETRY = Geometry()


def uniform(m: int) -> Tensor:
    return torch.full((m,), 1 / m, dtype=torch.float64)


def correct(
    corrector: MGDA | Newton, problem: Problem, theta: Tensor, guide: Guide | None = None
) -> Correction:
    return corrector.correct(problem, theta, uniform(problem.m), GEOMETRY, guide)


def record(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Losses]]:
    """Every point at which ``problem`` is evaluated from now on, with or without gradients, and its losses."""
    seen: list[tuple[Tensor, Losses]] = []

    def watch(method: Callable[..., Any], losses_of: Callable[[Any], Losses]) -> Callable[..., Any]:
        def watched(theta: Tensor, *options: Any) -> Any:
            result = method(theta, *options)
            seen.append((theta.detach().clone(), losses_of(result)))
            return result

        return watched

    monkeypatch.setattr(problem, "evaluate", watch(problem.evaluate, lambda losses: losses))
    monkeypatch.setattr(problem, "jacobian", watch(problem.jacobian, lambda pair: pair[0]))
    return seen


def far_from(problem: Problem, seed: int) -> Tensor:
    noise = torch.randn(len(problem.parameters()), generator=torch.Generator().manual_seed(seed))
    theta = problem.parameters() + 0.3 * noise.to(problem.parameters())
    return theta if problem.bounds is None else problem.bounds.clamp(theta)


# Multiple-gradient descent with line search


@pytest.mark.slow
@FEW
@given(SIZES, SEEDS, st.booleans(), st.booleans())
def test_descent_ends_at_a_critical_point(m: int, seed: int, normalized: bool, box: bool) -> None:
    problem = pn.problems.quadratic(20, m, seed=seed, bounds=(-0.2, 0.2) if box else None)
    theta = far_from(problem, seed)
    found = correct(MGDA(normalized=normalized), problem, theta)
    assert found.converged
    _, jacobian = problem.jacobian(found.theta)
    _, gradient = pareto_weights(problem, found.theta, jacobian)
    assert gradient.norm() <= 1e-5 * jacobian.norm(dim=1).max()
    assert abs(problem.front_distance(found.losses.mean)) < 1e-8
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1)
    # They are the weights of the gradients as they are, whether these were normalised on the way or not.
    rest = found.weights @ jacobian
    if not box:
        assert rest.norm() <= 1e-5 * jacobian.norm(dim=1).max()
    assert torch.equal(found.losses.mean, problem.evaluate(found.theta).mean)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("box", [None, (-0.2, 0.2)])
@pytest.mark.parametrize("m", [2, 4, 6])
def test_descent_raises_no_objective(
    normalized: bool, box: tuple[float, float] | None, m: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = pn.problems.quadratic(20, m, seed=m, bounds=box)
    theta = far_from(problem, 1)
    before = problem.evaluate(theta).mean
    steps: list[Tensor] = []
    jacobian = problem.jacobian
    monkeypatch.setattr(
        problem, "jacobian", lambda x: (steps.append(problem.evaluate(x).mean), jacobian(x))[1]
    )
    correct(MGDA(normalized=normalized, max_iterations=30), problem, theta)
    assert len(steps) > 5
    for after in steps[1:]:
        assert (after < before).all()
        before = after


def test_descent_stays_in_the_box_and_moves_although_some_entries_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = pn.problems.quadratic(20, 3, seed=3, bounds=(-0.1, 0.1))
    assert problem.bounds is not None
    _, gradients = problem.jacobian(problem.parameters())
    outward = gradients.mean(0) > 0
    theta = torch.where(outward, problem.bounds.lower, torch.zeros_like(problem.bounds.lower))
    seen = record(problem, monkeypatch)
    found = correct(MGDA(), problem, theta)
    assert max(float(x.abs().max()) for x, _ in seen) <= 0.1
    assert (found.losses.mean < problem.evaluate(theta).mean).all()
    assert abs(problem.front_distance(found.losses.mean)) < 1e-8


def test_descent_does_not_leave_a_critical_point() -> None:
    problem = pn.problems.quadratic(20, 3)
    theta = problem.pareto_point(torch.tensor([0.2, 0.3, 0.5]))
    found = correct(MGDA(), problem, theta)
    assert (found.iterations, found.converged) == (0, True)
    assert torch.equal(found.theta, theta)
    torch.testing.assert_close(
        found.weights, torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64), rtol=1e-6, atol=0
    )


@pytest.mark.parametrize(
    "fn",
    [lambda x: torch.stack([x.sum(), 2 * x[0] + x[1]]), lambda x: torch.stack([x[0] - x[1] ** 2, x.sum()])],
)
def test_objectives_that_fall_without_an_end_are_refused(fn: Callable[[Tensor], Tensor]) -> None:
    problem = pn.FunctionProblem(fn, torch.zeros(2, dtype=torch.float64))
    with pytest.raises(
        pn.ProblemError, match=r"fall without an end: after \d+ steps .* f1 is -.*; give bounds="
    ):
        pn.Navigator(problem).start()
    assert torch.equal(problem.parameters(), torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("exponent", [-30, -10, 30])
@pytest.mark.parametrize("box", [None, (-0.2, 0.2)])
def test_a_normalised_descent_does_not_know_units(exponent: int, box: tuple[float, float] | None) -> None:
    """What is asked of each objective is in its own; a power of two makes no rounding errors of its own."""
    plain = pn.problems.quadratic(20, 3, seed=1, bounds=box)
    units = torch.tensor([1.0, 2.0**exponent, 1.0], dtype=torch.float64)
    other = pn.FunctionProblem(lambda x: units * plain.fn(x), plain.parameters(), bounds=box)
    theta = far_from(plain, 1)
    mgda = MGDA(normalized=True, max_iterations=20)
    found, scaled = correct(mgda, plain, theta), correct(mgda, other, theta)
    assert scaled.iterations == found.iterations == 20
    torch.testing.assert_close(scaled.theta, found.theta, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(scaled.losses.mean / units, found.losses.mean, rtol=1e-6, atol=0)
    weights = scaled.weights * units
    torch.testing.assert_close(weights / weights.sum(), found.weights, rtol=1e-5, atol=1e-9)


def test_descent_shortens_steps_that_leave_the_domain() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([x[0].log() * x[0] + x[1] ** 2, (x[0] - 2) ** 2 + x[1] ** 2]),
        torch.tensor([0.8, 0.5], dtype=torch.float64),
    )
    theta = torch.tensor([0.02, 3.0], dtype=torch.float64)
    found = correct(MGDA(), problem, theta)
    assert found.losses.mean.isfinite().all()
    assert found.converged


def in_single_precision() -> tuple[Any, pn.FunctionProblem]:
    """A quadratic problem, and the same in single precision."""
    double = pn.problems.quadratic(20, 3)
    Q, centres = double.Q.float(), double.centres.float()

    def fn(x: Tensor) -> Tensor:
        offset = x - centres
        return 0.5 * (offset * (Q @ offset[:, :, None])[:, :, 0]).sum(1)

    problem = pn.FunctionProblem(fn, double.parameters().float())
    return double, problem


def test_descent_in_single_precision_ends_with_its_precision() -> None:
    double, problem = in_single_precision()
    found = correct(MGDA(), problem, problem.parameters())
    assert found.iterations < 200
    assert abs(double.front_distance(found.losses.mean)) < 1e-5


# Multiple-gradient descent on minibatches


def regression(m: int = 2, *, weight_decay: float = 0.0, validation: bool = False) -> pn.ModelProblem:
    """A small network that is to fit m different functions with too few hidden units."""
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 120, dtype=torch.float64)[:, None]
    y = torch.cat([(k * x + k).sin() for k in range(1, m + 1)], dim=1)
    data = TensorDataset(x, y)
    return pn.ModelProblem(
        nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1)).double(),
        {f"task {k}": lambda o, b, k=k: (o[:, 0] - b[1][:, k]).square().mean() for k in range(m)},
        data,
        data if validation else None,
        weight_decay=weight_decay,
        batch_size=40,
    )


def dominates(a: Tensor, b: Tensor) -> bool:
    return bool((a <= b).all() and (a < b).any())


@pytest.mark.parametrize("learning_rate", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_epochs_keep_one_of_the_points_with_its_own_losses(
    learning_rate: float, momentum: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = regression(weight_decay=1e-3)
    theta = problem.parameters()
    seen = record(problem, monkeypatch)
    mgda = MGDA(epochs=6, learning_rate=learning_rate, momentum=momentum, batch_size=16)
    found = correct(mgda, problem, theta)
    assert torch.equal(problem.evaluate(found.theta).mean, found.losses.mean)
    visited = [problem.objectives(losses.mean, x) for x, losses in seen[:7]]  # the start and every epoch
    assert torch.equal(seen[0][0], theta)
    kept = problem.objectives(found.losses.mean, found.theta)
    assert any(torch.equal(kept, other) for other in visited)
    assert not any(dominates(other, kept) for other in visited)
    assert kept.mean() == min(other.mean() for other in visited)
    assert torch.equal(problem.parameters(), theta)


def test_a_learning_rate_that_is_too_high_leaves_the_start() -> None:
    problem = regression()
    theta = correct(MGDA(epochs=30, learning_rate=0.05, momentum=0.9), problem, problem.parameters()).theta
    found = correct(MGDA(epochs=3, learning_rate=50.0), problem, theta)
    assert torch.equal(found.theta, theta)


def test_epochs_lower_every_objective_where_there_is_much_to_gain() -> None:
    problem = regression(3)
    start = problem.evaluate(problem.parameters()).mean
    found = correct(MGDA(epochs=20, learning_rate=0.03), problem, problem.parameters())
    assert (found.losses.mean < start).all()
    assert not found.converged  # fixed steps do not know
    again = correct(MGDA(epochs=20, learning_rate=0.03), problem, problem.parameters())
    assert torch.equal(found.theta, again.theta)
    other = correct(MGDA(epochs=20, learning_rate=0.03, seed=1), problem, problem.parameters())
    assert not torch.equal(found.theta, other.theta)


def test_epochs_count_what_they_cost() -> None:
    problem = regression(3)
    before = problem.cost
    correct(MGDA(epochs=4, batch_size=16), problem, problem.parameters())
    spent = problem.cost - before
    assert spent.forward_passes == pytest.approx(
        4 + 4 + 1 + 1
    )  # batches, after each epoch, before, for the weights
    assert spent.gradient_passes == pytest.approx(3 * (4 + 1))


def test_the_progress_of_epochs_is_even(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = regression()
    mgda = MGDA(epochs=4, batch_size=35)
    require_even(*told(problem, lambda: correct(mgda, problem, problem.parameters()), monkeypatch))


def test_epochs_stay_in_the_box() -> None:
    problem = regression()
    theta = problem.parameters()
    problem.bounds = Bounds(theta - 0.01, theta + 0.01)
    found = correct(MGDA(epochs=5, learning_rate=0.1), problem, theta)
    assert (found.theta - theta).abs().max() == pytest.approx(0.01)


def guide_with(problem: Problem, theta: Tensor, before: Tensor, improve: str) -> Guide:
    tangent = tangent_at(problem, theta, uniform(problem.m), GEOMETRY)
    front = measure_front(problem, tangent, GEOMETRY)
    front = replace(front, losses=before.numpy())
    wish = pn.Improve({improve: 1.0}).wish(situation(front))
    made = plan(front, wish, 1e-6)
    return Guide(
        tangent, front, made, replace(Target.of(made, front, problem, 0.0), values=front.losses[wish.named])
    )


def test_a_step_keeps_only_points_that_did_improve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Task 2 gains much more from the epochs, but the step is for task 1."""
    problem = regression()
    theta = correct(MGDA(epochs=5, learning_rate=0.05), problem, problem.parameters()).theta
    here = problem.evaluate(theta)
    mgda = MGDA(epochs=8, learning_rate=0.05)
    seen = record(problem, monkeypatch)
    free = correct(mgda, problem, theta)
    task = "task 1" if free.losses.mean[1] > here.mean[1] else "task 0"
    index = int(task[-1])
    monkeypatch.undo()
    reachable = [float(losses.mean[index]) for _, losses in seen[1:9]]
    for ceiling, allowed in (
        (min(reachable) - 1e-6, False),
        (min(reachable), False),
        (min(reachable) + 1e-9, True),
    ):
        before = here.mean.clone()
        before[index] = ceiling
        found = correct(mgda, problem, theta, guide_with(problem, theta, before, task))
        assert torch.equal(found.theta, theta) != allowed
        if allowed:
            assert found.losses.mean[index] < ceiling


@pytest.mark.parametrize("corrector", [MGDA(), Newton()])
def test_what_is_not_finite_is_named(corrector: MGDA | Newton) -> None:
    start = torch.tensor([1.0, 1.0], dtype=torch.float64)
    problem = pn.FunctionProblem(
        lambda x: torch.stack([x.square().sum(), (x[0] - 1).square() + x[1].sqrt()]), start, names=["a", "b"]
    )
    with pytest.raises(pn.NonFiniteError, match="objective 'b' is nan on the way"):
        correct(corrector, problem, torch.tensor([1.0, -1.0], dtype=torch.float64))
    with pytest.raises(pn.NonFiniteError, match="gradient of objective 'b' is not finite"):
        correct(corrector, problem, torch.tensor([1.0, 0.0], dtype=torch.float64))


def test_losses_of_a_model_that_are_not_finite_are_named() -> None:
    problem = regression()
    with pytest.raises(pn.NonFiniteError, match="objective 'task 0' is nan before the first epoch"):
        correct(MGDA(), problem, torch.full_like(problem.parameters(), torch.nan))
    with pytest.raises(pn.NonFiniteError, match=r"objective 'task 0' is .* on a batch"):
        correct(MGDA(learning_rate=1e200), problem, problem.parameters())


# Newton


def predicted(problem: Any, preference: Any, amount: float) -> tuple[Tensor, Tensor, Guide]:
    """Where a predictor goes from the middle of the front, with which weights, and to correct it a guide."""
    w = uniform(problem.m)
    tangent = tangent_at(problem, problem.pareto_point(w), w)
    front = measure_front(problem, tangent, GEOMETRY)
    wish = preference.wish(situation(front))
    made = plan(front, wish, amount)
    theta = ObjectiveSpace().predict(problem, front, tangent, made).theta
    target = replace(Target.of(made, front, problem, 0.0), tolerance=np.full(len(wish.named), 1e-10))
    return theta, torch.from_numpy(made.weights), Guide(tangent, front, made, target)


@pytest.mark.slow
@FEW
@given(SIZES, SEEDS, st.floats(0.01, 0.2), st.booleans())
def test_newton_is_back_after_a_few_corrections(m: int, seed: int, amount: float, guided: bool) -> None:
    problem = pn.problems.quadratic(50, m, seed=seed)
    theta, weights, guide = predicted(problem, pn.Improve({"f1": 1.0}), amount)
    found = Newton().correct(problem, theta, weights, GEOMETRY, guide if guided else None)
    assert found.converged
    assert found.iterations <= 6
    assert abs(problem.front_distance(found.losses.mean)) < 1e-8
    if guided:
        assert guide.target.met(guide.target.excess(problem, found.theta, found.losses))
    assert torch.equal(found.losses.mean, problem.evaluate(found.theta).mean)
    assert found.tangent is not None
    assert found.tangent.theta is found.theta
    gradient = found.weights @ problem.jacobian(found.theta)[1]
    assert gradient.norm() < 1e-6 * problem.jacobian(found.theta)[1].norm()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from([2, 3, 5, 20]),
    st.integers(2, 4),
    SEEDS,
    st.sampled_from([1.0, 10.0, 1e4]),
    st.sampled_from([None, 0.05, 0.2]),
    st.sampled_from([1e-3, 0.1]),
)
def test_newton_ends_at_a_pareto_point_of_a_quadratic_within_five_corrections(
    n: int, m: int, seed: int, condition: float, box: float | None, off: float
) -> None:
    """Inside a box, too: the active set is found on the way."""
    bounds = None if box is None else (-box, box)
    problem = pn.problems.quadratic(n, m, seed=seed, condition=condition, bounds=bounds)
    generator = torch.Generator().manual_seed(seed)
    w = torch.rand(m, generator=generator, dtype=torch.float64) + 1e-3
    noise = torch.randn(n, generator=generator, dtype=torch.float64) * problem.centres.std()
    theta = problem.pareto_point(w) + off * noise
    if problem.bounds is not None:
        theta = problem.bounds.clamp(theta)
    found = Newton(max_corrections=5).correct(problem, theta, w / w.sum(), GEOMETRY)
    assert found.converged
    # The minimiser of the weighted sum comes from a dense solve, with bounds from a quadratic programme.
    assert (found.theta - problem.pareto_point(found.weights)).abs().max() < 1e-8
    _, jacobian = problem.jacobian(found.theta)
    _, gradient = pareto_weights(problem, found.theta, jacobian)
    assert gradient.norm() <= 1e-8 * jacobian.norm(dim=1).max()


@pytest.mark.parametrize(
    ("n", "m", "condition", "box", "seed", "off"),
    [
        (5, 2, 10.0, 0.05, 0, 1e-3),  # the Newton step leaves the box, and cut short it goes uphill
        (5, 2, 1e2, 0.05, 2, 1e-3),
        (2, 3, 1.0, 0.05, 1, 1e-3),  # the refined weights fix other parameters than the given ones
        (5, 4, 1.0, 0.05, 3, 1e-3),
        (2, 2, 1e2, None, 1, 0.1),  # the weights run along the front while the point does
        (2, 2, 1e4, None, 0, 0.1),
    ],
)
def test_newton_copes_where_it_is_hard(
    n: int, m: int, condition: float, box: float | None, seed: int, off: float
) -> None:
    bounds = None if box is None else (-box, box)
    problem = pn.problems.quadratic(n, m, seed=seed, condition=condition, bounds=bounds)
    generator = torch.Generator().manual_seed(seed + 17)
    w = torch.rand(m, generator=generator, dtype=torch.float64)
    w /= w.sum()
    noise = torch.randn(n, generator=generator, dtype=torch.float64) * problem.centres.std()
    theta = problem.pareto_point(w) + off * noise
    if problem.bounds is not None:
        theta = problem.bounds.clamp(theta)
    found = Newton(max_corrections=5).correct(problem, theta, w, GEOMETRY)
    assert found.converged
    assert (found.theta - problem.pareto_point(found.weights)).abs().max() < 1e-8


@FEW
@given(st.integers(2, 4), SEEDS, st.sampled_from([1.0, 1e2, 1e4]), st.sampled_from([None, 0.1]))
def test_newton_is_back_on_target_within_five_corrections(
    m: int, seed: int, condition: float, box: float | None
) -> None:
    bounds = None if box is None else (-box, box)
    problem = pn.problems.quadratic(20, m, seed=seed, condition=condition, bounds=bounds)
    try:
        theta, weights, guide = predicted(problem, pn.Improve({"f1": 1.0}), 0.05)
    except pn.InfeasiblePreferenceError:
        return
    found = Newton(max_corrections=5).correct(problem, theta, weights, GEOMETRY, guide)
    assert found.converged
    assert abs(problem.front_distance(found.losses.mean)) < 1e-8
    _, jacobian = problem.jacobian(found.theta)
    _, gradient = pareto_weights(problem, found.theta, jacobian)
    assert gradient.norm() <= 1e-8 * jacobian.norm(dim=1).max()
    if box is None:
        assert guide.target.met(guide.target.excess(problem, found.theta, found.losses))


def test_newton_converges_at_least_quadratically() -> None:
    problem = pn.problems.quadratic(50, 4, seed=1)
    theta, weights, _ = predicted(problem, pn.Improve({"f1": 1.0}), 0.3)
    residuals = []
    for corrections in range(3):
        newton = Newton(tolerance=0.0, max_corrections=corrections)
        found = newton.correct(problem, theta, weights, GEOMETRY)
        assert found.iterations == corrections
        assert not found.converged
        residuals.append(float((found.weights @ problem.jacobian(found.theta)[1]).norm()))
    assert residuals[1] < 10 * residuals[0] ** 2
    assert residuals[2] < max(10 * residuals[1] ** 2, 1e-13)


def test_a_newton_step_lowers_all_objectives_alike_to_first_order() -> None:
    problem = pn.problems.quadratic(50, 4, seed=1)
    theta = problem.pareto_point(torch.tensor([0.1, 0.2, 0.3, 0.4])) + 1e-3
    before, jacobian = problem.jacobian(theta)
    found = correct(Newton(max_corrections=1), problem, theta)
    change = jacobian @ (found.theta - theta)
    assert change.max() < 0
    torch.testing.assert_close(change, change.mean().expand(4), rtol=1e-6, atol=0)
    assert (found.losses.mean < before.mean).all()


def test_newton_stays_in_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = pn.problems.quadratic(20, 3, seed=3, bounds=(-0.1, 0.1))
    theta = correct(MGDA(max_iterations=8), problem, far_from(problem, 0)).theta
    seen = record(problem, monkeypatch)
    found = correct(Newton(), problem, theta)
    assert found.converged
    assert max(float(x.abs().max()) for x, _ in seen) <= 0.1
    assert abs(problem.front_distance(found.losses.mean)) < 1e-8


def test_newton_does_not_raise_the_weighted_objectives() -> None:
    """Where the curvature is much larger along the step than at its start."""
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x - 1).abs().pow(1.6).sum(), (x + 1).abs().pow(1.6).sum()]),
        torch.tensor([0.3, 0.1], dtype=torch.float64),
    )
    theta = torch.tensor([4.0, -3.0], dtype=torch.float64)
    before = problem.evaluate(theta).mean
    found = Newton(max_corrections=1).correct(problem, theta, uniform(2), GEOMETRY)
    assert found.losses.mean.sum() < before.sum()


def test_newton_gives_up_where_no_length_helps() -> None:
    concave = pn.FunctionProblem(
        lambda x: torch.stack([-(x - 1).square().sum(), -(x + 1).square().sum()]),
        torch.tensor([0.3, 0.1], dtype=torch.float64),
    )
    found = correct(Newton(), concave, torch.tensor([0.3, 0.1], dtype=torch.float64))
    assert not found.converged
    assert found.iterations == 0
    assert torch.equal(found.theta, concave.parameters())


def test_newton_in_single_precision_stops_with_its_precision() -> None:
    double, problem = in_single_precision()
    found = correct(Newton(), problem, problem.parameters())
    assert found.converged
    assert found.iterations <= 4
    assert abs(double.front_distance(found.losses.mean)) < 1e-6


def test_newton_on_a_model_stops_early() -> None:
    problem = regression(weight_decay=1e-2)
    theta = correct(MGDA(epochs=60, learning_rate=0.05, momentum=0.9), problem, problem.parameters()).theta
    found = correct(Newton(), problem, theta)
    assert found.iterations <= 2
    exact = correct(Newton(tolerance=1e-9, max_corrections=30), problem, theta)
    assert exact.iterations > found.iterations
    assert exact.tangent is not None
    assert found.tangent is not None
    assert abs(exact.tangent.joint_gain) < abs(found.tangent.joint_gain)
    np.testing.assert_array_equal(problem.evaluate(exact.theta).mean, exact.losses.mean)
