import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paretonav import ProblemError
from paretonav.problems.quadratic import Quadratic, quadratic

SIZES = st.tuples(st.integers(1, 6), st.integers(2, 5), st.integers(0, 10**6))
FEW = settings(max_examples=15, deadline=None)


def random_weights(m: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights = -torch.rand(m, generator=generator, dtype=torch.float64).log()
    if seed % 3 == 0:
        weights[seed % m] = 0
    return weights / weights.sum()


def outcome(problem: Quadratic, x: Tensor) -> Tensor:
    return problem.evaluate(x).mean


@FEW
@given(SIZES)
def test_values_gradients_and_hessians_are_those_of_the_formula(sizes: tuple[int, int, int]) -> None:
    n, m, seed = sizes
    problem = quadratic(n, m, seed=seed)
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    losses, jacobian = problem.jacobian(x)
    for i, (Q, c) in enumerate(zip(problem.Q, problem.centres, strict=True)):
        assert losses.mean[i] == pytest.approx(float(0.5 * (x - c) @ Q @ (x - c)), abs=1e-12)
        torch.testing.assert_close(jacobian[i], Q @ (x - c), rtol=1e-12, atol=1e-12)
        hessian = torch.autograd.functional.hessian(lambda x, i=i: problem.fn(x)[i], x)
        torch.testing.assert_close(hessian, Q, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(problem.fn, x.requires_grad_())


@pytest.mark.parametrize("condition", [1.0, 10.0, 1e4])
def test_matrices_have_the_condition_and_the_spread_that_was_asked_for(condition: float) -> None:
    problem = quadratic(6, 3, seed=4, condition=condition)
    assert torch.equal(problem.Q, problem.Q.mT)
    expected = torch.logspace(0, torch.tensor(condition).log10().item(), 6, dtype=torch.float64)
    for Q in problem.Q:
        torch.testing.assert_close(torch.linalg.eigvalsh(Q), expected, rtol=1e-6, atol=1e-8)
    if condition > 1:
        assert not torch.allclose(problem.Q[0], problem.Q[1])


@pytest.mark.parametrize("n", [1, 10, 200])
def test_values_are_of_order_one_at_the_centres_of_the_others(n: int) -> None:
    values = torch.stack(
        [outcome(p, c) for p in (quadratic(n, 4, seed=s) for s in range(5)) for c in p.centres]
    )
    assert 0.1 < values[values > 0].mean() < 5


def test_it_is_reproducible_and_depends_on_the_seed() -> None:
    first, again, other = quadratic(4, 2, seed=1), quadratic(4, 2, seed=1), quadratic(4, 2, seed=2)
    assert torch.equal(first.Q, again.Q)
    assert torch.equal(first.centres, again.centres)
    assert not torch.equal(first.centres, other.centres)
    assert torch.equal(first.parameters(), first.centres.mean(0))
    assert first.parameters().dtype == torch.float64


@FEW
@given(SIZES)
def test_the_weighted_gradient_vanishes_at_pareto_points(sizes: tuple[int, int, int]) -> None:
    n, m, seed = sizes
    problem, weights = quadratic(n, m, seed=seed, condition=100), random_weights(m, seed)
    x = problem.pareto_point(7 * weights)
    assert (weights @ problem.jacobian(x)[1]).abs().max() < 1e-12


def test_a_single_weight_gives_that_centre() -> None:
    problem = quadratic(3, 3)
    torch.testing.assert_close(problem.pareto_point(torch.tensor([0.0, 2.0, 0.0])), problem.centres[1])


@FEW
@given(SIZES, st.booleans())
def test_pareto_points_inside_bounds_satisfy_the_optimality_conditions(
    sizes: tuple[int, int, int], tight: bool
) -> None:
    n, m, seed = sizes
    bounds = (-0.1, 0.2) if tight else (-float("inf"), torch.linspace(0, 1, n, dtype=torch.float64))
    problem, weights = quadratic(n, m, seed=seed, condition=100, bounds=bounds), random_weights(m, seed)
    x = problem.pareto_point(weights)
    assert problem.bounds is not None
    gradient = weights @ problem.jacobian(x)[1]
    torch.testing.assert_close(problem.bounds.clamp(x - gradient), x, rtol=0, atol=1e-12)


@FEW
@given(SIZES, st.floats(-0.5, 3), st.booleans())
def test_front_distance_is_exactly_the_shift_off_the_front(
    sizes: tuple[int, int, int], shift: float, bounded: bool
) -> None:
    n, m, seed = sizes
    problem = quadratic(n, m, seed=seed, bounds=(-0.1, 0.3) if bounded else None)
    f = outcome(problem, problem.pareto_point(random_weights(m, seed)))
    assert problem.front_distance(f) == pytest.approx(0, abs=1e-12)
    assert problem.front_distance(f + shift) == pytest.approx(shift, abs=1e-12)


@pytest.mark.parametrize("bounds", [None, (-0.2, 0.25)])
@pytest.mark.parametrize("m", [2, 3, 4])
def test_front_distance_agrees_with_a_grid_over_x(bounds: tuple[float, float] | None, m: int) -> None:
    problem = quadratic(2, m, seed=m, bounds=bounds)
    ends = bounds or (float(problem.centres.min()), float(problem.centres.max()))
    line = torch.linspace(*ends, 401, dtype=torch.float64)
    offset = torch.cartesian_prod(line, line)[:, None, :] - problem.centres
    values = 0.5 * torch.einsum("gmi,mij,gmj->gm", offset, problem.Q, offset)
    # For any f, f - s (1, ..., 1) is on the front for the largest s at which some outcome is still as good.
    for f in (torch.ones(m), torch.linspace(0.2, 1.5, m), torch.zeros(m), torch.eye(m)[0] * 2):
        best = float((f - values).amin(1).max())
        distance = problem.front_distance(f)
        assert best - 1e-12 <= distance <= best + 0.02


def test_front_distance_far_away_and_at_high_condition() -> None:
    problem = quadratic(10, 5, condition=1e6)
    f = outcome(problem, problem.pareto_point(torch.ones(5)))
    assert problem.front_distance(f + 1) == pytest.approx(1, abs=1e-10)
    # An objective that is 1e6 better than the others is all that counts, and its least value is 0.
    assert problem.front_distance(torch.tensor([1e6, 2e6, 2e6, 2e6, 2e6])) == pytest.approx(1e6, rel=1e-12)
    assert problem.front_distance(torch.full((5,), -1e6)) < -1e6


def test_the_start_is_moved_inside_the_bounds() -> None:
    problem = quadratic(3, 2, bounds=(5.0, torch.full((3,), 6.0)))
    assert problem.parameters().tolist() == [5, 5, 5]
    assert quadratic(2, 2, x0=torch.tensor([1, 2])).parameters().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0, "m": 2}, "n = 0 is not possible.*at least 1"),
        ({"n": 2, "m": 1}, "m = 1 is not possible.*at least 2"),
        ({"n": 2, "m": 2, "condition": 0.5}, "condition = 0.5 is not possible.*at least 1"),
        ({"n": 2, "m": 2, "condition": float("nan")}, "condition = nan is not possible"),
        ({"n": 2, "m": 2, "x0": torch.zeros(3)}, r"x0 has shape \[3\].*n = 2"),
        ({"n": 2, "m": 2, "bounds": (1.0, 0.0)}, r"bounds of x\[0\] are empty"),
        ({"n": 2, "m": 2, "bounds": (0.0, torch.ones(5))}, "bounds do not fit"),
        ({"n": 2, "m": 2, "bounds": (0.0, 1.0, 2.0)}, "bounds must be a pair"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        quadratic(**arguments)  # type: ignore[arg-type]


def test_wrong_weights_and_outcomes_are_named() -> None:
    problem = quadratic(2, 2)
    for weights in ([-0.5, 1.5], [0.0, 0.0]):
        with pytest.raises(ProblemError, match=r"weights = .* none may be negative"):
            problem.pareto_point(torch.tensor(weights))
    with pytest.raises(ProblemError, match="weights must be 2 finite numbers"):
        problem.pareto_point(torch.ones(3))
    with pytest.raises(ProblemError, match="f must be 2 finite numbers"):
        problem.front_distance(torch.tensor([1.0, float("nan")]))
