import copy
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from paretonav import Cost, ModelProblem, ProblemError
from paretonav.geometry import Curvature
from paretonav.objectives import Composite

# Each acts on the outputs [b, 2] and targets [b, 2] and is a mean over the batch.
LOSSES: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "square": lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean(),
    "soft": lambda o, batch: nn.functional.softplus(o[:, 1] * batch[1][:, 1]).mean(),
    "both": lambda o, batch: (o.sum(1) - batch[1].sum(1)).pow(4).mean(),
}
SIZES = st.tuples(st.integers(1, 23), st.integers(1, 9), st.integers(2, 3), st.integers(0, 10**6))


def network(seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype)
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=seed + k, dtype=dtype))
    return model


def examples(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> TensorDataset:
    return TensorDataset(normal(n, 3, seed=seed, dtype=dtype), normal(n, 2, seed=seed + 1, dtype=dtype))


def make(n: int = 11, batch_size: int = 4, m: int = 2, seed: int = 0, **options: Any) -> ModelProblem:
    losses = {name: LOSSES[name] for name in list(LOSSES)[:m]}
    return ModelProblem(network(seed), losses, examples(n, seed), batch_size=batch_size, **options)


def by_hand(theta: Tensor, data: TensorDataset, m: int) -> Tensor:
    """The losses [m], example by example, from the vector and the numbers alone."""
    w1, b1, w2, b2 = theta[:12].view(4, 3), theta[12:16], theta[16:24].view(2, 4), theta[24:26]
    totals = [theta.new_zeros(()) for _ in range(3)]
    for x, y in zip(*data.tensors, strict=True):
        o = w2 @ torch.tanh(w1 @ x + b1) + b2
        totals[0] = totals[0] + (o[0] - y[0]) ** 2
        totals[1] = totals[1] + torch.log1p(torch.exp(o[1] * y[1]))
        totals[2] = totals[2] + (o[0] + o[1] - y[0] - y[1]) ** 4
    return torch.stack(totals[:m]) / len(data)


def total(composites: Any, theta: Tensor) -> Tensor:
    return sum(part.fraction * part.losses(part.outputs(theta)) for part in composites)  # type: ignore[return-value]


def state_of(model: nn.Module) -> list[Any]:
    """All that a pass must leave alone, the counters of in-place changes included."""
    tensors = [*model.parameters(), *model.buffers()]
    return [
        *[(id(t), t.data_ptr(), t._version, t.requires_grad, t.grad is None) for t in tensors],
        *[module.training for module in model.modules()],
    ]


@settings(max_examples=20, deadline=None)
@given(sizes=SIZES, loader=st.booleans())
def test_losses_and_jacobian_are_those_of_a_dense_computation(
    sizes: tuple[int, int, int, int], loader: bool
) -> None:
    n, batch_size, m, seed = sizes
    data = examples(n, seed)
    problem = ModelProblem(
        network(seed),
        {name: LOSSES[name] for name in list(LOSSES)[:m]},
        DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True) if loader else data,
        batch_size=batch_size,
        weight_decay=0.3,
    )
    theta = normal(26, seed=seed + 2)
    losses, jacobian = problem.jacobian(theta)
    expected = by_hand(theta, data, m)
    torch.testing.assert_close(losses.mean, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(problem.evaluate(theta).mean, expected, rtol=1e-12, atol=1e-12)
    dense = torch.autograd.functional.jacobian(lambda t: by_hand(t, data, m), theta)
    torch.testing.assert_close(jacobian, dense, rtol=1e-11, atol=1e-11)
    for k, (row, fraction) in enumerate(zip(losses.batches, losses.fractions, strict=True)):
        chunk = TensorDataset(*(t[k * batch_size : (k + 1) * batch_size] for t in data.tensors))
        torch.testing.assert_close(row, by_hand(theta, chunk, m), rtol=1e-12, atol=1e-12)
        assert float(fraction) == pytest.approx(len(chunk) / n)
    assert not any(t.requires_grad for t in (losses.batches, jacobian))


@settings(max_examples=6, deadline=None)
@given(sizes=st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(2, 3), st.integers(0, 10**6)))
def test_the_whole_curvature_sample_has_the_hessians_of_the_losses(sizes: tuple[int, int, int, int]) -> None:
    n, batch_size, m, seed = sizes
    problem, theta = make(n, batch_size, m, seed), normal(26, seed=seed + 2)
    sample = problem.curvature_sample()
    for i in range(m):
        hessian = torch.autograd.functional.hessian(lambda t, i=i: total(sample, t)[i], theta)
        dense = torch.autograd.functional.hessian(lambda t, i=i: by_hand(t, examples(n, seed), m)[i], theta)
        torch.testing.assert_close(hessian, dense, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_computations_are_in_the_dtype_of_the_model_and_losses_in_float64(dtype: torch.dtype) -> None:
    losses = dict(list(LOSSES.items())[:2])
    problem = ModelProblem(network(dtype=dtype), losses, examples(7, dtype=dtype))
    values, jacobian = problem.jacobian(problem.parameters())
    assert problem.parameters().dtype == jacobian.dtype == dtype
    assert values.mean.dtype == values.fractions.dtype == torch.float64
    expected = by_hand(
        problem.parameters().double(), TensorDataset(*(t.double() for t in examples(7).tensors)), 2
    )
    torch.testing.assert_close(values.mean, expected, rtol=1e-5, atol=1e-5)


def test_the_parameters_start_as_those_of_the_model_and_are_set_on_request() -> None:
    problem = make()
    model = problem.model
    assert torch.equal(problem.parameters(), nn.utils.parameters_to_vector(model.parameters()))
    assert problem.steered == ("0.weight", "0.bias", "2.weight", "2.bias")
    theta = normal(26, seed=9)
    problem.set_parameters(theta)
    assert torch.equal(nn.utils.parameters_to_vector(model.parameters()), theta)
    torch.testing.assert_close(
        LOSSES["square"](model(examples(11)[:][0]), examples(11)[:]), problem.evaluate(theta).mean[0]
    )


def test_a_subset_has_its_columns_of_the_jacobian() -> None:
    whole, part = make(m=3), make(m=3, parameters=["2.*", "0.bias"])
    assert part.steered == ("0.bias", "2.weight", "2.bias")
    theta = whole.parameters()
    losses, jacobian = part.jacobian(part.parameters())
    torch.testing.assert_close(losses.mean, whole.evaluate(theta).mean, rtol=1e-14, atol=0)
    torch.testing.assert_close(jacobian, whole.jacobian(theta)[1][:, 12:], rtol=1e-13, atol=1e-14)


def test_frozen_parameters_stay_unless_they_are_named() -> None:
    model = network()
    model[0].requires_grad_(False)
    losses = dict(list(LOSSES.items())[:2])
    problem = ModelProblem(model, losses, examples(11))
    assert problem.steered == ("2.weight", "2.bias")
    named = ModelProblem(model, losses, examples(11), parameters="0.*")
    assert named.steered == ("0.weight", "0.bias")
    torch.testing.assert_close(
        named.jacobian(named.parameters())[1], make().jacobian(make().parameters())[1][:, :16]
    )


class Tied(nn.Module):
    """One matrix used twice, as in an embedding and its decoder; a buffer; an empty parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(3, 3, bias=False)
        self.norm = nn.BatchNorm1d(3)
        self.decoder = nn.Linear(3, 3, bias=True)
        self.decoder.weight = self.encoder.weight
        self.nothing = nn.Parameter(torch.zeros(0))
        self.register_buffer("constant", torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.norm(self.encoder(x)).tanh()) + self.constant


@pytest.mark.parametrize("patterns", [None, "encoder.weight", "decoder.weight"])
def test_a_tied_weight_is_steered_in_all_its_places(patterns: str | None) -> None:
    model = Tied().double().eval()
    problem = ModelProblem(
        model, dict(list(LOSSES.items())[:2]), examples(9), batch_size=4, parameters=patterns
    )
    assert "encoder.weight" in problem.steered
    assert "decoder.weight" not in problem.steered
    theta = normal(len(problem.parameters()), seed=3)
    losses, jacobian = problem.jacobian(theta)
    direct = copy.deepcopy(model)
    assert direct.decoder.weight is direct.encoder.weight
    problem.set_parameters(theta)
    direct.load_state_dict(model.state_dict())
    batch = examples(9)[:]
    for i, loss in enumerate(list(LOSSES.values())[:2]):
        value = loss(direct(batch[0]), batch)
        parameters = [direct.get_parameter(name) for name in problem.steered]
        gradient = torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)
        torch.testing.assert_close(losses.mean[i], value)
        torch.testing.assert_close(jacobian[i], torch.cat([g.flatten() for g in gradient]))


class Shared(nn.Module):
    """One module in two places, and its weight in a third."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(3, 3)
        self.again = self.first
        self.tied = nn.Linear(3, 3)
        self.tied.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.tied(self.again(self.first(x).tanh()).tanh())


@pytest.mark.parametrize("patterns", [None, "first.*", "again.weight"])
def test_a_shared_module_keeps_its_parameters(patterns: str | None) -> None:
    model = Shared().double()
    own = dict(model.named_parameters(remove_duplicate=False))
    losses = dict(list(LOSSES.items())[:2])
    problem = ModelProblem(model, losses, examples(9), batch_size=4, parameters=patterns)
    theta = normal(len(problem.parameters()), seed=3)
    _, jacobian = problem.jacobian(theta)
    problem.state_dict(theta)
    Curvature(problem.curvature_sample(), theta, torch.tensor([0.5, 0.5]), kind="exact")(theta[None])
    for name, p in model.named_parameters(remove_duplicate=False):
        assert p is own[name]
    problem.set_parameters(theta)
    batch = examples(9)[:]
    for i, loss in enumerate(losses.values()):
        value = loss(model(batch[0]), batch)
        gradient = torch.autograd.grad(value, [model.get_parameter(name) for name in problem.steered])
        torch.testing.assert_close(jacobian[i], torch.cat([g.flatten() for g in gradient]))


def test_the_state_dict_is_that_of_the_module_with_other_values() -> None:
    model = Tied().double().eval()
    problem = ModelProblem(model, dict(list(LOSSES.items())[:2]), examples(9))
    before = copy.deepcopy(model.state_dict())
    untouched = state_of(model)
    theta = normal(len(problem.parameters()), seed=3).requires_grad_()
    state = problem.state_dict(theta)
    assert state_of(model) == untouched
    assert list(state) == list(before)
    assert not any(t.requires_grad for t in state.values())
    other = Tied().double().eval()
    other.load_state_dict(state)
    assert torch.equal(other(examples(9)[:][0]), problem._passes.outputs(theta, examples(9)[:])[0])
    assert torch.equal(state["decoder.weight"], state["encoder.weight"])
    for name in ("norm.running_mean", "norm.num_batches_tracked", "constant", "nothing"):
        assert torch.equal(state[name], before[name])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    problem.set_parameters(theta)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())


def test_a_state_dict_hook_and_unsteered_parameters_are_as_in_the_module() -> None:
    model = network()
    model.register_state_dict_post_hook(lambda _, state, __, ___: state.update(extra=torch.ones(1)))
    problem = ModelProblem(model, dict(list(LOSSES.items())[:2]), examples(9), parameters="2.*")
    state = problem.state_dict(torch.zeros(10, dtype=torch.float64))
    assert state["extra"].tolist() == [1]
    assert torch.equal(state["0.weight"], model[0].weight)
    assert not state["2.weight"].any()


def test_parametrised_weights_are_steered_by_what_makes_them() -> None:
    model = network()
    nn.utils.parametrizations.weight_norm(model[2])
    problem = ModelProblem(model, dict(list(LOSSES.items())[:2]), examples(9))
    assert "2.parametrizations.weight.original0" in problem.steered
    assert list(problem.state_dict(problem.parameters())) == list(model.state_dict())
    theta = 2 * problem.parameters()
    expected = problem.evaluate(theta).mean
    problem.set_parameters(theta)
    batch = examples(9)[:]
    torch.testing.assert_close(LOSSES["square"](model(batch[0]), batch), expected[0])


def everything(problem: ModelProblem) -> None:
    theta = problem.parameters() + 1
    problem.evaluate(theta)
    problem.evaluate(theta, "validation")
    problem.jacobian(theta)
    for composites in (problem.curvature_sample(5), problem.minibatches(3, torch.Generator())):
        total(composites, theta.clone().requires_grad_())[0].backward()  # type: ignore[no-untyped-call]
    problem.state_dict(theta)


@pytest.mark.parametrize("training", [True, False])
def test_no_pass_touches_the_model(training: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.LayerNorm(4), nn.Linear(4, 2)).double()
    model.train(training)
    model[1].train(not training)
    model[0].bias.requires_grad_(False)
    before = state_of(model)
    problem = ModelProblem(
        model,
        dict(list(LOSSES.items())[:2]),
        examples(11),
        examples(4),
        batch_size=3,
        metrics={"one": LOSSES["both"]},
    )
    everything(problem)
    assert problem.model is model
    assert state_of(model) == before


def test_buffers_of_batch_norm_in_eval_mode_stay() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).double().eval()
    before = state_of(model)
    everything(ModelProblem(model, dict(list(LOSSES.items())[:2]), examples(11), examples(4)))
    assert state_of(model) == before


def test_what_passes_cost_is_counted_in_units_of_the_training_set() -> None:
    problem = make(n=12, batch_size=5, m=3, validation=examples(3))
    assert problem.cost == Cost(), "trying out is free"
    theta = problem.parameters()
    problem.evaluate(theta)
    assert problem.cost == Cost(forward_passes=1)
    problem.jacobian(theta)
    assert problem.cost == Cost(forward_passes=2, gradient_passes=3)
    problem.evaluate(theta, "validation")
    assert problem.cost == Cost(forward_passes=2.25, gradient_passes=3)
    problem.jacobian(theta, "validation")
    assert problem.cost == Cost(forward_passes=2.5, gradient_passes=3.75)
    problem.curvature_sample(3)
    list(problem.minibatches(3, torch.Generator()))
    assert problem.cost == Cost(forward_passes=2.5, gradient_passes=3.75)


def test_the_weight_decay_is_not_in_the_losses() -> None:
    plain, decayed = make(), make(weight_decay=0.5)
    theta = normal(26, seed=5)
    assert torch.equal(plain.evaluate(theta).mean, decayed.evaluate(theta).mean)
    assert torch.equal(plain.jacobian(theta)[1], decayed.jacobian(theta)[1])
    torch.testing.assert_close(
        decayed.objectives(decayed.evaluate(theta).mean, theta),
        plain.evaluate(theta).mean + 0.25 * theta @ theta,
    )


def test_the_validation_split_has_its_own_losses() -> None:
    data = examples(5, seed=7)
    problem = make(validation=DataLoader(data, batch_size=2, shuffle=True))
    assert problem.has_validation
    assert not make().has_validation
    theta = problem.parameters()
    losses, jacobian = problem.jacobian(theta, "validation")
    torch.testing.assert_close(losses.mean, by_hand(theta, data, 2))
    torch.testing.assert_close(problem.evaluate(theta, "validation").mean, by_hand(theta, data, 2))
    torch.testing.assert_close(
        jacobian, torch.autograd.functional.jacobian(lambda t: by_hand(t, data, 2), theta)
    )
    with pytest.raises(ProblemError, match="no validation data"):
        make().evaluate(theta, "validation")


def test_metrics_are_averaged_over_examples_and_shown_where_they_should_be() -> None:
    def size(outputs: Tensor, batch: Any) -> float:
        assert not outputs.requires_grad
        assert not torch.is_grad_enabled()
        return float(len(batch[0]))

    def first(outputs: Tensor, _: Any) -> Tensor:
        return outputs[:, 0].mean()

    metrics = {"size": size, "first": first}
    problem = make(n=11, batch_size=4, metrics=metrics)
    theta = problem.parameters()
    expected = {
        "size": pytest.approx((16 + 16 + 9) / 11),
        "first": pytest.approx(problem.model(examples(11)[:][0])[:, 0].mean().item()),
    }
    assert problem.evaluate(theta).metrics == problem.jacobian(theta)[0].metrics == expected
    problem = make(n=11, metrics=metrics, validation=examples(3))
    assert problem.evaluate(theta).metrics == problem.jacobian(theta)[0].metrics == {}
    assert problem.evaluate(theta, "validation").metrics.keys() == metrics.keys()


def identities(composites: Any) -> list[list[int]]:
    """The rows of ``examples(11)`` in each composite of a linear model that hands its inputs on."""
    known = examples(11)[:][0]
    read = [part.outputs(torch.eye(3, dtype=torch.float64).flatten())[0] for part in composites]
    return [[int((known - row).abs().sum(1).argmin()) for row in outputs] for outputs in read]


def handing_on(**options: Any) -> ModelProblem:
    losses = {"a": lambda o, _: o.square().mean(), "b": lambda o, _: (o - 1).square().mean()}
    return ModelProblem(nn.Linear(3, 3, bias=False).double(), losses, examples(11), **options)


def test_the_curvature_sample_is_frozen() -> None:
    problem = handing_on(batch_size=4)
    theta = normal(9, seed=1)
    first = problem.curvature_sample(6)
    read = identities(first)
    assert [len(batch) for batch in read] == [6], "one batch, whatever the batch size"
    assert len({i for batch in read for i in batch}) == 6
    torch.manual_seed(1)
    list(problem.minibatches(4, torch.Generator()))
    for again in (problem.curvature_sample(6), handing_on(batch_size=4).curvature_sample(6)):
        assert identities(again) == read
        assert torch.equal(total(again, theta), total(first, theta))
    assert identities(handing_on(batch_size=4, seed=1).curvature_sample(6)) != read
    x = examples(11)[:][0][[i for batch in read for i in batch]]
    outputs = x @ theta.view(3, 3).T
    expected = torch.stack([outputs.square().mean(), (outputs - 1).square().mean()])
    torch.testing.assert_close(total(first, theta), expected)
    assert sum(part.fraction for part in first) == pytest.approx(1)


def test_the_curvature_sample_is_read_once() -> None:
    class Counted(TensorDataset):
        reads = 0

        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            self.reads += 1
            return super().__getitem__(index)

    data = Counted(*examples(11).tensors)
    problem = ModelProblem(network(), dict(list(LOSSES.items())[:2]), data)
    data.reads = 0
    for _ in range(3):
        problem.curvature_sample(5)
    assert data.reads == 5


@pytest.mark.parametrize("size", [None, 11, 1000])
def test_the_whole_curvature_sample_is_the_training_data(size: int | None) -> None:
    problem = make(n=11, batch_size=4, m=3)
    theta = normal(26, seed=1)
    expected = problem.evaluate(theta).mean
    sample = problem.curvature_sample(size)
    with torch.no_grad():
        torch.testing.assert_close(total(sample, theta), expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(total(sample, theta.requires_grad_()), expected, rtol=1e-14, atol=0)


def test_minibatches_cover_the_data_once_per_epoch() -> None:
    problem = handing_on(batch_size=4)
    generator = torch.Generator().manual_seed(0)
    epochs = [list(problem.minibatches(3, generator)) for _ in range(2)]
    read = [identities(epoch) for epoch in epochs]
    for epoch, batches in zip(epochs, read, strict=True):
        assert [len(batch) for batch in batches] == [3, 3, 3, 2]
        assert sorted(i for batch in batches for i in batch) == list(range(11))
        assert [part.fraction for part in epoch] == pytest.approx([3 / 11, 3 / 11, 3 / 11, 2 / 11])
    assert read[0] != read[1]
    theta = normal(9, seed=1)
    torch.testing.assert_close(total(epochs[0], theta), problem.evaluate(theta).mean)


class Rich(nn.Module):
    """Returns what models return: tensors with and without gradients, nested, None and text."""

    def __init__(self) -> None:
        super().__init__()
        self.body = network()

    def forward(self, x: Tensor) -> dict[str, Any]:
        logits = self.body(x)
        return {
            "logits": (logits[:, :1], logits[:, 1:]),
            "mask": x[:, :1] > 0,
            "class": logits.argmax(1),
            "scale": torch.full((len(x), 1), 3.0, dtype=x.dtype),
            "loss": None,
            "name": "rich",
        }


def test_outputs_of_any_structure() -> None:
    losses = {
        "a": lambda o, _: (o["logits"][0] * o["mask"] * o["scale"]).square().mean(),
        "b": lambda o, _: (o["logits"][1] - o["class"][:, None]).square().mean(),
    }
    problem = ModelProblem(Rich(), losses, examples(7), batch_size=3)
    theta = problem.parameters().requires_grad_()
    part = problem.curvature_sample()[0]
    outputs = part.outputs(theta)
    assert [tuple(o.shape) for o in outputs] == [(3, 1), (3, 1)]
    assert all(o.requires_grad for o in outputs)
    values = part.losses(tuple(o.detach() for o in outputs))
    assert not values.requires_grad
    torch.testing.assert_close(part.losses(outputs), values)
    torch.testing.assert_close(total(problem.curvature_sample(), theta), problem.evaluate(theta).mean)


def test_a_composite_keeps_no_graph() -> None:
    part = make().curvature_sample()[0]
    outputs = part.outputs(make().parameters().requires_grad_())
    graph = ref(outputs[0])
    del outputs
    assert graph() is None
    assert isinstance(part, Composite)


def test_attention_has_second_derivatives() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
            self.head = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.layer(x[:, :, None].expand(-1, -1, 4) + torch.eye(4)[:3]).mean(1))

    losses = dict(list(LOSSES.items())[:2])
    problem = ModelProblem(Attention().eval(), losses, examples(6, dtype=torch.float32))
    theta, direction = problem.parameters().requires_grad_(), torch.ones(len(problem.parameters()))
    value = total(problem.curvature_sample(), theta).sum()
    torch.testing.assert_close(value.double(), problem.evaluate(theta).mean.sum(), rtol=1e-5, atol=1e-6)
    (gradient,) = torch.autograd.grad(value, theta, create_graph=True)
    (product,) = torch.autograd.grad(gradient @ direction, theta)
    step = 1e-3

    def slope(at: Tensor) -> Tensor:
        return problem.jacobian(at)[1].sum(0)

    differences = (slope(theta + step * direction) - slope(theta - step * direction)) / (2 * step)
    assert float((product - differences).norm() / differences.norm()) < 0.02


class Endless(IterableDataset[Any]):
    """Yields the examples of a dataset as dicts."""

    def __init__(self, data: TensorDataset) -> None:
        self.data = data

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return ({"id": torch.tensor(i), "x": x, "y": y} for i, (x, y) in enumerate(self.data))


def test_dicts_from_a_stream_and_a_forward_of_ones_own() -> None:
    data = examples(10)
    losses = {
        "square": lambda o, batch: (o[:, 0] - batch["y"][:, 0]).square().mean(),
        "soft": lambda o, batch: nn.functional.softplus(o[:, 1] * batch["y"][:, 1]).mean(),
    }
    problem = ModelProblem(
        network(),
        losses,
        DataLoader(Endless(data), batch_size=4, drop_last=True),
        forward=lambda model, batch: model(batch["x"]),
    )
    theta = normal(26, seed=2)
    losses_there, jacobian = problem.jacobian(theta)
    assert losses_there.fractions.tolist() == pytest.approx([0.4, 0.4, 0.2])
    torch.testing.assert_close(losses_there.mean, by_hand(theta, data, 2))
    torch.testing.assert_close(
        jacobian, torch.autograd.functional.jacobian(lambda t: by_hand(t, data, 2), theta)
    )


def test_forward_may_use_the_model_that_is_around() -> None:
    model = network()
    losses = dict(list(LOSSES.items())[:2])
    problem = ModelProblem(model, losses, examples(9), forward=lambda _, batch: model(batch[0]))
    theta = normal(26, seed=2)
    torch.testing.assert_close(problem.evaluate(theta).mean, by_hand(theta, examples(9), 2))


def test_a_penalty_on_the_parameters_is_returned_by_forward() -> None:
    losses = {
        "fit": lambda o, batch: (o[0] - batch[1]).square().mean(),
        "size": lambda o, _: o[1].abs().sum(),
    }
    problem = ModelProblem(
        network(), losses, examples(9), forward=lambda model, batch: (model(batch[0]), model[2].weight)
    )
    theta = normal(26, seed=2)
    losses_there, jacobian = problem.jacobian(theta)
    torch.testing.assert_close(losses_there.mean[1], theta[16:24].abs().sum())
    torch.testing.assert_close(jacobian[1, 16:24], theta[16:24].sign())
    assert not jacobian[1, :16].any()


def test_a_batch_that_is_a_tensor_goes_to_the_model_as_it_is() -> None:
    x = normal(7, 3, seed=0)
    losses = {"a": lambda o, _: o.square().mean(), "b": lambda o, batch: (o - batch[:, :2]).square().mean()}
    loader = DataLoader(x, batch_size=3)  # type: ignore[arg-type]
    problem = ModelProblem(network(), losses, loader)
    outputs = problem.model(x)
    torch.testing.assert_close(problem.evaluate(problem.parameters()).mean[0], outputs.square().mean())


def test_batches_on_which_no_loss_has_a_gradient_count_as_zero() -> None:
    data = TensorDataset(normal(8, 3, seed=0), torch.tensor([[0.0]] * 4 + [[1.0]] * 4))

    def masked(sign: int) -> Callable[[Tensor, Any], Tensor]:
        def loss(o: Tensor, batch: Any) -> Tensor:
            chosen = o[batch[1][:, 0] == 1]
            return (chosen - sign).square().mean() if len(chosen) else torch.zeros((), dtype=o.dtype)

        return loss

    problem = ModelProblem(network(), {"a": masked(1), "b": masked(-1)}, DataLoader(data, batch_size=4))
    losses, jacobian = problem.jacobian(problem.parameters())
    sample = problem.curvature_sample()
    theta = problem.parameters().requires_grad_()
    assert all(part.losses(part.outputs(theta)).requires_grad for part in sample)
    for k in range(2):
        hessian = torch.autograd.functional.hessian(
            lambda t, k=k: total(sample[k : k + 1], t).sum(), problem.parameters()
        )
        assert bool(hessian.any()) == (k == 1)
    assert losses.batches[0].tolist() == [0, 0]
    assert losses.mean[0] > 0
    assert jacobian.any(1).all()
