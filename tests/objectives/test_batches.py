"""The same numbers, whatever batches and outputs are made of."""

import dataclasses
import gc
from collections import UserDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from paretonav import ModelProblem
from paretonav.geometry import Curvature
from paretonav.objectives.outputs import divided

Pair = namedtuple("Pair", "x y")


@dataclasses.dataclass
class Record:
    x: Any
    y: Any = None

    @property
    def both(self) -> Tensor:
        return self.x + self.y  # type: ignore[no-any-return]


class Encoding(UserDict[str, Any]):
    """As a tokenizer returns it."""

    def to(self, device: torch.device) -> "Encoding":
        raise AssertionError("would change what the dataset holds")


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def examples(n: int = 7) -> TensorDataset:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(n, k, generator=generator, dtype=torch.float64) for k in (3, 2))
    return TensorDataset(x, y)


def first(o: Tensor, y: Tensor) -> Tensor:
    return (o[:, 0] - y[:, 0]).square().mean()


def second(o: Tensor, y: Tensor) -> Tensor:
    return nn.functional.softplus(o[:, 1] * y[:, 1]).mean()


def losses(output: Callable[[Any], Tensor], target: Callable[[Any], Tensor]) -> dict[str, Any]:
    return {
        "first": lambda o, b: first(output(o), target(b)),
        "second": lambda o, b: second(output(o), target(b)),
    }


def plain() -> ModelProblem:
    return ModelProblem(model(), losses(lambda o: o, lambda b: b[1]), examples(), batch_size=3)


def agrees(problem: ModelProblem, reference: ModelProblem) -> None:
    """Losses, Jacobian, exact and Gauss-Newton curvature, and responses."""
    theta = reference.parameters() + 0.1
    values, jacobian = problem.jacobian(theta)
    expected, dense = reference.jacobian(theta)
    torch.testing.assert_close(values.batches, expected.batches)
    torch.testing.assert_close(jacobian, dense)
    torch.testing.assert_close(problem.evaluate(theta).mean, expected.mean)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    vectors = torch.ones(1, len(theta), dtype=torch.float64)
    for kind in ("exact", "gauss-newton"):
        products = [
            Curvature(each.curvature_sample(), theta, weights, kind=kind)(vectors)  # type: ignore[arg-type]
            for each in (problem, reference)
        ]
        torch.testing.assert_close(*products)
    responses = [each.response(theta, vectors)[1].batches[:, :2] for each in (problem, reference)]
    torch.testing.assert_close(*responses)


def collated(make: Callable[[Tensor, Tensor], Any]) -> DataLoader[Any]:
    def collate(chosen: list[tuple[Tensor, Tensor]]) -> Any:
        return make(*(torch.stack(column) for column in zip(*chosen, strict=True)))

    return DataLoader(examples(), batch_size=3, collate_fn=collate)


BATCHES: dict[
    str, tuple[Callable[[Tensor, Tensor], Any], Callable[[Any], Tensor], Callable[[Any], Tensor]]
] = {
    "list": (lambda x, y: [x, y], lambda b: b[0], lambda b: b[1]),
    "dict": (lambda x, y: {"x": x, "y": y}, lambda b: b["x"], lambda b: b["y"]),
    "nested": (lambda x, y: {"in": [(x, None)], "y": y}, lambda b: b["in"][0][0], lambda b: b["y"]),
    "named tuple": (Pair, lambda b: b.x, lambda b: b.y),
    "dataclass": (Record, lambda b: b.x, lambda b: b.y),
    "user dict": (lambda x, y: Encoding(x=x, y=y), lambda b: b["x"], lambda b: b["y"]),
    "tensor": (lambda x, y: torch.cat([x, y], 1), lambda b: b[:, :3], lambda b: b[:, 3:]),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_batches(kind: str) -> None:
    make, x, y = BATCHES[kind]
    agrees(
        ModelProblem(model(), losses(lambda o: o, y), collated(make), forward=lambda m, batch: m(x(batch))),
        plain(),
    )


@pytest.mark.parametrize("make", [lambda x, y: (x, y), Pair, lambda x, y: [x, y, "more"]])
def test_a_pair_needs_no_forward(make: Any) -> None:
    agrees(ModelProblem(model(), losses(lambda o: o, lambda b: b[1]), collated(make)), plain())


OUTPUTS: dict[str, tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]] = {
    "dict": (lambda o: {"logits": o, "none": None}, lambda o: o["logits"]),
    "dataclass": (lambda o: Record(o[:, :1], o[:, 1:]), lambda o: torch.cat([o.x, o.y], 1)),
    "dataclass with methods": (lambda o: Record(o, -o / 2), lambda o: 2 * o.both),
    "dataclass in a list": (lambda o: [Record({"o": o}), "text"], lambda o: o[0].x["o"]),
    "user dict": (lambda o: UserDict(logits=o), lambda o: o["logits"]),
    "one tensor twice": (lambda o: (o, {"again": o}), lambda o: 0.25 * o[0] + 0.75 * o[1]["again"]),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs(kind: str) -> None:
    make, logits = OUTPUTS[kind]
    problem = ModelProblem(
        model(),
        losses(logits, lambda b: b[1]),
        examples(),
        batch_size=3,
        metrics={"mean": lambda o, _: float(logits(o).mean().numpy())},
        forward=lambda m, batch: make(m(batch[0])),
    )
    agrees(problem, plain())


def test_a_tensor_that_is_there_twice_is_one_output() -> None:
    x = torch.ones(3, requires_grad=True) * 2
    variable, join = divided({"a": x, "b": [x, x + 1], "c": torch.ones(1)})
    assert len(variable) == 2
    joined = join((torch.zeros(3), torch.ones(3)))
    assert joined["a"] is joined["b"][0]
    assert joined["b"][1].tolist() == [1, 1, 1]
    assert joined["c"].tolist() == [1]


def test_dividing_outputs_leaves_no_graph_behind() -> None:
    gc.disable()
    try:
        output = Record(torch.ones(3, requires_grad=True) * 2)
        alive = ref(output.x)
        variable, join = divided(output)
        del output, variable
        assert alive() is None, "not even in a cycle, which would keep it until a collection"
        assert join((torch.zeros(3),)).x.tolist() == [0, 0, 0]
    finally:
        gc.enable()


def test_packed_sequences_and_recurrent_models() -> None:
    lengths, generator = [4, 2, 5, 1, 3], torch.Generator().manual_seed(0)
    sequences = [torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in lengths]

    class Sequences(Dataset[Any]):
        def __len__(self) -> int:
            return len(lengths)

        def __getitem__(self, index: int) -> Tensor:
            return sequences[index]

    def collate(chosen: list[Tensor]) -> PackedSequence:
        return pack_sequence(chosen, enforce_sorted=False)

    def forward(module: nn.Module, batch: PackedSequence) -> Tensor:
        return module(batch)[1][0][-1]  # type: ignore[no-any-return]

    torch.manual_seed(0)
    lstm = nn.LSTM(3, 2, num_layers=2).double().eval()
    before = forward(lstm, collate(sequences))
    names = {"a": lambda o, _: o[:, 0].square().mean(), "b": lambda o, _: (o[:, 1] - 1).square().mean()}
    problem = ModelProblem(lstm, names, DataLoader(Sequences(), 2, collate_fn=collate), forward=forward)
    theta = problem.parameters() * 1.5
    losses, jacobian = problem.jacobian(theta)
    assert losses.fractions.tolist() == [0.4, 0.4, 0.2]

    def by_hand(theta: Tensor) -> Tensor:
        """The cell's equations, one sequence and step at a time."""
        values = dict(
            zip(problem.steered, torch.split(theta, [p.numel() for p in lstm.parameters()]), strict=True)
        )
        last = []
        for sequence in sequences:
            inputs = list(sequence)
            for layer in range(2):
                h = c = theta.new_zeros(2)
                w, u, b, d = (
                    values[f"{kind}_l{layer}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                )
                states = []
                for x in inputs:
                    i, f, g, o = (w.view(8, -1) @ x + u.view(8, 2) @ h + b + d).chunk(4)
                    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                    h = o.sigmoid() * c.tanh()
                    states.append(h)
                inputs = states
            last.append(inputs[-1])
        o = torch.stack(last)
        return torch.stack([o[:, 0].square().mean(), (o[:, 1] - 1).square().mean()])

    torch.testing.assert_close(losses.mean, by_hand(theta))
    torch.testing.assert_close(jacobian, torch.autograd.functional.jacobian(by_hand, theta))
    direction = torch.ones_like(theta)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    product = Curvature(problem.curvature_sample(), theta, weights, kind="exact")(direction[None])
    expected = torch.autograd.functional.hvp(lambda t: weights @ by_hand(t), theta, direction)[1]
    torch.testing.assert_close(product[0], expected)
    assert torch.equal(forward(lstm, collate(sequences)), before), "the module still has its own parameters"


def test_a_pass_holds_one_batch_at_a_time() -> None:
    alive: list[int] = []

    class Batch(UserDict[str, Tensor]):
        """Counts those that are alive."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            Batch.live.add(id(self))
            alive.append(len(Batch.live))

        def __copy__(self) -> "Batch":
            return Batch(self.data)

        def __del__(self) -> None:
            Batch.live.discard(id(self))

        live: set[int] = set()  # noqa: RUF012

    class Endless(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Batch]:
            for k in range(50):
                yield Batch(x=torch.full((2, 3), k / 50, dtype=torch.float64))

    problem = ModelProblem(
        model(),
        {"a": lambda o, _: o[:, 0].square().mean(), "b": lambda o, _: (o[:, 1] - 1).square().mean()},
        DataLoader(Endless(), batch_size=None),
        forward=lambda m, batch: m(batch["x"]),
    )
    theta = problem.parameters()
    alive.clear()
    problem.evaluate(theta)
    problem.jacobian(theta)
    assert max(alive) <= 4, "the one in use, the next one, and a moved copy of each"
    sample = problem.curvature_sample(6)
    assert max(alive) <= 4 + 3
    read = [float(part.outputs(theta)[0].sum()) for part in sample]
    assert [float(part.outputs(theta)[0].sum()) for part in problem.curvature_sample(6)] == read
    assert len(sample) == 3
