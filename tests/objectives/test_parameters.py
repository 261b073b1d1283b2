import pytest
import torch
from torch import Tensor, nn

from paretonav import ProblemError
from paretonav.objectives.parameters import FlatParameters


class Odd(nn.Module):
    """Parameters of all kinds: tied, empty, scalar, frozen, transposed in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.empty = nn.Parameter(torch.zeros(0, 4))
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
        self.transposed = nn.Parameter(torch.arange(6.0).view(2, 3).T)


def test_the_vector_has_every_parameter_once_in_the_order_of_the_module() -> None:
    module = Odd()
    flat = FlatParameters(module)
    assert flat.names == ("empty", "scale", "transposed", "first.weight", "first.bias", "second.bias")
    assert flat.size == 0 + 1 + 6 + 9 + 3 + 3
    expected = [2.0, 0.0, 3.0, 1.0, 4.0, 2.0, 5.0, *module.first.weight.flatten().tolist()]
    assert flat.read()[:16].tolist() == expected
    assert [p is q for p, q in zip(flat.tensors, map(module.get_parameter, flat.names), strict=True)] == [
        True
    ] * 6


def test_what_is_written_is_read_and_nothing_else_changes() -> None:
    module = Odd()
    flat = FlatParameters(module, ["first.*", "transposed"])
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    addresses = [p.data_ptr() for p in module.parameters()]
    theta = torch.randn(flat.size)
    flat.write(theta)
    assert torch.equal(flat.read(), theta)
    assert [p.data_ptr() for p in module.parameters()] == addresses
    assert module.second.weight is module.first.weight
    assert torch.equal(module.transposed, theta[:6].view(3, 2))
    for name in ("scale", "second.bias", "frozen"):
        assert torch.equal(module.get_parameter(name), before[name])
    theta.zero_()
    assert flat.read().any(), "the module keeps values of its own"
    flat.read().zero_()
    assert flat.read().any(), "reading gives a copy"


def test_writing_keeps_requires_grad_and_needs_no_graph() -> None:
    module = Odd()
    flat = FlatParameters(module, "frozen")
    flat.write(torch.tensor([5.0, 6.0], requires_grad=True))
    assert module.frozen.tolist() == [5, 6]
    assert not module.frozen.requires_grad
    assert module.first.weight.requires_grad


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ("first.*", ("first.weight", "first.bias")),
        (["second.bias", "scale"], ("scale", "second.bias")),
        ("second.weight", ("first.weight",)),  # by its other name
        ("second.*", ("first.weight", "second.bias")),
        ("frozen", ("frozen",)),
        ("*.[wb]*", ("first.weight", "first.bias", "second.bias")),
    ],
)
def test_patterns(patterns: str | list[str], names: tuple[str, ...]) -> None:
    assert FlatParameters(Odd(), patterns).names == names


def test_gradients_flow_through_the_views() -> None:
    flat = FlatParameters(Odd())
    theta = torch.randn(flat.size, requires_grad=True)

    def weigh(parts: dict[str, Tensor]) -> Tensor:
        return sum((k + 1) * part.square().sum() for k, part in enumerate(parts.values()))  # type: ignore[return-value]

    (gradient,) = torch.autograd.grad(weigh(flat.unflatten(theta)), theta)
    factors = torch.tensor([2.0] + [3.0] * 6 + [4.0] * 9 + [5.0] * 3 + [6.0] * 3)
    torch.testing.assert_close(gradient, 2 * factors * theta.detach())
    parts = flat.unflatten(theta)
    assert {name: p.shape for name, p in parts.items()} == {
        name: Odd().get_parameter(name).shape for name in flat.names
    }


@pytest.mark.parametrize("theta", [torch.zeros(21), torch.zeros(1, 22), torch.zeros(22, dtype=torch.float64)])
def test_a_vector_that_does_not_fit_is_refused_before_anything_is_written(theta: Tensor) -> None:
    module = Odd()
    flat = FlatParameters(module)
    before = flat.read()
    with pytest.raises(ProblemError, match=r"22 steered parameters of torch\.float32"):
        flat.write(theta)
    assert torch.equal(flat.read(), before)


def two(first: Tensor, second: Tensor) -> nn.ParameterDict:
    return nn.ParameterDict({"one": nn.Parameter(first), "two": nn.Parameter(second)})


@pytest.mark.parametrize("patterns", [None, "one", "two"])
def test_parameters_that_overlap_without_being_tied_are_refused(patterns: str | None) -> None:
    memory = torch.zeros(10)
    for second in (memory, memory[3:4], memory[4:].view(2, 3)):
        with pytest.raises(ProblemError, match="'one' and 'two' share memory"):
            FlatParameters(two(memory[:5], second), patterns)


def test_a_buffer_in_the_memory_of_a_parameter_is_refused() -> None:
    module = nn.Linear(2, 2)
    module.register_buffer("copy", module.weight.data)
    with pytest.raises(ProblemError, match="'weight' and 'copy' share memory"):
        FlatParameters(module)
    FlatParameters(module, "bias")


def test_parameters_side_by_side_in_one_memory_are_fine() -> None:
    memory = torch.zeros(4, 6)
    for first, second in ((memory[:2], memory[2:]), (memory[:, :3], memory[:, 3:])):
        flat = FlatParameters(two(first, second))
        flat.write(torch.arange(24.0))
        assert torch.equal(flat.read(), torch.arange(24.0))
