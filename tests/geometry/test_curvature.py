"""Curvature operators against dense Hessians in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Curvature
from paretonav.objectives import Tally

LOSSES = {
    "classes": lambda out, batch: nn.functional.cross_entropy(out, batch[1]),
    "size": lambda out, batch: (out**2).mean() + out[:, 0].exp().mean(),
}


def mlp_problem(seed: int) -> tuple[pn.ModelProblem, list[torch.Tensor]]:
    """A small network on eleven examples in batches of four, and its data as one batch."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    x, y = torch.randn(11, 3).double(), torch.randint(3, (11,))
    return pn.ModelProblem(model, LOSSES, TensorDataset(x, y), batch_size=4), [x, y]


def dense(
    problem: pn.ModelProblem, batch: list[torch.Tensor], weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The exact Hessian and the Gauss-Newton matrix of the weighted mean loss, entry by entry."""
    theta = problem.parameters()
    names, shapes = zip(*((n, p.shape) for n, p in problem.model.named_parameters()), strict=True)

    def outputs(v: torch.Tensor) -> torch.Tensor:
        parts = v.split([s.numel() for s in shapes])
        views = (part.view(shape) for part, shape in zip(parts, shapes, strict=True))
        return functional_call(problem.model, dict(zip(names, views, strict=True)), (batch[0],))

    def loss(out: torch.Tensor) -> torch.Tensor:
        return weights @ torch.stack([f(out, batch) for f in LOSSES.values()])

    exact = torch.autograd.functional.hessian(lambda v: loss(outputs(v)), theta)
    out = outputs(theta)
    J = torch.autograd.functional.jacobian(outputs, theta).reshape(out.numel(), -1)
    inner = torch.autograd.functional.hessian(lambda o: loss(o.view_as(out)), out.reshape(-1))
    return exact, J.T @ inner @ J


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(0, 3), w=st.floats(0, 1))
def test_products_equal_the_dense_matrices(seed: int, shift: float, w: float) -> None:
    problem, batch = mlp_problem(seed)
    theta, weights = problem.parameters(), torch.tensor([w, 1 - w]).double()
    identity = torch.eye(len(theta)).double()
    for kind, matrix in zip(("exact", "gauss-newton"), dense(problem, batch, weights), strict=True):
        operator = Curvature(problem.curvature_sample(), theta, weights, kind=kind, shift=shift)
        torch.testing.assert_close(operator(identity), matrix + shift * identity, rtol=1e-9, atol=1e-11)


def test_gauss_newton_of_a_function_is_its_exact_hessian() -> None:
    problem = pn.problems.dtlz(2, m=3, n=7)
    theta, weights = problem.parameters(), torch.tensor([0.2, 0.3, 0.5])
    v = torch.randn(4, 7, dtype=torch.float64)
    a, b = (
        Curvature(problem.curvature_sample(), theta, weights, kind=kind)(v)
        for kind in ("exact", "gauss-newton")
    )
    torch.testing.assert_close(a, b)


def test_fixed_entries_neither_act_nor_answer() -> None:
    problem = pn.problems.quadratic(n=6, m=2)
    free = torch.tensor([True, False, True, True, False, True])
    weights = torch.tensor([0.4, 0.6], dtype=torch.float64)
    operator = Curvature(
        problem.curvature_sample(), problem.parameters(), weights, kind="exact", shift=0.5, free=free
    )
    H = (weights[:, None, None] * problem.Q).sum(0) + 0.5 * torch.eye(6)
    H[~free, :] = 0
    H[:, ~free] = 0
    torch.testing.assert_close(operator(torch.eye(6).double()), H)


def test_a_linear_loss_has_no_curvature_and_products_are_counted() -> None:
    problem = pn.FunctionProblem(lambda x: torch.stack([x.sum(), (2 * x).sum()]), torch.ones(3).double())
    tally = Tally()
    operator = Curvature(
        problem.curvature_sample(), torch.ones(3).double(), torch.ones(2), kind="exact", tally=tally
    )
    assert not operator(torch.eye(3).double()).any()
    assert tally.cost.hessian_products == 3


def test_several_outputs_of_which_one_is_not_curved() -> None:
    torch.manual_seed(0)

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"linear": self.layer(x), "square": self.layer(x) ** 2}

    model = Two().double()
    data = TensorDataset(torch.randn(5, 2).double())
    losses = {"a": lambda o, b: o["linear"].mean(), "b": lambda o, b: (o["square"] ** 2).mean()}
    problem = pn.ModelProblem(model, losses, data)
    theta, weights = problem.parameters(), torch.tensor([0.5, 0.5]).double()
    operator = Curvature(problem.curvature_sample(), theta, weights, kind="gauss-newton")

    def square(v: torch.Tensor) -> torch.Tensor:
        w, b = v[:4].view(2, 2), v[4:]
        return (data.tensors[0] @ w.T + b) ** 2

    J = torch.autograd.functional.jacobian(square, theta).reshape(10, 6)
    torch.testing.assert_close(operator(torch.eye(6).double()), J.T @ J * (2 * 0.5 / 10))


def test_largest_is_the_size_of_the_operator() -> None:
    problem = pn.problems.quadratic(n=30, m=2, condition=100.0)
    weights = torch.tensor([1.0, 0.0])
    operator = Curvature(problem.curvature_sample(), problem.parameters(), weights, kind="exact", shift=7.0)
    true = float(torch.linalg.eigvalsh(problem.Q[0])[-1])
    assert 0.3 * true <= operator.largest(problem.parameters()) <= 1.0001 * true


def test_an_unknown_kind_is_named() -> None:
    problem = pn.problems.quadratic(n=3, m=2)
    with pytest.raises(pn.ProblemError, match="fisher"):
        Curvature(problem.curvature_sample(), problem.parameters(), torch.ones(2), kind="fisher")
