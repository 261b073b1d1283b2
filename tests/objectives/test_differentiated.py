"""What cannot be differentiated, or not twice, is named."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.regression import network, noisy, squared
from tests.tensors import normal
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Curvature, path_curvature
from paretonav.objectives import Composite
from paretonav.steering.stepping.correctors.minibatch import batch_gradient, batch_jacobian


class Once(torch.autograd.Function):
    """A square whose backward says that it is no function of torch's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * grad


class Broken(torch.autograd.Function):
    """Its backward fails."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]  # noqa: ARG004
        raise ValueError("a singular matrix")


def once(x: Tensor) -> Tensor:
    return Once.apply(x)  # type: ignore[no-any-return, no-untyped-call]


def broken(x: Tensor) -> Tensor:
    return Broken.apply(x)  # type: ignore[no-any-return, no-untyped-call]


class After(nn.Module):
    """A network with a function behind its first layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last, self.function = nn.Linear(4, 3), nn.Linear(3, 2), function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x)))  # type: ignore[no-any-return]


def spelled(o: Tensor, _: Any) -> Tensor:
    """Connectionist temporal classification, which has no second derivative."""
    steps = o.log_softmax(1)[:, None]
    targets, lengths = torch.ones(1, 2).long(), (torch.tensor([len(o)]), torch.tensor([2]))
    return nn.functional.ctc_loss(steps, targets, *lengths)


def curvature(problem: pn.ModelProblem, kind: Any = "gauss-newton") -> Curvature:
    return Curvature(
        problem.curvature_sample(), problem.parameters(), torch.full((problem.m,), 1 / problem.m), kind=kind
    )


@pytest.mark.parametrize("kind", ["gauss-newton", "exact"])
def test_a_loss_without_second_derivative_is_named(kind: Any) -> None:
    losses = {"small": squared(0), "spelled": spelled}
    problem = pn.ModelProblem(
        network().float(), losses, TensorDataset(normal(8, 4, dtype=torch.float32), normal(8, 2))
    )
    with pytest.raises(
        pn.ProblemError, match=r"'spelled' cannot be differentiated.*ctc_loss.*as a metric"
    ) as raised:
        curvature(problem, kind)(torch.ones_like(problem.parameters())[None])
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_so_it_is_at_a_start() -> None:
    losses = {"small": squared(0), "spelled": spelled}
    with pytest.raises(pn.ProblemError, match="'spelled' cannot be differentiated"):
        pn.Navigator(pn.ModelProblem(network(), losses, noisy(40, 1), validation=noisy(40, 2))).start()


@pytest.mark.parametrize("kind", ["gauss-newton", "exact"])
def test_a_model_that_can_be_differentiated_once_is_refused(kind: Any) -> None:
    losses = {name: squared(i) for i, name in enumerate(("small", "large"))}
    problem = pn.ModelProblem(After(once).double(), losses, noisy(8, 1))
    assert problem.jacobian(problem.parameters())[1].isfinite().all()
    with pytest.raises(pn.ProblemError, match=r"the model has a backward pass.*once_differentiable"):
        curvature(problem, kind)(torch.ones_like(problem.parameters())[None])


def failing(problem: pn.Problem, batch: Composite) -> list[Callable[[], Any]]:
    theta, weights = problem.parameters(), torch.full((2,), 0.5)
    return [
        lambda: batch_gradient(problem, batch, theta, weights, ""),
        lambda: batch_jacobian(problem, batch, theta, ""),
        lambda: path_curvature([batch], theta, theta[None], 2, problem.tally),
    ]


@pytest.mark.parametrize("which", range(3))
def test_a_backward_pass_that_fails_on_a_minibatch_is_explained(which: int) -> None:
    function: list[Callable[[Tensor], Tensor]] = [torch.tanh]
    losses = {name: squared(i) for i, name in enumerate(("small", "large"))}
    problem = pn.ModelProblem(After(lambda x: function[0](x)).double(), losses, noisy(8, 1))
    (batch,) = problem.minibatches(8, torch.Generator())
    function[0] = broken
    with pytest.raises(pn.ProblemError, match="ValueError: a singular matrix") as raised:
        failing(problem, batch)[which]()
    assert isinstance(raised.value.__cause__, ValueError)


@pytest.mark.parametrize("which", range(3))
def test_a_loss_that_fails_on_a_minibatch_is_named(which: int) -> None:
    fail: list[bool] = []

    def picky(o: Tensor, batch: Any) -> Tensor:
        if fail:
            raise KeyError("no such word")
        return squared(1)(o, batch)  # type: ignore[no-any-return]

    problem = pn.ModelProblem(network(), {"small": squared(0), "picky": picky}, noisy(8, 1))
    (batch,) = problem.minibatches(8, torch.Generator())
    fail.append(True)
    with pytest.raises(
        pn.ProblemError, match=r"loss 'picky' failed on a curvature batch of 8.*no such word"
    ) as raised:
        failing(problem, batch)[which]()
    assert isinstance(raised.value.__cause__, KeyError)
    with pytest.raises(
        pn.ProblemError, match=r"loss 'picky' failed on batch 1 of the train data.*no such word"
    ):
        problem.evaluate(problem.parameters())


def test_a_function_that_fails_later_is_explained() -> None:
    def fn(x: Tensor) -> Tensor:
        if x[0] > 1:
            raise RuntimeError("the solver diverged")
        return torch.stack([x.square().sum(), (x - 1).square().sum()])

    problem = pn.FunctionProblem(fn, torch.zeros(2))
    far = torch.full((2,), 2.0)
    for call in (problem.evaluate, problem.jacobian, lambda x: problem.curvature_sample()[0].losses((x,))):
        with pytest.raises(pn.ProblemError, match=r"fn failed at a vector of length 2.*the solver diverged"):
            call(far)


def test_a_function_without_second_derivative_is_refused() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([x.square().sum(), once(x - 1).sum()]), torch.zeros(2), names=["near", "far"]
    )
    with pytest.raises(pn.ProblemError, match=r"fn is curved, but.*once_differentiable"):
        Curvature(problem.curvature_sample(), torch.zeros(2), torch.ones(2), kind="exact")(torch.ones(1, 2))
