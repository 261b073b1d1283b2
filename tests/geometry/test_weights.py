from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from tests.tensors import normal
from torch import Tensor

from paretonav.errors import NonFiniteError
from paretonav.geometry import weights as module
from paretonav.geometry.weights import box_minimum_norm_weights, minimum_norm_weights

torch.set_num_threads(1)
SEEDS = st.integers(0, 2**32 - 1)
SIZES = {"m": st.integers(2, 50), "n": st.integers(1, 80), "seed": SEEDS}
FEW = settings(max_examples=25, deadline=None)
KINDS = [
    "random",
    "one side",
    "rank deficient",
    "duplicates",
    "near duplicates",
    "opposite",
    "wild",
    "one-sided wild",
]


def gradients(kind: str, m: int, n: int, seed: int) -> Tensor:
    J, offset, rng = normal(m, n, seed=seed), normal(n, seed=seed + 1), np.random.default_rng(seed)
    if kind == "one side":
        return J + 3 * offset
    if kind == "rank deficient":
        r = 1 + min(m, n) // 3
        return J[:, :r] @ normal(r, n, seed=seed + 2) + (seed % 2) * offset
    if kind == "duplicates":
        return J[rng.integers(0, 1 + m // 3, m)] + offset
    if kind == "near duplicates":
        return offset + J * 10.0 ** -rng.integers(1, 15)
    if kind == "opposite":
        return torch.cat([J[: m // 2], -J[: m - m // 2]])
    if kind in ("wild", "one-sided wild"):
        return (J + (2 * offset if kind != "wild" else 0)) * torch.from_numpy(
            10 ** rng.uniform(-8, 8, (m, 1))
        )
    return J


def counted(g: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    g = torch.where(lower, g.clamp(max=0), g)
    return torch.where(upper, g.clamp(min=0), g)


def assert_optimal(J: Tensor, alpha: Tensor, lower: Any = False, upper: Any = False) -> None:
    """In the simplex, and <g_i, d> >= |d|^2 for all i: to 50 units of rounding of the numbers added up."""
    assert (alpha.dtype, alpha.device.type, alpha.shape) == (torch.float64, "cpu", (len(J),))
    assert (alpha >= 0).all()
    assert float(alpha.sum()) == pytest.approx(1, abs=1e-14)
    J = J.double()
    d = counted(alpha @ J, torch.as_tensor(lower), torch.as_tensor(upper))
    norms = J.norm(dim=1)
    assert ((d @ d - J @ d) <= 50 * 2.2e-16 * norms * (alpha @ norms)).all()


@FEW
@given(SEEDS, st.integers(1, 30), st.floats(-12, 12))
def test_two_gradients_have_a_closed_form(seed: int, n: int, exponent: float) -> None:
    J = normal(2, n, seed=seed) + normal(n, seed=seed + 1)
    J[1] *= 10**exponent
    difference = J[1] - J[0]
    first = float((J[1] @ difference / (difference @ difference)).clamp(0, 1))
    assert minimum_norm_weights(J).tolist() == pytest.approx([first, 1 - first], rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(**SIZES)
def test_weights_are_optimal(kind: str, m: int, n: int, seed: int) -> None:
    J = gradients(kind, m, n, seed)
    assert_optimal(J, minimum_norm_weights(J))


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(**SIZES, share=st.floats(0, 1))
def test_weights_at_bounds_are_optimal(kind: str, m: int, n: int, seed: int, share: float) -> None:
    J, draw = gradients(kind, m, n, seed), torch.from_numpy(np.random.default_rng(seed).uniform(size=n))
    lower, upper = draw < 0.6 * share, (draw > 0.5 * share) & (draw < share)  # some are at both
    assert_optimal(J, box_minimum_norm_weights(J, lower, upper), lower, upper)


@FEW
@given(st.integers(2, 6), st.integers(1, 10), SEEDS)
def test_weights_at_bounds_are_those_of_a_general_solver(m: int, n: int, seed: int) -> None:
    J, draw = normal(m, n, seed=seed), torch.from_numpy(np.random.default_rng(seed).uniform(size=n))
    lower, upper = draw < 0.3, draw > 0.6

    def half_square(alpha: np.ndarray) -> tuple[float, np.ndarray]:
        d = counted(torch.from_numpy(alpha) @ J, lower, upper)
        return float(d @ d) / 2, (J @ d).numpy()

    ours = box_minimum_norm_weights(J, lower, upper).numpy()
    constraint = {"type": "eq", "fun": lambda a: a.sum() - 1, "jac": np.ones_like}
    theirs = minimize(
        half_square,
        np.full(m, 1 / m),
        jac=True,
        bounds=[(0, 1)] * m,
        constraints=constraint,
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert half_square(ours)[0] <= theirs.fun + 1e-12
    assert half_square(ours)[0] == pytest.approx(theirs.fun, rel=1e-5, abs=1e-9)


@FEW
@given(st.integers(2, 20), st.integers(20, 60), SEEDS, st.integers(-250, 250))
def test_permutation_and_common_scale_do_not_matter(m: int, n: int, seed: int, exponent: int) -> None:
    J = gradients("one side", m, n, seed)  # m <= n: the weights are unique
    alpha = minimum_norm_weights(J)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(m))
    assert minimum_norm_weights(J[order]).tolist() == pytest.approx(alpha[order].tolist(), abs=1e-11)
    assert minimum_norm_weights(J * 10.0**exponent).tolist() == pytest.approx(alpha.tolist(), abs=1e-11)
    lower, columns = (
        torch.arange(n) < n // 2,
        torch.randperm(n, generator=torch.Generator().manual_seed(seed)),
    )
    box = box_minimum_norm_weights(J, lower, ~lower)
    mirrored = box_minimum_norm_weights(-J[:, columns], ~lower[columns], lower[columns])
    assert_optimal(J, mirrored, lower, ~lower)
    d, e = (counted(a @ J, lower, ~lower) for a in (box, mirrored))
    assert d.tolist() == pytest.approx(e.tolist(), abs=1e-11 * float(J.norm()))


def test_zero_gradient_gets_weight_one() -> None:
    J = normal(4, 10, seed=0)
    J[2] = 0
    never = torch.zeros(10, dtype=torch.bool)
    assert minimum_norm_weights(J).tolist() == [0, 0, 1, 0]
    assert box_minimum_norm_weights(J, never, ~never).tolist() == [0, 0, 1, 0]
    assert minimum_norm_weights(0 * J).sum() == 1
    J[1:] = J[1:].abs() + 1  # at the lower bound, these cannot be followed
    assert not counted(box_minimum_norm_weights(J, ~never, never) @ J, ~never, never).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("m", [2, 7, 50])
def test_many_blocks_give_the_same_weights_as_one(
    monkeypatch: pytest.MonkeyPatch, m: int, dtype: Any
) -> None:
    J = gradients("one side", m, 3001, 0).to(dtype)
    lower, upper = torch.arange(3001) % 50 == 0, torch.arange(3001) % 70 == 1
    whole, whole_box = minimum_norm_weights(J), box_minimum_norm_weights(J, lower, upper)
    monkeypatch.setattr(module, "_BLOCK", 60 * m)
    assert minimum_norm_weights(J).tolist() == pytest.approx(whole.tolist(), abs=1e-12)
    assert box_minimum_norm_weights(J, lower, upper).tolist() == pytest.approx(whole_box.tolist(), abs=1e-12)
    assert_optimal(J, whole)
    assert_optimal(J, whole_box, lower, upper)


def test_gradients_may_require_grad_and_are_not_changed() -> None:
    J = normal(3, 6, seed=0).requires_grad_()
    before, lower = J.detach().clone(), torch.arange(6) < 3
    assert not box_minimum_norm_weights(J, lower, ~lower).requires_grad
    assert torch.equal(J, before)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_gradient_that_is_not_finite_is_named(bad: float) -> None:
    J = normal(3, 6, seed=0)
    J[1, 4] = bad
    never = torch.zeros(6, dtype=torch.bool)
    with pytest.raises(NonFiniteError, match="gradient 1"):
        minimum_norm_weights(J)
    with pytest.raises(NonFiniteError, match="gradient 1"):
        box_minimum_norm_weights(J, ~never, never)


def test_shapes_are_checked() -> None:
    J, never = torch.ones(2, 3), torch.zeros(3, dtype=torch.bool)
    for wrong in (J[0], J[:0], J[:, :0], J[None]):
        with pytest.raises(ValueError, match="must be"):
            minimum_norm_weights(wrong)
    with pytest.raises(ValueError, match=r"\[2\].*\[2, 3\]"):
        box_minimum_norm_weights(J, never, never[:2])
    assert minimum_norm_weights(J[:1]).tolist() == [1]
