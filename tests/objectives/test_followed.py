"""Derivatives that autograd does not follow are found; corners, jumps and rounding are none."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.regression import noisy, squared
from tests.tensors import normal
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.objectives.followed import is_bent, misled


class Once(torch.autograd.Function):
    """A hyperbolic tangent that can be differentiated once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (1 - x.tanh() ** 2)


class Kernel(torch.autograd.Function):
    """The same by arithmetic outside of torch, which nobody follows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return torch.from_numpy(grad.detach().numpy() * (1 - x.detach().tanh().numpy() ** 2))


class Reversed(torch.autograd.Function):
    """The identity, with the gradient of an adversary."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]  # noqa: ARG004
        return -grad


class SquaredError(torch.autograd.Function):
    """A loss whose gradient is made outside of torch."""

    @staticmethod
    def forward(ctx: Any, o: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(o, y)
        return (o - y).square().mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        o, y = (tensor.detach() for tensor in ctx.saved_tensors)
        return grad.detach() * 2 * (o - y) / o.numel(), None


def applied(function: Any) -> Callable[[Tensor], Tensor]:
    return lambda x: function.apply(x)  # type: ignore[no-any-return]


def hardened(x: Tensor) -> Tensor:
    """The largest of each row as 1 and the others as 0, with the gradient of a softmax."""
    soft = x.softmax(1)
    return soft + (nn.functional.one_hot(soft.argmax(1), soft.shape[1]) - soft).detach()


def rounded(x: Tensor) -> Tensor:
    return x + ((4 * x).round() / 4 - x).detach()


def signs(x: Tensor) -> Tensor:
    return x.tanh() + (x.sign() - x.tanh()).detach()


def half_stopped(x: Tensor) -> Tensor:
    return x.tanh() + x.sin().detach()


class Wide(nn.Module):
    """A network with a function behind its first layer, and a way around that."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.around = nn.Linear(4, 16), nn.Linear(16, 2), nn.Linear(4, 2)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x))) + 0.3 * self.around(x)  # type: ignore[no-any-return]


def absolute(i: int) -> Any:
    return lambda o, batch: (o[:, i] - batch[1][:, i]).abs().mean()


def hinge(i: int) -> Any:
    return lambda o, batch: (1 - o[:, i] * batch[1][:, i].sign()).clamp_min(0).mean()


LOSSES: dict[str, Any] = {"square": squared, "absolute": absolute, "hinge": hinge}
HEALTHY: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "abs": torch.abs,
    "clamp": lambda x: x.clamp(-0.3, 0.3),
    "gelu": nn.functional.gelu,
    "maximum": lambda x: torch.maximum(x, x.flip(1)),
    "sorted": lambda x: x.sort(1).values,
    "largest": lambda x: x * (x >= x.topk(4, 1).values[:, -1:]),
    "pooled": lambda x: nn.functional.max_pool1d(x[:, None], 2)[:, 0].repeat(1, 2),
    "normed": lambda x: nn.functional.layer_norm(x, (16,)),
    "half": lambda x: x.bfloat16().tanh().float(),
    "recomputed": lambda x: x.cumsum(1).sin(),
}


def make(
    function: Callable[[Tensor], Tensor], loss: str = "square", dtype: torch.dtype = torch.float64
) -> pn.ModelProblem:
    data = TensorDataset(*(t.to(dtype) for t in noisy(300, 1).tensors))
    return pn.ModelProblem(Wide(function).to(dtype), {"a": LOSSES[loss](0), "b": LOSSES[loss](1)}, data)


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", list(HEALTHY))
def test_what_autograd_follows_passes_without_a_word(
    kind: str, dtype: torch.dtype, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    if kind == "half" and dtype is torch.float64:
        return
    make(HEALTHY[kind], loss, dtype).curvature_sample()
    assert not caplog.records


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("function", [Once, Kernel])
def test_a_backward_pass_that_is_not_followed_is_refused_for_curvature(function: Any, loss: str) -> None:
    problem = make(applied(function), loss)
    expected = make(torch.tanh, loss)
    torch.testing.assert_close(
        problem.jacobian(problem.parameters())[1], expected.jacobian(expected.parameters())[1]
    )
    with pytest.raises(
        pn.ProblemError, match="the model has a backward pass that torch cannot differentiate again"
    ):
        problem.curvature_sample()
    with pytest.raises(pn.ProblemError, match="leave the parameters before it out"):
        pn.Navigator(problem).start()


def test_parameters_behind_it_can_be_steered() -> None:
    data = noisy(300, 1)
    problem = pn.ModelProblem(
        Wide(applied(Kernel)).double(),
        {"a": squared(0), "b": squared(1)},
        data,
        parameters=["last.*", "around.*"],
    )
    assert problem.curvature_sample()


def test_a_loss_whose_backward_pass_is_not_followed_is_named() -> None:
    def kernel(o: Tensor, batch: Any) -> Tensor:
        return SquaredError.apply(o, batch[1])  # type: ignore[no-any-return, no-untyped-call]

    problem = pn.ModelProblem(Wide(torch.tanh).double(), {"a": squared(0), "kernel": kernel}, noisy(300, 1))
    with pytest.raises(pn.ProblemError, match=r"loss 'kernel' is curved, but torch cannot.*as a metric"):
        problem.curvature_sample()


@pytest.mark.parametrize("function", [half_stopped, signs])
def test_a_gradient_that_is_no_derivative_is_told(
    function: Callable[[Tensor], Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        make(function)
    assert "the gradient of objective 'a' is not its derivative" in caplog.text
    assert "measured, not derived" in caplog.text


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_reversed_gradient_is_refused(dtype: torch.dtype) -> None:
    with pytest.raises(
        pn.ProblemError, match=r"'a' is not its derivative.*raises it in 'first.weight'.*sign turned"
    ):
        make(applied(Reversed), dtype=dtype)


@pytest.mark.parametrize("function", [rounded, hardened])
def test_leaps_are_not_taken_for_a_wrong_gradient_of_the_other_sign(
    function: Callable[[Tensor], Tensor],
) -> None:
    make(function).curvature_sample()


def test_functions_are_looked_at_as_models_are(caplog: pytest.LogCaptureFixture) -> None:
    pn.FunctionProblem(
        lambda x: torch.stack([x.square().sum(), x.abs().sum()]), torch.zeros(3)
    ).curvature_sample()
    pn.FunctionProblem(
        lambda x: torch.stack([x.max(), (x - 1).abs().max()]), torch.ones(3)
    ).curvature_sample()
    assert not caplog.records
    with pytest.raises(pn.ProblemError, match="the gradient of objective 'f2' is not its derivative"):
        pn.FunctionProblem(
            lambda x: torch.stack([x.square().sum(), applied(Reversed)(x).cosh().sum()]), normal(3)
        )


def test_a_wrong_slope_is_found_by_its_size() -> None:
    theta, claimed = normal(6, seed=1), normal(2, 6, seed=2)
    true = claimed * torch.tensor([[1.0], [0.7]], dtype=torch.float64)

    def values(point: Tensor) -> Tensor:
        return 3 + true @ (point - theta)

    found = misled(values, theta, values(theta), claimed)
    assert list(found) == [1]
    assert found[1].slope == pytest.approx(0.7)
    assert not misled(values, theta, values(theta), true)


def test_curvature_that_is_known_is_known() -> None:
    x = normal(50)
    assert is_bent(lambda leaves: leaves[0].pow(4).mean(), (x,))
    assert is_bent(lambda leaves: leaves[0].abs().mean(), (x,))
    assert is_bent(lambda leaves: leaves[0].abs().mean(), (torch.zeros(50),)), "all of it is corners"
    assert not is_bent(lambda leaves: (leaves[0] * leaves[0].detach()).mean(), (x,))
