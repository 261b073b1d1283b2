"""Backward passes in one batch against one after another."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor

import paretonav as pn
from paretonav.geometry import Curvature
from paretonav.objectives import backward


class BySciPy(torch.autograd.Function):
    """A cube whose backward leaves torch, so that it cannot be batched."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return torch.from_numpy(np.asarray(grad) * 3 * np.asarray(x.detach()) ** 2)


@given(k=st.integers(1, 6), m=st.integers(1, 4), n=st.integers(1, 5), seed=st.integers(0, 1000))
def test_a_batch_is_as_many_passes(k: int, m: int, n: int, seed: int) -> None:
    x, matrix, cotangents = (
        normal(n, seed=seed).requires_grad_(),
        normal(m, n, seed=seed + 1),
        normal(k, m, seed=9),
    )
    values = (matrix @ x).tanh()
    jacobian = (1 - values.detach() ** 2)[:, None] * matrix
    for at_once in (True, False):
        rows = list(backward(values, x, cotangents, at_once=at_once))
        torch.testing.assert_close(torch.stack(rows), cotangents @ jacobian)


@pytest.mark.parametrize(("at_once", "expected"), [(True, 1), (False, 5)])
def test_every_pass_can_be_stopped(at_once: bool, expected: int) -> None:
    x, seen = normal(3, seed=0).requires_grad_(), []
    list(backward(x.square(), x, normal(5, 3, seed=1), at_once=at_once, checkpoint=lambda: seen.append(1)))
    assert len(seen) == expected


def test_what_cannot_be_batched_is_done_in_turn() -> None:
    x, cotangents = normal(3, seed=0).requires_grad_(), normal(4, 3, seed=1)
    seen: list[int] = []
    rows = list(
        backward(BySciPy.apply(x), x, cotangents, at_once=True, checkpoint=lambda: seen.append(1))  # type: ignore[no-untyped-call]
    )
    torch.testing.assert_close(torch.stack(rows), 3 * cotangents * x.detach() ** 2)
    assert len(seen) == 5


def test_values_that_do_not_depend_have_no_slope() -> None:
    x, y = normal(3, seed=0).requires_grad_(), normal(2, seed=1).requires_grad_()
    for at_once in (True, False):
        rows = torch.stack(list(backward(y.square(), x, normal(4, 2, seed=2), at_once=at_once)))
        assert torch.equal(rows, torch.zeros(4, 3, dtype=torch.float64))


@given(n=st.integers(2, 5), k=st.integers(1, 5), seed=st.integers(0, 1000))
def test_curvature_of_functions_is_the_dense_hessian(n: int, k: int, seed: int) -> None:
    matrix = normal(3, n, seed=seed)
    problem = pn.FunctionProblem(lambda x: (matrix @ x).sin() + x[0] ** 3, normal(n, seed=seed + 1))
    theta, weights = problem.parameters(), torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda x: weights @ ((matrix @ x).sin() + x[0] ** 3), theta)
    vectors = normal(k, n, seed=seed + 2)
    operator = Curvature(problem.curvature_sample(), theta, weights, kind="exact")
    torch.testing.assert_close(operator(vectors), vectors @ hessian)


class Raising(torch.autograd.Function):
    """Its backward fails at the first call."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]  # noqa: ARG004
        Raising.calls += 1
        if Raising.calls == 1:
            raise RuntimeError("a singular matrix")
        return grad


def test_an_error_in_a_batch_that_has_another_reason_is_shown() -> None:
    x = normal(3, seed=0).requires_grad_()
    Raising.calls = 0
    with pytest.raises(RuntimeError, match="a singular matrix"):
        list(backward(Raising.apply(x), x, normal(4, 3, seed=1), at_once=True))  # type: ignore[no-untyped-call]
