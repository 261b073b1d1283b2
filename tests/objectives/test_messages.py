"""Errors and warnings that say what to do about everyday mistakes."""

import logging
from typing import Any

import pytest
import torch
from tests.regression import network, noisy, squared
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

LOSSES = {"small": squared(0), "large": squared(1)}


def residual(model: nn.Module, batch: Any) -> Tensor:
    """Of a differential equation, without a thought of modes."""
    x = batch[0].clone().requires_grad_()
    u = model(x)
    (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    return u + slope[:, :2]


def test_derivatives_in_the_model_need_gradients_where_losses_are_measured_without() -> None:
    with pytest.raises(pn.ProblemError, match=r"takes derivatives itself .* under torch.enable_grad\(\)"):
        pn.ModelProblem(network(), LOSSES, noisy(8, 1), forward=residual)

    @torch.enable_grad()
    def mended(model: nn.Module, batch: Any) -> Tensor:
        return residual(model, batch)

    problem = pn.ModelProblem(network(), LOSSES, noisy(8, 1), forward=mended)
    assert problem.evaluate(problem.parameters()).mean.isfinite().all()


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_embeddings_with_sparse_gradients_are_named(kind: Any) -> None:
    model = nn.Sequential(kind(10, 4, sparse=True), nn.Linear(4, 2)).double()
    data = TensorDataset(
        torch.arange(8)[:, None] if kind is nn.EmbeddingBag else torch.arange(8), normal(8, 2)
    )
    with pytest.raises(
        pn.ProblemError, match=r"module '0' \(Embedding.*sparse=True.*set model.0.sparse = False"
    ):
        pn.ModelProblem(model, LOSSES, data)
    assert pn.ModelProblem(model, LOSSES, data, parameters="1.*").steered == ("1.weight", "1.bias")
    model[0].sparse = False
    assert len(pn.ModelProblem(model, LOSSES, data).steered) == 3


def test_data_of_another_library_are_told_apart_from_torchs() -> None:
    class Dataset:
        """Not that of torch."""

        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> Any:
            return noisy(8, 1)[index]

    with pytest.raises(
        pn.ProblemError, match=r"of torch.utils.data, not a tests\..*Dataset; wrap it: .*with_format"
    ):
        pn.ModelProblem(network(), LOSSES, Dataset())  # type: ignore[arg-type]
    assert pn.ModelProblem(network(), LOSSES, DataLoader(Dataset(), batch_size=4)).examples == 8  # type: ignore[arg-type]


class Drawing(nn.Module):
    """An autoencoder's middle, which draws in eval mode, too."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 2).double()

    def forward(self, x: Tensor) -> Tensor:
        mean = self.inner(x)
        return mean + torch.randn_like(mean)  # type: ignore[no-any-return]


def test_a_model_that_draws_in_eval_mode_is_not_told_to_be_in_it() -> None:
    with pytest.raises(
        pn.ProblemError, match=r"draws random numbers in eval mode, too, so let it return the mean"
    ):
        pn.ModelProblem(Drawing().eval(), LOSSES, noisy(8, 1))
    with pytest.raises(pn.ProblemError, match=r"Call model.eval\(\)"):
        pn.ModelProblem(Drawing(), LOSSES, noisy(8, 1))


def gap(o: Tensor, batch: Any) -> Tensor:
    group = batch[1][:, 0] > 0
    return (o[group, 0].mean() - o[~group, 0].mean()).abs()


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (gap, True),
        (lambda o, _: o[:, 0].square().sum(), True),
        (squared(1), False),
        (lambda o, batch: nn.functional.cross_entropy(o, (batch[1][:, 1] > 0).long()), False),
        (pn.group_gap(lambda o, _: o[:, 0], lambda batch: (batch[1][:, 0] > 0).long()), False),
        (pn.l2(), False),
    ],
)
def test_a_loss_that_is_no_mean_over_examples_is_told(
    loss: Any, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        pn.ModelProblem(network(), {"small": squared(0), "odd": loss}, noisy(41, 1))
    assert ("loss 'odd' is no mean over examples" in caplog.text) == told


def test_a_hinge_that_nothing_violates_is_told_from_a_constant() -> None:
    def met(o: Tensor, _: Any) -> Tensor:
        return (o[:, 1] - 100).clamp_min(0).mean()

    with pytest.raises(
        pn.ProblemError,
        match=r"'met' does not depend on .* here: its gradient is zero.*met already.*as a metric",
    ):
        pn.ModelProblem(network(), {"small": squared(0), "met": met}, noisy(8, 1))
    with pytest.raises(pn.ProblemError, match=r"'leaps' does not depend on .* here: .* goes by leaps"):
        pn.ModelProblem(network(), {"small": squared(0), "leaps": lambda o, _: o.round().mean()}, noisy(8, 1))
    with pytest.raises(pn.ProblemError, match="'none' does not depend on the steered parameters; choose"):
        pn.ModelProblem(network(), {"small": squared(0), "none": lambda o, _: o.detach().mean()}, noisy(8, 1))


def test_a_hinge_that_is_close_to_being_violated_can_be_steered() -> None:
    data = noisy(64, 1)
    model = network()
    with torch.no_grad():
        edge = float(model(data.tensors[0])[:, 1].max()) + 1e-4
    losses = {"small": squared(0), "met": lambda o, _: (o[:, 1] - edge).clamp_min(0).mean()}
    problem = pn.ModelProblem(model, losses, data)
    assert not problem.jacobian(problem.parameters())[1][1].any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_named_at_the_start(bad: float) -> None:
    def odd(o: Tensor, batch: Any) -> Tensor:
        return torch.where(batch[0][0, 0] > 1, bad, 1.0) * o.mean()

    held = noisy(64, 2)
    assert (held.tensors[0][:, 0] > 1).any()
    loader = DataLoader(held, batch_size=1)
    nav = pn.Navigator(pn.ModelProblem(network(), LOSSES, noisy(64, 1), loader, metrics={"odd": odd}))
    with pytest.raises(
        pn.NonFiniteError, match=r"metric 'odd' is (nan|inf), first in batch \d+ of 64.*Aggregate"
    ):
        nav.start()
    assert not nav.started


class Keyed(torch.utils.data.Dataset[Any]):
    """Examples as dicts, with a name of one's own for what is to be predicted."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        x, y = noisy(8, 1)[index]
        return {"x": x, self.name: y}


def test_other_keys_of_other_data_are_told() -> None:
    def error(o: Tensor, batch: Any) -> Tensor:
        return (o - batch["y"]).square().mean()

    with pytest.raises(
        pn.ProblemError,
        match=r"loss 'error' failed on the first validation batch: there is no 'y'; .*"
        r"the training data are a dict with the keys 'x', 'y' of .*, the validation data a dict with the keys 'x', "
        "'label' of",
    ):
        pn.ModelProblem(
            network(),
            {"small": lambda o, batch: o.square().mean(), "error": error},
            Keyed("y"),
            Keyed("label"),
            forward=lambda model, batch: model(batch["x"]),
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_data_of_another_precision_are_told(dtype: torch.dtype) -> None:
    with pytest.raises(
        pn.ProblemError,
        match=rf"its parameters are {dtype} and the batch has torch.float64: convert one of them",
    ):
        pn.ModelProblem(network().to(dtype), LOSSES, noisy(8, 1))


def test_a_loss_of_torch_that_gets_the_whole_batch_is_told_how_it_is_called() -> None:
    with pytest.raises(pn.ProblemError, match=r"lambda outputs, batch: mse_loss\(outputs, batch\[1\]\)"):
        pn.ModelProblem(network(), {"small": squared(0), "torch's": nn.MSELoss()}, noisy(8, 1))


@pytest.mark.parametrize("last", [False, True])
def test_a_loss_that_reads_what_the_model_has_put_aside_is_named(last: bool) -> None:
    """Whether the graph of what is put aside is still that of the outputs, or that of another loss's."""

    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, x: Tensor) -> Tensor:
            self.hidden = self.inner(x)
            return self.hidden  # type: ignore[no-any-return]

    model = Remembers()
    aside: dict[str, Any] = {"aside": lambda o, batch: model.hidden.square().mean()}
    losses = LOSSES | aside if last else aside | LOSSES
    with pytest.raises(
        pn.ProblemError, match=r"loss 'aside' takes what depends on the parameters from elsewhere"
    ):
        pn.ModelProblem(model, losses, noisy(8, 1))


def test_a_parameter_that_is_made_on_the_first_call_is_named() -> None:
    """It would silently stay as it is; once it is there, it is steered as any other."""

    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.scale = network(), None

        def forward(self, x: Tensor) -> Tensor:
            if self.scale is None:
                self.scale = nn.Parameter(torch.ones(2).double())
            return self.inner(x) * self.scale  # type: ignore[no-any-return]

    model = Late()
    with pytest.raises(
        pn.ProblemError, match=r"makes its 'scale' on the first call.*call the model on a batch first"
    ):
        pn.ModelProblem(model, LOSSES, noisy(8, 1))
    assert "scale" in pn.ModelProblem(model, LOSSES, noisy(8, 1)).steered


class Shrinking(torch.utils.data.Dataset[Any]):
    """It loses a half of its examples."""

    left = 8

    def __len__(self) -> int:
        return self.left

    def __getitem__(self, index: int) -> Any:
        return [*noisy(8, 1)][: self.left][index]


@pytest.mark.parametrize("when", ["between passes", "in a pass"])
def test_data_that_shrink_are_told(when: str) -> None:
    data = Shrinking()
    problem = pn.ModelProblem(network(), LOSSES, data, batch_size=2)
    if when == "between passes":
        data.left = 4
        with pytest.raises(
            pn.ProblemError, match=r"the train data, Shrinking, changed between passes: 4 examples now"
        ):
            problem.evaluate(problem.parameters())
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Shrinking, "__getitem__", lambda _, index: [*noisy(8, 1)][:4][index])
            with pytest.raises(
                pn.ProblemError, match=r"reading batch 3 of the train data failed: IndexError.*every example"
            ):
                problem.evaluate(problem.parameters())


@pytest.mark.parametrize(
    "name", ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]
)
def test_names_are_told_as_they_are_read(name: str) -> None:
    """Letters that are joined by signs without a width stay joined, in whatever is wrong at construction."""
    data = TensorDataset(torch.randn(8, 2))

    def problem(loss: Any) -> pn.ModelProblem:
        return pn.ModelProblem(nn.Linear(2, 2), losses={name: loss, "b": lambda o, _: o.mean()}, train=data)

    for loss, says in (
        (3, f"losses['{name}'] is 3"),
        (lambda o, _: o, f"loss '{name}' returned"),
        (lambda o, _: o.nothing(), f"loss '{name}' failed on the first train batch"),
        (lambda o, _: o.detach().mean() * 0 + 1, f"loss '{name}'"),
    ):
        with pytest.raises(pn.ProblemError) as caught:
            problem(loss)
        assert says in str(caught.value)
