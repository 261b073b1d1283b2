"""The test that finds products which are not of one Jacobian."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor

from paretonav.objectives.adjoint import is_adjoint
from paretonav.objectives.graph import leads_to, nodes


def linear(seed: int, missing: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Outputs with their graph to theta, J v with a part of it missing, theta and v."""
    A, B = normal(6, 9, seed=seed), normal(6, 9, seed=seed + 1)
    theta, v = normal(9, seed=seed + 2).requires_grad_(), normal(9, seed=seed + 3)
    part = missing * (A @ v).norm() / (B @ v).norm() * B
    return (A + part) @ theta, A @ v, theta, v


@given(st.integers(0, 2**20))
def test_right_products_pass(seed: int) -> None:
    outputs, moved, theta, v = linear(seed, 0.0)
    assert is_adjoint([outputs, theta.detach()], [moved, None], theta, v)


@given(st.integers(0, 2**20))
def test_a_third_that_is_missing_is_found_as_a_rule(seed: int) -> None:
    """Two random looks miss it by chance, but not ten at once."""
    many = [linear(seed + 10 * k, 0.3) for k in range(10)]
    assert not all(is_adjoint([outputs], [moved], theta, v) for outputs, moved, theta, v in many)


def test_all_that_is_missing_is_found() -> None:
    outputs, moved, theta, v = linear(0, 0.0)
    for nothing in (None, torch.zeros_like(moved), torch.full_like(moved, torch.nan)):
        assert not is_adjoint([outputs], [nothing], theta, v)


def test_a_graph_is_walked_once_and_nearest_first() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.sin()
    z = (y * y).sum() + x.cos().sum()
    assert z.grad_fn is not None
    found = list(nodes([z.grad_fn]))
    assert len(found) == len(set(found))
    assert found[0] is z.grad_fn
    assert leads_to(z, y.grad_fn)
    assert not leads_to(y, z.grad_fn)
    assert not leads_to(x, z.grad_fn)
