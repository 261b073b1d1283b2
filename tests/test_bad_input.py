"""A mistake comes out where it is made, as an exception of ours that names it and the remedy."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from paretonav import (
    FunctionProblem,
    ModelProblem,
    NonFiniteError,
    OutOfMemoryError,
    ParetonavError,
    ProblemError,
    SessionError,
)
from paretonav.geometry import Curvature
from paretonav.problems import digits
from paretonav.session.export import write_state

Make = Callable[[], Any]
NAN, INF = float("nan"), float("inf")


def first(o: Tensor, _: Any) -> Tensor:
    return o[:, 0].square().mean()


def second(o: Tensor, _: Any) -> Tensor:
    return (o[:, 1] - 1).square().mean()


def data(n: int = 8) -> TensorDataset:
    return TensorDataset(torch.linspace(-1, 1, 3 * n).view(n, 3))


def model(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def problem(module: nn.Module | None = None, **options: Any) -> ModelProblem:
    options.setdefault("losses", {"first": first, "second": second})
    options.setdefault("train", data())
    return ModelProblem(model() if module is None else module, **options)


def losses(wrong: Any) -> dict[str, Any]:
    return {"first": first, "odd": wrong}


class Unsized(Dataset[Any]):
    def __getitem__(self, index: int) -> Tensor:
        return torch.zeros(3)


class Augmented(Dataset[Any]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> list[Tensor]:
        return [torch.rand(3) + index]


class Few(IterableDataset[Any]):
    """A stream that can be read only so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __iter__(self) -> Iterator[list[Tensor]]:
        self.left -= 1
        return iter([[x] for x in torch.ones(8, 3)] if self.left >= 0 else [])


class FunctionalDropout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = model()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(self.inner(x), training=self.training)


class Hidden:
    """Outputs in which no tensor is found."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


def with_layer(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), layer)


class Recurrent(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer


def mixed() -> nn.Module:
    module = model()
    module[2].double()  # type: ignore[index, operator]
    return module


def integers() -> nn.Module:
    module = model()
    module.steps = nn.Parameter(torch.arange(3), requires_grad=False)
    return module


def read(loader: Any) -> Make:
    return lambda: problem(train=loader)


def failing_collation() -> DataLoader[Any]:
    return DataLoader(data(), batch_size=4, collate_fn=lambda examples: {"x": examples[0][0]})


MODEL: dict[str, tuple[Make, list[str]]] = {
    # model and parameters
    "model is no module": (lambda: problem(torch.sin), ["model", "torch.nn.Module", "builtin"]),  # type: ignore[arg-type]
    "pattern matches nothing": (lambda: problem(parameters=["2.*", "trunk.*"]), ["'trunk.*'", "0.weight"]),
    "no patterns": (lambda: problem(parameters=[]), ["parameters=[]", "0.weight"]),
    "all frozen": (lambda: problem(model().requires_grad_(False)), ["requires grad", "parameters="]),
    "no parameters": (lambda: problem(nn.Tanh()), ["requires grad"]),
    "mixed dtypes": (lambda: problem(mixed()), ["'2.bias' is torch.float64", "float32", ".to(...)"]),
    "integer parameters": (
        lambda: problem(integers(), parameters="steps"),
        ["'steps'", "torch.int64", "parameters="],
    ),
    "lazy parameters": (lambda: problem(nn.LazyLinear(2)), ["'weight'", "not initialised", "call the model"]),
    "empty parameters": (lambda: problem(nn.ParameterList([torch.zeros(0)])), ["no entries", "0"]),
    # modes
    "dropout": (
        lambda: problem(with_layer(nn.Dropout(0.1))),
        ["'1' (Dropout)", "train mode", "model.eval()"],
    ),
    "dropout alone": (lambda: problem(Alone(0.1)), ["the model (Alone)", "model.eval()"]),
    "channel dropout": (lambda: problem(with_layer(nn.Dropout1d())), ["'1' (Dropout1d)", "model.eval()"]),
    "alpha dropout": (lambda: problem(with_layer(nn.AlphaDropout())), ["'1' (AlphaDropout)", "model.eval()"]),
    "batch norm": (lambda: problem(with_layer(nn.BatchNorm1d(2))), ["'1' (BatchNorm1d)", "model.eval()"]),
    "instance norm": (
        lambda: problem(with_layer(nn.InstanceNorm1d(2, track_running_stats=True))),
        ["'1' (InstanceNorm1d)", "model.eval()"],
    ),
    "random slope": (lambda: problem(with_layer(nn.RReLU())), ["'1' (RReLU)", "model.eval()"]),
    "recurrent dropout": (
        lambda: problem(Recurrent(nn.LSTM(3, 2, num_layers=2, dropout=0.1))),
        ["'layer' (LSTM)", "model.eval()"],
    ),
    "attention dropout": (
        lambda: problem(Recurrent(nn.MultiheadAttention(4, 2, dropout=0.1))),
        ["'layer' (MultiheadAttention)", "model.eval()"],
    ),
    "functional dropout": (
        lambda: problem(FunctionalDropout()),
        ["'first'", "random", "the model (FunctionalDropout)", "model.eval()"],
    ),
    "functional dropout within": (
        lambda: problem(nn.Sequential(nn.Identity(), FunctionalDropout())),
        ["'first'", "random", "module '1' (FunctionalDropout)", "model.eval()"],
    ),
    "random forward": (
        lambda: problem(forward=lambda m, batch: m(batch[0] + torch.rand(3))),
        ["'first'", "random", "forward itself"],
    ),
    "batch statistics": (
        lambda: problem(with_layer(nn.BatchNorm1d(2, track_running_stats=False)).eval()),
        ["'1' (BatchNorm1d)", "track_running_stats", "GroupNorm"],
    ),
    # wrappers
    "data parallel": (lambda: problem(nn.DataParallel(model())), ["the model", "DataParallel", ".module"]),
    "data parallel within": (
        lambda: problem(with_layer(nn.DataParallel(nn.Tanh()))),
        ["module '1'", "DataParallel", ".module"],
    ),
    "lazy part": (
        lambda: problem(nn.Sequential(nn.Linear(3, 4), nn.LazyLinear(2)), parameters="0.*"),
        ["'1.weight'", "not initialised", "call the model"],
    ),
    # losses
    "losses in a list": (lambda: problem(losses=[first, second]), ["losses", "list"]),
    "one loss": (lambda: problem(losses={"first": first}), ["1 objective given", "at least 2"]),
    "no loss": (lambda: problem(losses={}), ["0 objectives given", "at least 2"]),
    "loss without name": (lambda: problem(losses={"first": first, "": second}), ["''", "non-empty"]),
    "loss named by a number": (
        lambda: problem(losses={"first": first, 2: second}),
        ["2 is not a name", "string"],
    ),
    "loss is no function": (lambda: problem(losses=losses(0.5)), ["losses['odd']", "0.5", "function"]),
    "loss without a mean": (
        lambda: problem(losses=losses(lambda o, _: o[:, 0])),
        ["'odd'", "[8]", ".mean()"],
    ),
    "loss of shape [1]": (lambda: problem(losses=losses(lambda o, _: o[0, :1])), ["'odd'", "[1]", "scalar"]),
    "loss is a float": (
        lambda: problem(losses=losses(lambda _, __: 0.5)),
        ["'odd'", "float", "scalar tensor"],
    ),
    "loss is None": (
        lambda: problem(losses=losses(lambda _, __: None)),
        ["'odd'", "NoneType", "scalar tensor"],
    ),
    "loss fails": (lambda: problem(losses=losses(nn.MSELoss())), ["'odd'", "failed", "loss(outputs, batch)"]),
    "loss detaches": (
        lambda: problem(losses=losses(lambda o, _: o.detach().square().mean())),
        ["'odd'", "does not depend", ".detach()"],
    ),
    "loss counts": (
        lambda: problem(losses=losses(lambda o, _: (o > 0).float().mean())),
        ["'odd'", "does not depend", "parameters="],
    ),
    "loss of other parameters": (
        lambda: problem(Two(), losses=losses(lambda o, _: o[:, 2].square().mean()), parameters="one.*"),
        ["'odd'", "does not depend on the steered parameters", "parameters="],
    ),
    "loss reads the parameters": (lambda: reading(0.0), ["'odd'", "elsewhere", "forward="]),
    "loss reads the parameters, too": (lambda: reading(1.0), ["'odd'", "elsewhere", "forward="]),
    "hidden outputs": (
        lambda: problem(
            losses={"odd": lambda o, _: o.logits.square().mean(), "second": second},
            forward=lambda m, batch: Hidden(m(batch[0])),
        ),
        ["'odd'", "Hidden", "tuple, list or dict"],
    ),
    "random loss": (
        lambda: problem(losses=losses(lambda o, _: (o * torch.rand(2)).square().mean())),
        ["'odd'", "random", "outputs are the same", "out of the loss"],
    ),
    # metrics
    "metrics in a list": (lambda: problem(metrics=[first]), ["metrics", "list"]),
    "metric is no function": (lambda: problem(metrics={"odd": 1}), ["metrics['odd']", "function"]),
    "metric has the name of a loss": (lambda: problem(metrics={"first": first}), ["'first'", "rename"]),
    "metric fails": (
        lambda: problem(metrics={"odd": lambda o, b: o[b["y"]]}),
        ["'odd'", "failed", "metric(outputs"],
    ),
    "metric is a vector": (lambda: problem(metrics={"odd": lambda o, _: o[:, 0]}), ["'odd'", "one number"]),
    "metric is None": (lambda: problem(metrics={"odd": lambda _, __: None}), ["'odd'", "one number", "None"]),
    "metric is text": (
        lambda: problem(metrics={"odd": lambda _, __: "0.5"}),
        ["'odd'", "one number", "'0.5'"],
    ),
    "metric fails on validation data": (
        lambda: problem(metrics={"odd": lambda o, _: o[5, 0]}, validation=data(3)),
        ["'odd'", "validation"],
    ),
    # data
    "data is a list": (lambda: problem(train=[torch.zeros(2, 3)]), ["train data", "DataLoader", "list"]),
    "validation is a tensor": (lambda: problem(validation=torch.zeros(2, 3)), ["validation data", "Tensor"]),
    "data is a tensor": (lambda: problem(train=torch.zeros(2, 3)), ["train data", "DataLoader", "Tensor"]),
    "empty data": (lambda: problem(train=data(0)), ["train data is empty"]),
    "empty loader": (lambda: problem(train=DataLoader(data(0), batch_size=4)), ["train data is empty"]),
    "empty validation": (lambda: problem(validation=data(0)), ["validation data is empty"]),
    "no length": (lambda: problem(train=DataLoader(Unsized())), ["train", "Unsized", "__len__"]),
    "batch size": (lambda: problem(batch_size=0), ["batch_size=0", "at least 1"]),
    "batch size is a float": (lambda: problem(batch_size=2.5), ["batch_size=2.5", "integer"]),
    "augmentation": (
        lambda: problem(train=DataLoader(Augmented())),
        ["train data", "Augmented", "first batch", "random", "augmentation"],
    ),
    "random validation": (
        lambda: problem(validation=Augmented()),
        ["validation data", "random", "augmentation"],
    ),
    "stream of one pass": (lambda: problem(train=DataLoader(Few(1), 4)), ["second pass", "__iter__"]),
    "stream of two passes": (lambda: problem(train=DataLoader(Few(2), 4)), ["second pass", "__iter__"]),
    "stream without tensors": (
        lambda: problem(train=DataLoader(Words(), batch_size=4)),
        ["list", "holds no tensor", "collate_fn"],
    ),
    "forward fails": (
        lambda: problem(train=failing_collation()),
        ["a dict with 'x'", "forward=lambda model, batch: model(batch['x'])"],
    ),
    "forward fails on validation data": (
        lambda: problem(validation=TensorDataset(torch.zeros(4, 7))),
        ["first validation batch", "forward="],
    ),
    # numbers
    "negative decay": (lambda: problem(weight_decay=-0.1), ["weight_decay=-0.1", "zero or a positive"]),
    "decay is nan": (lambda: problem(weight_decay=NAN), ["weight_decay=nan"]),
    "decay is infinite": (lambda: problem(weight_decay=INF), ["weight_decay=inf"]),
    "decay is text": (lambda: problem(weight_decay="1e-2"), ["weight_decay='1e-2'", "number"]),
    "curvature sample": (lambda: problem().curvature_sample(0), ["0 examples", "at least 1"]),
    "vector too long": (
        lambda: problem().evaluate(torch.zeros(27)),
        ["[27]", "26 steered parameters", "like"],
    ),
    "vector of another dtype": (
        lambda: problem().evaluate(torch.zeros(26).double()),
        ["float64", "26", "float32"],
    ),
    "no such split": (
        lambda: problem().jacobian(torch.zeros(26), "test"),
        ["no test data", "only train", "test="],
    ),
}


class Alone(nn.Dropout):
    def __init__(self, p: float) -> None:
        super().__init__(p)
        self.weight = nn.Parameter(torch.ones(3))


class Two(nn.Module):
    """Separate parameters for separate outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 2), nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.other(x)], dim=1)


class Words(IterableDataset[Any]):
    def __iter__(self) -> Iterator[str]:
        return iter(["a", "b"])


def reading(share: float) -> ModelProblem:
    module = model()

    def penalty(o: Tensor, _: Any) -> Tensor:
        return share * o.square().mean() + sum(p.square().sum() for p in module.parameters())

    return problem(module, losses=losses(penalty))


def pair(x: Tensor) -> Tensor:
    return torch.stack([x.square().sum(), (x - 1).square().sum()])


X = torch.zeros(2)
FUNCTION: dict[str, tuple[Make, list[str]]] = {
    "fn returns a scalar": (lambda: FunctionProblem(lambda x: x.sum(), X), ["fn", "shape []", "torch.stack"]),
    "fn returns a list": (
        lambda: FunctionProblem(lambda x: [x.sum(), x.sum()], X),  # type: ignore[arg-type, return-value]
        ["fn", "list", "torch.stack"],
    ),
    "fn returns a matrix": (lambda: FunctionProblem(lambda x: torch.outer(x, x), X), ["fn", "shape [2, 2]"]),
    "fn returns one objective": (
        lambda: FunctionProblem(lambda x: x[:1], X),
        ["1 objective given", "at least 2"],
    ),
    "fn fails": (
        lambda: FunctionProblem(lambda x: x[7:8] * x[9], X),
        ["fn failed at x0", "length 2", "float32"],
    ),
    "objective is constant": (
        lambda: FunctionProblem(lambda x: torch.stack([x.sum(), torch.tensor(1.0)]), X, names=["up", "odd"]),
        ["'odd'", "does not depend on x", ".detach()"],
    ),
    "objective is constant within the bounds": (
        lambda: FunctionProblem(
            lambda x: torch.stack([x.sum(), (x - 1).relu().sum()]),
            X + 0.995,
            names=["up", "odd"],
            bounds=(0.0, 1.0),
        ),
        ["'odd'", "does not depend on x"],
    ),
    "all objectives are constant": (
        lambda: FunctionProblem(lambda x: pair(x.detach()), X, names=["odd", "more"]),
        ["'odd'", "does not depend on x"],
    ),
    "too few names": (lambda: FunctionProblem(pair, X, names=["a"]), ["1 objective given"]),
    "too many names": (lambda: FunctionProblem(pair, X, names=["a", "b", "c"]), ["3 names for 2 objectives"]),
    "names are one string": (lambda: FunctionProblem(pair, X, names="ab"), ["'ab'", "one string", "list"]),
    "duplicate names": (lambda: FunctionProblem(pair, X, names=["a", "a"]), ["'a'", "2 times", "differ"]),
    "empty name": (lambda: FunctionProblem(pair, X, names=["a", ""]), ["''", "non-empty"]),
    "x0 is of integers": (lambda: FunctionProblem(pair, torch.zeros(2).long()), ["x0", "int64", "float64"]),
    "x0 is a matrix": (lambda: FunctionProblem(pair, torch.zeros(2, 2)), ["x0", "[2, 2]", "torch.zeros"]),
    "x0 is a number": (lambda: FunctionProblem(pair, torch.tensor(1.0)), ["x0", "[]"]),
    "x0 is empty": (lambda: FunctionProblem(pair, torch.zeros(0)), ["x0", "[0]"]),
    "x0 is text": (lambda: FunctionProblem(pair, "here"), ["x0", "str"]),  # type: ignore[arg-type]
    "x0 has a nan": (lambda: FunctionProblem(pair, torch.tensor([0.0, NAN])), ["x0[1]", "nan", "finite"]),
    "x0 below": (
        lambda: FunctionProblem(pair, X, bounds=(torch.tensor([-1.0, 0.5]), 2.0)),
        ["x0[1] = 0", "[0.5, 2]"],
    ),
    "x0 above": (lambda: FunctionProblem(pair, X, bounds=(-2.0, -1.0)), ["x0[0] = 0", "[-2, -1]", "widen"]),
    "bounds are inverted": (
        lambda: FunctionProblem(pair, X, bounds=(torch.tensor([-1.0, 1.0]), torch.tensor([1.0, -1.0]))),
        ["x[1]", "empty", "lower 1, upper -1", "swap"],
    ),
    "bounds have a nan": (lambda: FunctionProblem(pair, X, bounds=(0.0, NAN)), ["x[0]", "upper nan"]),
    "bounds are too long": (
        lambda: FunctionProblem(pair, X, bounds=(0.0, torch.ones(5))),
        ["bounds", "length 2"],
    ),
    "bounds are of text": (
        lambda: FunctionProblem(pair, X, bounds=(0.0, "one")),  # type: ignore[arg-type]
        ["bounds", "length 2"],
    ),
    "bounds are a triple": (
        lambda: FunctionProblem(pair, X, bounds=(0.0, 1.0, 2.0)),  # type: ignore[arg-type]
        ["bounds", "pair (lower, upper)"],
    ),
    "bounds are a number": (lambda: FunctionProblem(pair, X, bounds=1.0), ["bounds", "pair"]),  # type: ignore[arg-type]
}

DIGITS: dict[str, tuple[Make, list[str]]] = {
    name: (lambda name=name, value=value: digits(**{name: value}), [f"{name} = {value!r}", "integer"])
    for name, value in {"trunk": 0, "epochs": -1, "train_size": 0.5, "validation_size": 0}.items()
} | {
    "weight_decay": (
        lambda: digits(weight_decay=-1.0, train_size=4, validation_size=2),
        ["weight_decay=-1.0"],
    )
}


@pytest.mark.parametrize(("make", "words"), [pytest.param(*case, id=name) for name, case in MODEL.items()])
def test_models(make: Make, words: list[str]) -> None:
    check(make, words, ProblemError)


@pytest.mark.parametrize(("make", "words"), [pytest.param(*case, id=name) for name, case in FUNCTION.items()])
def test_functions(make: Make, words: list[str]) -> None:
    check(make, words, ProblemError)


@pytest.mark.parametrize(("make", "words"), [pytest.param(*case, id=name) for name, case in DIGITS.items()])
def test_digits(make: Make, words: list[str]) -> None:
    check(make, words, ProblemError)


def check(make: Make, words: list[str], kind: type[ParetonavError]) -> None:
    with pytest.raises(ParetonavError) as caught:
        make()
    assert caught.type is kind
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


NON_FINITE: dict[str, tuple[Make, str]] = {
    "objective is nan at x0": (
        lambda: FunctionProblem(lambda x: torch.stack([x.sum(), (x - 1).sqrt().sum()]), X),
        "f2",
    ),
    "objective is infinite at x0": (
        lambda: FunctionProblem(lambda x: torch.stack([x.log().sum(), x.sum()]), X),
        "f1",
    ),
    "loss is nan": (lambda: problem(losses=losses(lambda o, _: o.abs().mean() * NAN)), "odd"),
    "loss is infinite": (lambda: problem(losses=losses(lambda o, _: o.abs().mean() / 0)), "odd"),
    "loss is nan on validation data": (
        lambda: problem(validation=TensorDataset(torch.full((2, 3), NAN))),
        "first",
    ),
}


@pytest.mark.parametrize(
    ("make", "name"), [pytest.param(*case, id=name) for name, case in NON_FINITE.items()]
)
def test_numbers_that_are_not_finite(make: Make, name: str) -> None:
    check(
        make,
        [f"objective {name!r} is ", "on the first " if name in ("odd", "first") else "at x0"],
        NonFiniteError,
    )


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: problem(forward=lambda m, batch: m(batch["y"])), TypeError),
        (lambda: problem(losses=losses(nn.MSELoss())), AttributeError),
        (lambda: problem(metrics={"odd": lambda o, b: o[b["y"]]}), TypeError),
        (lambda: FunctionProblem(lambda x: x[7:8] * x[9], X), IndexError),
    ],
)
def test_the_original_exception_is_chained(make: Make, cause: type[Exception]) -> None:
    with pytest.raises(ProblemError) as caught:
        make()
    assert type(caught.value.__cause__) is cause


def test_a_model_that_is_put_in_train_mode_later_is_noticed_by_every_pass() -> None:
    module = with_layer(nn.Dropout(0.5)).eval()
    made = problem(module)
    theta = made.parameters()
    module.train()
    passes: list[Make] = [
        lambda: made.evaluate(theta),
        lambda: made.jacobian(theta),
        lambda: made.curvature_sample(),
        lambda: made.minibatches(4, torch.Generator()),
    ]
    for run in passes:
        check(run, ["'1' (Dropout)", "model.eval()"], ProblemError)
    module.eval()
    made.evaluate(theta)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dropout(0.0),
        nn.GroupNorm(1, 2),
        nn.LayerNorm(2),
        nn.Dropout(0.5).eval(),
        nn.BatchNorm1d(2).eval(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_do_no_harm_are_let_pass(layer: nn.Module) -> None:
    problem(with_layer(layer))


@pytest.mark.parametrize("layer", [nn.LSTM(3, 2, num_layers=2), nn.GRU(3, 2)], ids=["LSTM", "GRU"])
def test_recurrent_layers_without_dropout_are_let_pass(layer: nn.Module) -> None:
    problem(layer, forward=lambda m, batch: m(batch[0])[0])
    if layer.num_layers == 1:
        layer.dropout = 0.5  # it is between layers only
        problem(layer, forward=lambda m, batch: m(batch[0])[0])


def test_instance_norm_without_running_statistics_is_let_pass() -> None:
    channels = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.InstanceNorm1d(2), nn.Flatten())
    problem(nn.Sequential(nn.Linear(3, 8), channels, nn.Linear(8, 2)))


def test_a_loss_may_read_parameters_that_are_not_steered() -> None:
    module = Two()
    module.one.requires_grad_(False)

    def penalised(o: Tensor, _: Any) -> Tensor:
        return o[:, 1].square().mean() + module.other.weight.square().sum()

    assert problem(module, losses=losses(penalised), parameters="one.*").m == 2


def test_a_loss_without_slope_on_the_first_batches_only_is_let_pass() -> None:
    def late(o: Tensor, batch: Any) -> Tensor:
        return o[:, 1].square().mean() if batch[0].max() > 0.9 else o[:, 1].detach().mean()

    assert problem(losses=losses(late), batch_size=2).names == ("first", "odd")
    assert problem(losses=losses(late), validation=TensorDataset(torch.zeros(2, 3))).has_validation


def test_the_message_of_a_long_list_of_parameters_is_short() -> None:
    module = nn.Sequential(*(nn.Linear(3, 3) for _ in range(50)))
    with pytest.raises(ProblemError, match=r", 5\.bias, and 88 more$"):
        problem(module, parameters="nothing")


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("model.pt", {"a": X}, ["model.pt", ".safetensors"]),
        ("model", {"a": X}, ["model", ".safetensors"]),
        ("missing/model.safetensors", {"a": X}, ["missing/model.safetensors", "No such file"]),
        ("model.safetensors", {"a": X, "odd": 3}, ["'odd'", "int", "tensors only"]),
    ],
)
def test_exports(tmp_path: Path, name: str, state: dict[str, Any], words: list[str]) -> None:
    check(lambda: write_state(tmp_path / name, state, {}), words, SessionError)
    assert list(tmp_path.iterdir()) == []


def uneven() -> TensorDataset:
    """The sixth example, in the third batch of two, is one that ``picky`` does not take."""
    x = torch.linspace(-1, 1, 24).view(8, 3)
    x[5, 0] = 7.0
    return TensorDataset(x)


def picky(m: nn.Module, batch: Any) -> Tensor:
    if batch[0][:, 0].max() > 5:
        raise IndexError("index 7 is out of range")
    return m(batch[0])  # type: ignore[no-any-return]


def test_a_batch_that_fails_in_the_middle_is_named_and_the_model_is_as_it_was() -> None:
    made = problem(train=uneven(), validation=uneven(), batch_size=2, forward=picky)
    theta = made.parameters()
    runs: list[Make] = [
        lambda: made.evaluate(theta + 1),
        lambda: made.jacobian(theta + 1),
        lambda: made.response(theta + 1, torch.ones(1, len(theta))),
    ]
    for run in runs:
        check(run, ["batch 3 of the train data", "IndexError", "index 7", "before it"], ProblemError)
        assert torch.equal(made.parameters(), theta)
    check(lambda: made.evaluate(theta, "validation"), ["batch 3 of the validation data"], ProblemError)
    with pytest.raises(ProblemError, match="curvature batch of 2 examples"):
        [part.outputs(theta) for part in made.curvature_sample()]
    assert torch.equal(made.parameters(), theta)


def test_a_loss_that_fails_in_the_middle_is_located() -> None:
    def fragile(o: Tensor, batch: Any) -> Tensor:
        return picky(nn.Identity(), batch).mean() + o[:, 1].square().mean()

    made = problem(train=uneven(), batch_size=2, losses=losses(fragile))
    check(lambda: made.evaluate(made.parameters()), ["loss 'odd' failed on batch 3", "index 7"], ProblemError)


def test_an_example_that_cannot_be_read_is_located() -> None:
    class Torn(Dataset[Any]):
        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> list[Tensor]:
            if index == 5:
                raise OSError("file is truncated")
            return [torch.ones(3) * index]

    made = problem(train=DataLoader(Torn(), batch_size=2))
    words = ["reading batch 3 of the train data", "OSError", "truncated"]
    check(lambda: made.evaluate(made.parameters()), words, ProblemError)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        MemoryError(),
    ],
    ids=["CUDA", "host", "Python"],
)
def test_running_out_of_memory_says_what_helps(error: Exception) -> None:
    full = False

    def forward(m: nn.Module, batch: Any) -> Tensor:
        if full:
            raise error
        return m(batch[0])  # type: ignore[no-any-return]

    made = problem(forward=forward)
    theta = made.parameters()
    full = True
    runs: list[Make] = [
        lambda: made.evaluate(theta),
        lambda: made.jacobian(theta),
        lambda: Curvature(made.curvature_sample(), theta, torch.ones(2) / 2, kind="exact"),
    ]
    for run in runs:
        check(
            run, ["memory ran out", "batch_size=", "Geometry(samples=...)", "parameters="], OutOfMemoryError
        )
    assert issubclass(OutOfMemoryError, MemoryError)
    full = False
    operator = Curvature(made.curvature_sample(), theta, torch.ones(2) / 2, kind="exact")
    operator._added._products = [(made.curvature_sample()[0], lambda _: (_ for _ in ()).throw(error))]
    check(lambda: operator(theta[None]), ["memory ran out"], OutOfMemoryError)


def test_other_errors_of_torch_are_not_taken_for_memory() -> None:
    made = problem()
    with pytest.raises(ProblemError, match=r"3 weights are given for 2 objectives"):
        Curvature(made.curvature_sample(), made.parameters(), torch.ones(3), kind="exact")


def test_torch_script_is_refused() -> None:
    scripted = torch.jit.trace(model(), torch.zeros(2, 3))  # type: ignore[no-untyped-call]
    check(lambda: problem(scripted), ["the model is TorchScript", "Python module"], ProblemError)
