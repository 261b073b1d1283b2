"""The model at other parameters than its own, however it is made."""

import copy
import math
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from tests.tensors import normal
from torch import Tensor, nn
from torch.backends import cudnn, mha
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils import parametrizations

from paretonav import ModelProblem, ProblemError
from paretonav.geometry import Curvature

LOSSES: dict[str, Any] = {
    "a": lambda o, _: o[..., 0].square().mean(),
    "b": lambda o, _: (o[..., 1] - 1).square().mean(),
}
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)


def dataset(*shape: int, dtype: torch.dtype = torch.float64) -> torch.utils.data.TensorDataset:
    return torch.utils.data.TensorDataset(normal(*shape, seed=9, dtype=dtype))


def network(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype)


class Attention(nn.Module):
    """One head of attention, by torch's function or by its formula."""

    def __init__(self, formula: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.project, self.head = nn.Linear(3, 12), nn.Linear(4, 2)
        self.formula = formula
        self.double()

    def forward(self, x: Tensor) -> Any:
        q, k, v = self.project(x).chunk(3, dim=-1)
        if self.formula:
            return self.head((q @ k.mT / math.sqrt(4)).softmax(-1) @ v)
        return self.head(scaled_dot_product_attention(q, k, v))


def test_attention_has_the_second_derivatives_of_its_formula() -> None:
    data = dataset(4, 5, 3)
    problem, dense = (ModelProblem(Attention(formula), LOSSES, data) for formula in (False, True))
    theta = problem.parameters() + 0.3
    torch.testing.assert_close(problem.jacobian(theta)[1], dense.jacobian(theta)[1])
    directions = normal(2, len(theta))
    for kind in ("exact", "gauss-newton"):
        # Products are taken when the kernel is no longer forced, under one without second derivatives.
        operators = [Curvature(p.curvature_sample(), theta, WEIGHTS, kind=kind) for p in (problem, dense)]  # type: ignore[arg-type]
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            products = [operator(directions) for operator in operators]
        torch.testing.assert_close(*products)


class Fails(nn.Module):
    """Fails from the third call on, and notes how it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 2).double()
        self.calls: list[dict[str, bool]] = []
        self.fail = False

    def forward(self, x: Tensor) -> Any:
        self.calls.append(settings())
        if self.fail:
            raise KeyError("missing")
        return self.inner(x)


def settings() -> dict[str, bool]:
    return {
        "flash": torch.backends.cuda.flash_sdp_enabled(),
        "math": torch.backends.cuda.math_sdp_enabled(),
        "fast path": mha.get_fastpath_enabled(),
        "cudnn": torch.backends.cudnn.enabled,
        "autocast": torch.is_autocast_enabled("cpu"),
    }


@pytest.mark.parametrize("fail", [False, True])
def test_the_settings_of_torch_are_restored_also_after_an_exception(fail: bool) -> None:
    model = Fails()
    problem = ModelProblem(model, LOSSES, dataset(4, 3), autocast=torch.bfloat16)
    theta = problem.parameters()
    own = [p.detach().clone() for p in model.parameters()]
    model.calls.clear()
    model.fail = fail
    with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION), cudnn.flags(enabled=False):
        mha.set_fastpath_enabled(False)
        before = settings()
        try:
            for run in (
                lambda: problem.evaluate(theta + 1),
                lambda: problem.curvature_sample()[0].outputs(theta + 1),
            ):
                expected = pytest.raises(ProblemError, match="KeyError: 'missing'") if fail else nullcontext()
                with expected:
                    run()
                assert settings() == before
        finally:
            mha.set_fastpath_enabled(True)
    first, *rest = [(call["autocast"], call["math"]) for call in model.calls]
    assert first == (True, False)
    assert set(rest) == {(False, True)}, "curvature in full precision"
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), own, strict=True))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_padded_attention_has_the_same_losses_with_and_without_gradients() -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=True)

        def forward(self, x: Tensor) -> Any:
            padding = torch.arange(5) >= torch.tensor([[5], [3], [4]])
            return self.encoder(x, src_key_padding_mask=padding)

    model, data = Encoder().eval(), dataset(3, 5, 4, dtype=torch.float32)
    problem = ModelProblem(model, LOSSES, data)
    theta = problem.parameters()
    torch.testing.assert_close(
        problem.evaluate(theta).mean, problem.jacobian(theta)[0].mean, rtol=1e-5, atol=1e-5
    )
    assert mha.get_fastpath_enabled()
    with torch.no_grad():
        fast = model(data.tensors[0])
    assert not torch.isclose(LOSSES["b"](fast, None).double(), problem.evaluate(theta).mean[1], rtol=1e-2), (
        "the fast path zeroes padding; if this fails, it need not be switched off any more"
    )


def test_recurrent_modules_run_without_cudnn_which_cannot_differentiate_them_twice() -> None:
    seen: list[bool] = []

    def forward(model: nn.Module, batch: Any) -> Any:
        seen.append(torch.backends.cudnn.enabled)
        return model(batch[0])[0]

    before = torch.backends.cudnn.enabled
    ModelProblem(nn.GRU(3, 2).double(), LOSSES, dataset(4, 5, 3), forward=forward)
    assert not any(seen)
    assert torch.backends.cudnn.enabled == before


def compiled_whole(model: nn.Sequential) -> nn.Module:
    return torch.compile(model)  # type: ignore[return-value]


def compiled_part(model: nn.Sequential) -> nn.Module:
    model[0] = torch.compile(model[0])
    return model


def compiled_in_place(model: nn.Sequential) -> nn.Module:
    model.compile()
    return model


@pytest.mark.slow
@pytest.mark.parametrize("compiling", [compiled_whole, compiled_part, compiled_in_place])
def test_compiled_modules_are_run_as_they_were_written(compiling: Any) -> None:
    plain, model = network(), compiling(network())
    data, twin = dataset(7, 3), ModelProblem(network(), LOSSES, dataset(7, 3))
    problem = ModelProblem(model, LOSSES, data)
    assert problem.steered == twin.steered == ("0.weight", "0.bias", "2.weight", "2.bias")
    theta = problem.parameters() + 0.1
    assert torch.equal(problem.evaluate(theta).mean, twin.evaluate(theta).mean)
    directions = normal(1, len(theta))
    products = [
        Curvature(p.curvature_sample(), theta, WEIGHTS, kind="exact")(directions) for p in (problem, twin)
    ]
    torch.testing.assert_close(*products)
    state = problem.state_dict(theta)
    plain.load_state_dict(state)
    problem.set_parameters(theta)
    assert torch.equal(torch.cat([p.flatten() for p in plain.parameters()]), problem.parameters())
    assert ModelProblem(model, LOSSES, data, parameters="0.*").steered == ("0.weight", "0.bias")


@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_parametrised_weights(wrap: Any) -> None:
    model = network()
    wrap(model[2])
    model.eval()
    problem = ModelProblem(model, LOSSES, dataset(7, 3))
    theta = problem.parameters() + 0.2
    jacobian = problem.jacobian(theta)[1]
    operator = Curvature(problem.curvature_sample(), theta, WEIGHTS, kind="exact")
    direction = normal(len(theta))
    step = 1e-5
    ends = [problem.jacobian(theta + sign * step * direction) for sign in (1, -1)]
    torch.testing.assert_close(
        jacobian @ direction, (ends[0][0].mean - ends[1][0].mean) / (2 * step), rtol=1e-6, atol=1e-8
    )
    torch.testing.assert_close(
        operator(direction[None])[0],
        WEIGHTS @ (ends[0][1] - ends[1][1]) / (2 * step),
        rtol=1e-6,
        atol=1e-7,
    )


def test_spectral_norm_in_train_mode_changes_its_buffers_and_is_refused() -> None:
    model = network()
    parametrizations.spectral_norm(model[2])
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ProblemError, match=r"changes its buffer '2\.parametrizations.*_u'.*model\.eval\(\)"):
        ModelProblem(model, LOSSES, dataset(7, 3))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_counter_in_a_buffer_is_refused_and_restored() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()
            self.register_buffer("calls", torch.zeros((), dtype=torch.long))

        def forward(self, x: Tensor) -> Any:
            self.calls = self.calls + 1
            return self.inner(x)

    model = Counting()
    calls = model.calls
    with pytest.raises(ProblemError, match="buffer 'calls'"):
        ModelProblem(model, LOSSES, dataset(7, 3))
    assert model.calls is calls
    assert int(calls) == 0


def test_autocast_is_for_values_and_gradients_and_not_for_curvature() -> None:
    data = dataset(64, 3, dtype=torch.float32)
    full, half = (
        ModelProblem(network(torch.float32), LOSSES, data, autocast=a) for a in (None, torch.bfloat16)
    )
    theta = full.parameters() + 0.1
    for exact, rounded in (
        (full.evaluate(theta).mean, half.evaluate(theta).mean),
        (full.jacobian(theta)[1], half.jacobian(theta)[1]),
    ):
        assert not torch.equal(exact, rounded)
        assert float((exact - rounded).norm() / exact.norm()) < 0.01
    assert half.jacobian(theta)[1].dtype == torch.float32
    directions = normal(1, len(theta), dtype=torch.float32)
    products = [
        Curvature(p.curvature_sample(), theta, WEIGHTS.float(), kind="exact")(directions)
        for p in (full, half)
    ]
    assert torch.equal(*products)
    responses = [p.response(theta, directions)[1].batches for p in (full, half)]
    torch.testing.assert_close(*responses, rtol=0.05, atol=0.01)


def test_losses_under_autocast_are_computed_in_float32() -> None:
    seen = []

    def loss(o: Any, _: Any) -> Tensor:
        seen.append(o["logits"].dtype)
        return o["logits"].square().mean()  # type: ignore[no-any-return]

    ModelProblem(
        network(torch.float32),
        {"a": loss, "b": lambda o, _: (o["logits"] - 1).square().mean()},
        dataset(4, 3, dtype=torch.float32),
        forward=lambda m, batch: {"logits": m(batch[0]), "mask": batch[0] > 0},
        autocast=torch.bfloat16,
    )
    assert set(seen) == {torch.float32}


def test_an_autocast_of_ones_own_in_forward_works() -> None:
    def forward(model: nn.Module, batch: Any) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return model(batch[0]).float()  # type: ignore[no-any-return]

    data = dataset(16, 3, dtype=torch.float32)
    own = ModelProblem(network(torch.float32), LOSSES, data, forward=forward)
    ours = ModelProblem(network(torch.float32), LOSSES, data, autocast=torch.bfloat16)
    theta = own.parameters()
    assert torch.equal(own.evaluate(theta).mean, ours.evaluate(theta).mean)
    assert torch.equal(own.jacobian(theta)[1], ours.jacobian(theta)[1])
    operator = Curvature(own.curvature_sample(), theta, WEIGHTS.float(), kind="gauss-newton")
    assert operator(normal(1, len(theta), dtype=torch.float32)).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, "bfloat16"])
def test_autocast_in_other_dtypes_is_refused(dtype: Any) -> None:
    with pytest.raises(ProblemError, match=r"autocast=.*torch\.bfloat16"):
        ModelProblem(network(), LOSSES, dataset(4, 3), autocast=dtype)


class Mixed(nn.Module):
    """A trunk in half precision and a head in single precision."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk, self.head = nn.Linear(3, 4).to(dtype), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.trunk(x.to(self.trunk.weight.dtype)).tanh().float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_steered_in_single_precision(dtype: torch.dtype) -> None:
    model = Mixed(dtype)
    problem = ModelProblem(model, LOSSES, dataset(16, 3, dtype=torch.float32))
    theta = problem.parameters() + 0.01 * normal(len(problem.parameters()), dtype=torch.float32)
    losses, jacobian = problem.jacobian(theta)
    assert theta.dtype == jacobian.dtype == torch.float32
    operator = Curvature(problem.curvature_sample(), theta, WEIGHTS.float(), kind="gauss-newton")
    assert operator(theta[None]).dtype == torch.float32
    state = problem.state_dict(theta)
    assert [t.dtype for t in state.values()] == [dtype, dtype, torch.float32, torch.float32]
    problem.set_parameters(theta)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())
    unit = torch.finfo(dtype).eps / 2
    written = problem.parameters()
    assert ((written - theta).abs() <= unit * theta.abs()).all()
    assert torch.equal(written[16:], theta[16:]), "the part in single precision is exact"
    assert not torch.equal(written, theta)
    assert torch.equal(problem.evaluate(theta).mean, problem.evaluate(written).mean), (
        "what is written is what was shown"
    )
    exact = ModelProblem(Mixed(torch.float32), LOSSES, dataset(16, 3, dtype=torch.float32))
    torch.testing.assert_close(jacobian, exact.jacobian(theta)[1], rtol=0.1, atol=0.02)
    torch.testing.assert_close(losses.mean, exact.evaluate(theta).mean, rtol=0.05, atol=0.01)


def test_parameters_are_copied_once_and_not_per_batch() -> None:
    class Big(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head, self.frozen = nn.Linear(3, 2).double(), nn.Linear(3, 3).double().requires_grad_(False)
            self.addresses: set[tuple[int, int]] = set()

        def forward(self, x: Tensor) -> Any:
            storages = [p.untyped_storage().data_ptr() for p in (self.head.weight, self.frozen.weight)]
            self.addresses.add((storages[0], storages[1]))
            return self.head(self.frozen(x))

    model = Big()
    problem = ModelProblem(model, LOSSES, dataset(9, 3), batch_size=2)
    theta = problem.parameters()
    model.addresses.clear()
    problem.evaluate(theta)
    frozen = model.frozen.weight.untyped_storage().data_ptr()
    assert model.addresses == {(theta.untyped_storage().data_ptr(), frozen)}, (
        "views of theta, and the module's own"
    )
