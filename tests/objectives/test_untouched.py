"""What people's functions write into is not their data, nor anybody's parameters."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.regression import network, noisy, squared
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import paretonav as pn

LOSSES = {"small": squared(0), "large": squared(1)}


def labelled(count: int = 8) -> TensorDataset:
    x, y = noisy(count, 1).tensors
    labels = torch.arange(count) % 2
    labels[-1] = -100
    return TensorDataset(x, y, labels)


def forgets(o: Tensor, batch: Any) -> Tensor:
    """Takes labels of -100 for 0."""
    labels = batch[2]
    labels[labels == -100] = 0
    return (o[:, 0] - labels).square().mean()


def by_numpy(o: Tensor, batch: Any) -> Tensor:
    """Changes the inputs where torch does not see it."""
    batch[0].numpy()[0] = 3.0
    return o.square().mean()


def of_outputs(o: Tensor, _: Any) -> Tensor:
    return o.mul_(2).square().mean()


def through_data(o: Tensor, batch: Any) -> Tensor:
    batch[1].data.clamp_(-0.1, 0.1)
    return squared(0)(o, batch)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("loss", "what"),
    [
        (forgets, r"loss 'odd' writes into the first train batch, a tensor of int64 and shape \[8\]"),
        (by_numpy, r"loss 'odd' writes into the first train batch, a tensor of float64"),
        (through_data, r"loss 'odd' writes into the first train batch"),
        (of_outputs, r"loss 'odd' writes into the outputs of the model"),
    ],
)
def test_a_loss_that_writes_is_named_and_the_data_are_as_they_were(loss: Any, what: str) -> None:
    data = labelled()
    before = [tensor.clone() for tensor in data.tensors]
    with pytest.raises(pn.ProblemError, match=what):
        pn.ModelProblem(network(), {"small": squared(0), "odd": loss}, data)
    with pytest.raises(
        pn.ProblemError, match="a metric writes into" if loss is not of_outputs else "into the outputs"
    ):
        pn.ModelProblem(network(), LOSSES, data, metrics={"odd": loss})
    assert all(torch.equal(*pair) for pair in zip(data.tensors, before, strict=True))


def test_a_model_that_writes_into_a_batch_is_refused() -> None:
    data = labelled()
    before = data.tensors[0].clone()
    with pytest.raises(pn.ProblemError, match=r"the model writes into the first train batch.*labels.clone"):
        pn.ModelProblem(network(), LOSSES, data, forward=lambda model, batch: model(batch[0].div_(2)))
    assert torch.equal(data.tensors[0], before)


def later(o: Tensor, batch: Any) -> Tensor:
    if (batch[2] == -100).any():
        batch[2].clamp_(min=0)
    return o.square().mean()


@pytest.mark.parametrize(
    "run",
    [
        lambda problem, theta: problem.evaluate(theta),
        lambda problem, theta: problem.jacobian(theta),
        lambda problem, theta: problem.response(theta, theta[None]),
        lambda problem, theta: problem.probe([theta, theta]),
        lambda problem, theta: [p.losses(p.outputs(theta)) for p in problem.curvature_sample()],
    ],
)
def test_a_write_into_a_later_batch_is_found_in_every_pass(run: Callable[..., Any]) -> None:
    problem = pn.ModelProblem(network(), {"small": squared(0), "later": later}, labelled(), batch_size=4)
    with pytest.raises(pn.ProblemError, match=r"writes into .*batch.*work on a copy"):
        run(problem, problem.parameters())


class Records(Dataset[Any]):
    """Examples by name, as Hugging Face's have them."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        x, y = noisy(8, 1)[index]
        return {"x": x, "labels": y}


def test_what_is_taken_out_of_a_batch_is_there_for_the_next() -> None:
    def popping(model: nn.Module, batch: Any) -> Any:
        batch.pop("labels")
        return {"o": model(batch.pop("x"))}

    def popped(i: int) -> Any:
        return lambda outputs, batch: (outputs.pop("o")[:, i] - batch.pop("labels")[:, i]).square().mean()

    losses = {"small": popped(0), "large": popped(1)}
    problem = pn.ModelProblem(network(), losses, Records(), forward=popping, metrics={"again": popped(1)})
    plain = pn.ModelProblem(network(), LOSSES, noisy(8, 1))
    theta = problem.parameters()
    expected = plain.jacobian(theta)[1]
    for _ in range(2):
        torch.testing.assert_close(problem.jacobian(theta)[1], expected)
        torch.testing.assert_close(problem.evaluate(theta).mean, plain.evaluate(theta).mean)
        torch.testing.assert_close(problem.response(theta, theta[None])[1].mean[:2, 0], expected @ theta)
        (part,) = problem.curvature_sample()
        torch.testing.assert_close(part.losses(part.outputs(theta)).double(), plain.evaluate(theta).mean)


class Clipping(nn.Module):
    """Keeps its weights small whenever it is called, as critics do."""

    def __init__(self, how: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.inner, self.how, self.clips = nn.Linear(4, 2).double(), how, True

    def forward(self, x: Tensor) -> Tensor:
        if self.clips:
            self.how(self.inner.weight)
        return self.inner(x)  # type: ignore[no-any-return]


def under_no_grad(weight: Tensor) -> None:
    with torch.no_grad():
        weight.clamp_(-0.01, 0.01)


@pytest.mark.parametrize("how", [under_no_grad, lambda weight: weight.data.clamp_(-0.01, 0.01)])
def test_a_model_that_writes_into_its_weights_is_refused(how: Callable[[Tensor], Any]) -> None:
    model = Clipping(how)
    before = model.inner.weight.clone()
    with pytest.raises(
        pn.ProblemError, match=r"the model writes into the steered parameters.*a changed copy"
    ):
        pn.ModelProblem(model, LOSSES, noisy(8, 1))
    assert torch.equal(model.inner.weight, before)


def test_a_model_that_does_so_later_does_not_change_the_callers_vector_unnoticed() -> None:
    model = Clipping(under_no_grad)
    model.clips = False
    problem = pn.ModelProblem(model, LOSSES, noisy(8, 1))
    model.clips = True
    for run in (problem.evaluate, problem.jacobian):
        with pytest.raises(
            pn.ProblemError, match="the model writes into the steered parameters when it is called"
        ):
            run(problem.parameters() + 1)


class Counting(nn.Module):
    """Remembers what it has seen, from its second batch on, in a buffer or a frozen parameter."""

    def __init__(self, frozen: bool) -> None:
        super().__init__()
        self.inner, self.seen = nn.Linear(4, 2).double(), 0
        if frozen:
            self.total = nn.Parameter(torch.zeros(2).double(), requires_grad=False)
        else:
            self.register_buffer("total", torch.full((2,), torch.nan).double())

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        if self.seen > 40:
            with torch.no_grad():
                self.total.copy_(torch.full((2,), float(self.seen)))
        return self.inner(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_not_steered_must_stay_in_every_pass(frozen: bool) -> None:
    problem = pn.ModelProblem(model := Counting(frozen), LOSSES, noisy(64, 1), batch_size=4)
    theta = problem.parameters()
    while model.seen + 16 <= 40:
        problem.evaluate(theta)
    with pytest.raises(
        pn.ProblemError, match=f"the {'parameter' if frozen else 'buffer'} 'total' of the model changes in a"
    ):
        problem.evaluate(theta)


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_buffers_may_be_sparse_or_hold_nothing_known() -> None:
    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 2).double()
            self.register_buffer("adjacency", torch.eye(8).double().to_sparse())
            self.register_buffer("rows", torch.eye(8).double().to_sparse_csr())
            self.register_buffer("unknown", torch.full((2,), torch.nan))
            self.register_buffer("phase", torch.ones(2, dtype=torch.complex64))

        def forward(self, x: Tensor) -> Tensor:
            return self.adjacency @ (self.rows @ self.inner(x))  # type: ignore[no-any-return]

    problem = pn.ModelProblem(Graph(), LOSSES, noisy(8, 1))
    theta = problem.parameters()
    plain = pn.ModelProblem(nn.Linear(4, 2).double(), LOSSES, noisy(8, 1))
    torch.testing.assert_close(problem.jacobian(theta)[1], plain.jacobian(theta)[1])
    assert problem.curvature_sample()


def test_a_loader_that_gives_its_own_tensors_is_protected_too() -> None:
    batches = [[t[:4] for t in labelled().tensors], [t[4:] for t in labelled().tensors]]
    before = batches[0][2].clone()
    loader: DataLoader[Any] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    with pytest.raises(pn.ProblemError, match="loss 'odd' writes into"):
        pn.ModelProblem(network(), {"small": squared(0), "odd": forgets}, loader)
    assert torch.equal(batches[0][2], before)
