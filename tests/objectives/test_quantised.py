"""Adapters on a quantised base: what is exact, what is handled, and what is refused by name.

The libraries' layers are tested where they are installed; small stand-ins with the same faults are tested everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav import ModelProblem, ProblemError
from paretonav.geometry import Curvature

WIDTH = 64  # a block of 4-bit numbers has as many


class Scaled(nn.Module):
    """A frozen linear layer whose weights are kept as small integers, applied by a function that is left open."""

    def __init__(self, apply: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        numbers = torch.randint(-7, 8, (WIDTH, WIDTH), generator=generator, dtype=torch.int8)
        self.numbers = nn.Parameter(numbers, requires_grad=False)
        self.register_buffer("scale", torch.tensor(0.02, dtype=torch.float64))
        self.apply_to = apply

    @property
    def dequantised(self) -> Tensor:
        return self.numbers.double() * self.scale

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_to(x, self.numbers, self.scale)  # type: ignore[arg-type]


class Right(torch.autograd.Function):
    """As a careful library has it: a linear map with a backward pass that can be differentiated; no forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, numbers: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(numbers, scale)
        return x @ (numbers.to(x) * scale).T

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Any:  # type: ignore[override]
        numbers, scale = ctx.saved_tensors
        return slope @ (numbers.to(slope) * scale), None, None


class SilentlyZero(Right):
    """Right backward; in forward mode it is as if its input did not move."""

    @staticmethod
    def jvp(_: Any, *moved: Any) -> Tensor:
        return moved[0].new_zeros(moved[0].shape)  # type: ignore[no-any-return]


class Once(Right):
    """Its backward pass cannot be differentiated again."""

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, slope: Tensor) -> Any:  # type: ignore[override]
        numbers, scale = ctx.saved_tensors
        return slope @ (numbers.to(slope) * scale), None, None


def plain(x: Tensor, numbers: Tensor, scale: Tensor) -> Tensor:
    return x @ (numbers.to(x) * scale).T


def without_gradient(x: Tensor, numbers: Tensor, scale: Tensor) -> Tensor:
    return plain(x.detach(), numbers, scale)


class Adapted(nn.Module):
    """A low-rank adapter beside each of two frozen layers, with a residual way past them."""

    def __init__(self, layer: Callable[[], nn.Module], *, checkpoints: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer() for _ in range(2))
        generator = torch.Generator().manual_seed(0)
        self.down, self.up = (
            nn.ParameterList(
                0.1 * torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in self.layers
            )
            for shape in ((WIDTH, 2), (2, WIDTH))
        )
        self.head = nn.Parameter(0.1 * torch.randn(WIDTH, 2, generator=generator, dtype=torch.float64))
        self.checkpoints = checkpoints

    def block(self, i: int, x: Tensor) -> Tensor:
        return x + (self.layers[i](x) + x @ self.down[i] @ self.up[i]).tanh()  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        for i in range(len(self.layers)):
            x = checkpoint(self.block, i, x, use_reentrant=False) if self.checkpoints else self.block(i, x)
        return x @ self.head


def problem(model: nn.Module, dtype: torch.dtype = torch.float64) -> ModelProblem:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(48, WIDTH, generator=generator, dtype=dtype)
    y = torch.stack([x[:, :4].sum(1).sin(), x[:, 2:6].sum(1).cos()], 1)
    data = TensorDataset(x, y)
    losses = {name: (lambda o, b, k=k: (o[:, k] - b[1][:, k]).square().mean()) for k, name in enumerate("ab")}
    return ModelProblem(model, losses, data, data)


def assert_alike(one: ModelProblem, other: ModelProblem, within: float) -> None:
    """Of all that is derived, and of a start and a step."""
    theta = one.parameters()
    ways = torch.randn(2, len(theta), generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(
        theta
    )
    found: list[list[Tensor]] = []
    for each in (one, other):
        product = Curvature(each.curvature_sample(), theta, theta.new_tensor([0.5, 0.5]), kind="gauss-newton")
        response = each.response(theta, ways, "validation")[1].mean
        found.append([each.jacobian(theta)[1], product(ways), response])
    for got, expected in zip(*found, strict=True):
        assert float((got - expected).norm() / expected.norm()) < within
    ends = []
    for each in (one, other):
        nav = pn.Navigator(each)
        nav.start()
        assert nav.step(pn.Improve({"a": 1.0}), amount=0.02).status.value == "accepted"
        ends.append(each.parameters() - theta)
    assert float((ends[0] - ends[1]).norm() / ends[1].norm()) < 1e3 * within


@pytest.mark.parametrize("checkpoints", [False, True])
@pytest.mark.parametrize("function", [Right, SilentlyZero])
def test_what_has_no_forward_mode_or_a_wrong_one_is_followed_backward(
    function: type[Right], checkpoints: bool
) -> None:
    model, same = (
        Adapted(lambda f=f: Scaled(f), checkpoints=checkpoints)  # type: ignore[misc]
        for f in (function.apply, plain)
    )
    assert_alike(problem(model), problem(same), 1e-10)


def test_what_cannot_be_differentiated_twice_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"backward pass that torch cannot differentiate again"):
        problem(Adapted(lambda: Scaled(Once.apply))).curvature_sample()


def test_through_checkpoints_forward_mode_needs_no_second_derivative() -> None:
    """Where it is right: here there is none, so that there is only the graph, and that is refused."""
    with pytest.raises(ProblemError, match=r"backward pass that torch cannot differentiate again"):
        problem(Adapted(lambda: Scaled(Once.apply), checkpoints=True)).curvature_sample()


def test_layers_that_cut_the_gradient_are_refused_by_name() -> None:
    with pytest.raises(
        ProblemError, match=r"module 'layers.1' \(Scaled with quantised weights\).*weights only"
    ):
        problem(Adapted(lambda: Scaled(without_gradient)))


def test_they_may_be_in_front_of_all_that_is_steered() -> None:
    model = Adapted(lambda: Scaled(without_gradient))
    for p in (*model.down, *model.up):
        p.requires_grad_(False)
    assert problem(model).steered == ("head",)


def test_8_bit_layers_of_bitsandbytes_are_refused_by_name() -> None:
    class Linear8bitLt(nn.Linear):
        """Of the name that it has there."""

    with pytest.raises(ProblemError, match=r"'0' \(Linear8bitLt\) rounds what comes in.*4 bits.*dequantise"):
        problem(nn.Sequential(Linear8bitLt(WIDTH, 2)).double())


def test_4_bit_layers_that_repack_themselves_are_refused_by_name() -> None:
    class Linear4bit(nn.Linear):
        support_avx512bf16_for_cpu = True

    model = nn.Sequential(Linear4bit(WIDTH, 2)).double().eval()
    with pytest.raises(ProblemError, match=r"'0' \(Linear4bit\) repacks.*m\.train\(\)"):
        problem(model)
    assert problem(model.train()).steered


def test_a_step_on_a_4_bit_base_is_that_of_the_dequantised_model() -> None:
    bnb = pytest.importorskip("bitsandbytes")

    def quantised() -> Any:
        torch.manual_seed(0)
        layer = bnb.nn.Linear4bit(WIDTH, WIDTH, bias=False, compute_dtype=torch.float32, quant_type="nf4")
        return layer.to("cpu").train()

    def dequantised() -> nn.Module:
        weight = quantised().weight
        layer = nn.Linear(WIDTH, WIDTH, bias=False).requires_grad_(False)
        layer.weight.copy_(bnb.functional.dequantize_4bit(weight.data, weight.quant_state))
        return layer

    for checkpoints in (False, True):
        one, other = (
            problem(Adapted(layer, checkpoints=checkpoints).float(), torch.float32)
            for layer in (quantised, dequantised)
        )
        assert_alike(one, other, 1e-5)


@pytest.mark.filterwarnings("ignore")
def test_a_step_on_weights_of_torchao_is_that_of_the_dequantised_model() -> None:
    torchao = pytest.importorskip("torchao.quantization")

    def quantised(config: Any = None) -> Any:
        torch.manual_seed(0)
        layer = nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False).requires_grad_(False))
        torchao.quantize_(layer, config or torchao.Int8WeightOnlyConfig())
        return layer[0]

    def dequantised() -> nn.Module:
        layer = nn.Linear(WIDTH, WIDTH, bias=False).requires_grad_(False)
        layer.weight.copy_(quantised().weight.dequantize())
        return layer

    one, other = (problem(_in_float32(Adapted(layer)), torch.float32) for layer in (quantised, dequantised))
    assert_alike(one, other, 1e-5)
    rounding = torchao.Int8DynamicActivationInt8WeightConfig()
    with pytest.raises(ProblemError, match=r"quantised weights.*gives no gradient.*Int8WeightOnlyConfig"):
        problem(_in_float32(Adapted(lambda: quantised(rounding))), torch.float32)


def _in_float32(model: Adapted) -> Adapted:
    """Quantised weights cannot be converted, so only the others are."""
    for p in (*model.down, *model.up, model.head):
        p.data = p.data.float()
    return model
