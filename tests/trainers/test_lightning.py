"""Modules that Lightning has trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.trainers.tables import LOSSES, first, second, table
from torch import Tensor, nn
from torch.utils.data import DataLoader, StackDataset, TensorDataset

import paretonav as pn

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
lightning = pytest.importorskip("pytorch_lightning", exc_type=ImportError)
PAGE = Path(__file__).parents[2] / "docs" / "home.md"


class Net(lightning.LightningModule):  # type: ignore[misc, name-defined]
    def __init__(self, rate: float = 2e-2) -> None:
        super().__init__()
        self.save_hyperparameters()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        outputs = self(batch[0])
        loss = first(outputs, batch) + 3 * second(outputs, batch)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        outputs = self(batch[0])
        self.log("first", first(outputs, batch), batch_size=len(batch[0]))
        self.log("second", second(outputs, batch), batch_size=len(batch[0]))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.hparams.rate, weight_decay=0.03, betas=(0.8, 0.9)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.1, 3),
        }


class Tables(lightning.LightningDataModule):  # type: ignore[misc, name-defined]
    """Divided at random when it is set up, as data modules often are."""

    setups = 0

    def setup(self, stage: str) -> None:
        assert stage == "fit"
        self.setups += 1
        order = torch.randperm(96, generator=torch.Generator().manual_seed(self.setups))
        self.parts = [
            TensorDataset(*(t[part] for t in table(96, 0).tensors)) for part in order.split([56, 40])
        ]

    def train_dataloader(self) -> Any:
        return DataLoader(self.parts[0], batch_size=8, shuffle=True, drop_last=True)

    def val_dataloader(self) -> Any:
        return DataLoader(self.parts[1], batch_size=8)


def trainer(**changes: Any) -> Any:
    settings = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return lightning.Trainer(**settings | changes)


def fitted(module: Any = None, *data: Any, **changes: Any) -> Any:
    module = Net() if module is None else module
    trainer(**changes).fit(module, *(data or (Tables(),)))
    return module


def means(module: nn.Module, data: TensorDataset) -> list[float]:
    with torch.no_grad():
        outputs = module(data.tensors[0])
    return [float(loss(outputs, list(data.tensors))) for loss in LOSSES.values()]


def test_the_lines_on_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").partition("## Lightning\n")[2]
    (lines,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {"trainer": trainer(), "module": Net(), "datamodule": Tables(), "Net": Net}
    exec(lines, names)
    assert names["step"].status in (pn.StepStatus.ACCEPTED, pn.StepStatus.SHORTENED)
    module = Net.load_from_checkpoint("chosen.ckpt")
    found = means(module.eval(), names["datamodule"].parts[1])
    assert found == pytest.approx(list(names["nav"].here.validation.values()), rel=1e-5)


def test_what_a_trainer_has_fitted_is_taken_over() -> None:
    data = Tables()
    module = fitted(None, data)
    logged = module.trainer.callback_metrics
    problem = pn.from_lightning(module, LOSSES, weights={"first": 1.0, "second": 3.0})
    assert problem.model is module
    assert not module.training
    assert data.setups == 1, "it was divided anew"
    assert problem.training_weights.tolist() == [0.25, 0.75]
    assert (problem.examples, problem.batch_size) == (56, 8)
    theta = problem.parameters()
    assert problem.evaluate(theta).mean.tolist() == pytest.approx(means(module, data.parts[0]), rel=1e-5)
    judged = problem.evaluate(theta, "validation").mean.tolist()
    assert judged == pytest.approx(means(module, data.parts[1]), rel=1e-5)
    assert judged == pytest.approx([float(logged["first"]), float(logged["second"])], rel=1e-5)


def test_loaders_that_fit_was_given_are_taken_over() -> None:
    loaders = DataLoader(table(24, 1), batch_size=8), DataLoader(table(40, 2), batch_size=8)
    problem = pn.from_lightning(fitted(None, *loaders), LOSSES)
    assert problem.examples == 24
    assert problem.evaluate(problem.parameters(), "validation").mean.tolist() == pytest.approx(
        means(problem.model, table(40, 2)), rel=1e-5
    )


def test_the_modules_own_loaders_are_taken_over_without_a_trainer() -> None:
    class Own(Net):
        def train_dataloader(self) -> Any:
            return DataLoader(table(24, 1), batch_size=8)

    problem = pn.from_lightning(Own(), LOSSES)
    assert (problem.examples, problem.has_validation) == (24, False)


def test_a_module_from_a_checkpoint_takes_its_data_along(tmp_path: Path) -> None:
    module = fitted()
    module.trainer.save_checkpoint(tmp_path / "net.ckpt")
    loaded = Net.load_from_checkpoint(tmp_path / "net.ckpt")
    data = Tables()
    problem = pn.from_lightning(loaded, LOSSES, data)
    assert data.setups == 1
    assert problem.evaluate(problem.parameters(), "validation").mean.tolist() == pytest.approx(
        means(module.eval(), data.parts[1]), rel=1e-5
    )
    plain = pn.from_lightning(loaded, LOSSES, table(24, 1), validation=table(40, 2))
    assert (plain.examples, plain.has_validation) == (24, True)


@pytest.mark.parametrize("trained", [False, True])
def test_the_optimizer_begins_as_it_did_there(trained: bool) -> None:
    module, data = Net(rate=3e-3), Tables()
    if trained:
        fitted(module, data, max_epochs=3)
        assert module.trainer.optimizers[0].param_groups[0]["lr"] < 1e-3, "its schedule has come to an end"
    problem = pn.from_lightning(module, LOSSES, data)
    assert problem.optimizer is not None
    optimizer = problem.optimizer([torch.zeros(2, requires_grad=True)])
    settings = optimizer.param_groups[0]
    assert type(optimizer) is torch.optim.AdamW
    assert (settings["lr"], settings["betas"], settings["weight_decay"]) == (3e-3, (0.8, 0.9), 0.03)


def test_it_can_be_trained_on() -> None:
    problem = pn.from_lightning(fitted(), LOSSES, weights={"first": 1.0, "second": 3.0})
    before = problem.evaluate(problem.parameters(), "validation").mean
    pn.Navigator(problem).start(train_on=pn.TrainOn(epochs=5, rounds=1))
    after = problem.evaluate(problem.parameters(), "validation").mean
    assert problem.training_weights.to(after) @ (after - before) < 0


def test_mixed_precision_is_taken_over() -> None:
    seen: list[bool] = []

    class Watched(Net):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().forward(x)

    module = fitted(Watched(), precision="bf16-mixed")
    seen.clear()
    problem = pn.from_lightning(module, LOSSES)
    problem.evaluate(problem.parameters())
    assert all(seen)
    assert len(seen) > 3


def test_batches_fit_a_module_in_double_precision() -> None:
    problem = pn.from_lightning(fitted(precision="64-true"), LOSSES)
    assert problem.parameters().dtype is torch.float64
    assert pn.Navigator(problem).start().validation


def test_a_batch_with_names_is_given_by_them() -> None:
    class Named(Net):
        def forward(self, x: Tensor, shift: float = 0.0) -> Tensor:
            out: Tensor = self.net(x) + shift
            return out

    x, y = table(24, 1).tensors
    losses = {name: lambda out, batch, f=loss: f(out, [None, batch["y"]]) for name, loss in LOSSES.items()}
    problem = pn.from_lightning(Named(), losses, StackDataset(x=x, y=y))
    assert problem.evaluate(problem.parameters()).mean.tolist() == pytest.approx(
        means(problem.model, table(24, 1)), rel=1e-5
    )


def test_one_of_several_sets_is_named() -> None:
    class Several(Tables):
        sets: Any = None

        def val_dataloader(self) -> Any:
            return self.sets

    near, far = (DataLoader(table(40, seed), batch_size=8) for seed in (2, 3))
    data = Several()
    for sets, which in (([near, far], 1), ({"near": near, "far": far}, "far"), ([far], None)):
        data.sets = sets
        problem = pn.from_lightning(Net(), LOSSES, data, validation=which)
        assert problem.evaluate(problem.parameters(), "validation").mean.tolist() == pytest.approx(
            means(problem.model, table(40, 3)), rel=1e-5
        )
    data.sets = [near, far]
    with pytest.raises(
        pn.ProblemError, match=r"the datamodule has several sets for validation, 0 and 1; .* validation=0"
    ):
        pn.from_lightning(Net(), LOSSES, data)
    with pytest.raises(
        pn.ProblemError, match="the datamodule has no set 2 for validation: there are 0 and 1"
    ):
        pn.from_lightning(Net(), LOSSES, data, validation=2)


class Silent(lightning.LightningModule):  # type: ignore[misc, name-defined]
    """It has no forward, as many have none, and two optimizers."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 1)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        return first(self.net(batch[0]), batch)

    def configure_optimizers(self) -> Any:
        halves = (
            torch.optim.SGD([p], lr=rate) for p, rate in zip(self.parameters(), (0.1, 0.2), strict=True)
        )
        return list(halves), []


class Normalising(Net):
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return [batch[0] / 2, batch[1]]


class TwoRates(Net):
    def configure_optimizers(self) -> Any:
        layers = (self.net[0], self.net[3])
        groups = [{"params": m.parameters(), "lr": lr} for m, lr in zip(layers, (1e-4, 1e-3), strict=True)]
        return torch.optim.AdamW(groups)


class Scheduled(Net):
    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=1 / self.trainer.estimated_stepping_batches)


def by_net(module: Any, batch: list[Tensor]) -> Tensor:
    out: Tensor = module.net(batch[0])
    return out


@pytest.mark.parametrize(
    ("module", "given", "message", "remedy"),
    [
        (
            Silent,
            {"optimizer": None},
            r"Silent has no forward of its own; .* forward=lambda",
            {"forward": by_net},
        ),
        (
            Silent,
            {"forward": by_net},
            r"Silent has 2 optimizers; .* optimizer=, or None",
            {"optimizer": None},
        ),
        (
            Normalising,
            {},
            "Normalising changes batches in on_after_batch_transfer, .* forward=",
            {"forward": by_net},
        ),
        (TwoRates, {}, "several learning rates, 0.0001 and 0.001, .* give optimizer=", {"optimizer": None}),
        (
            Scheduled,
            {},
            "configure_optimizers failed without a trainer: .* give optimizer=",
            {"optimizer": None},
        ),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(
    module: Any, given: dict[str, Any], message: str, remedy: dict[str, Any]
) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        pn.from_lightning(module(), LOSSES, table(24, 1), **given)
    assert pn.from_lightning(module(), LOSSES, table(24, 1), **given, **remedy).examples == 24


def test_data_are_asked_for() -> None:
    with pytest.raises(pn.ProblemError, match="no data for training; give train="):
        pn.from_lightning(Net(), LOSSES)
    loaders = [DataLoader(table(24, 1))]
    with pytest.raises(
        pn.ProblemError, match="what is given has no single loader for training, but a list; give train="
    ):
        pn.from_lightning(Net(), LOSSES, loaders)
    assert pn.from_lightning(Net(), LOSSES, train=loaders[0]).examples == 24


def test_other_things_are_no_modules() -> None:
    for thing in (None, nn.Linear(4, 1), trainer()):
        with pytest.raises(pn.ProblemError, match="takes a LightningModule, not a"):
            pn.from_lightning(thing, LOSSES)


def test_sharded_modules_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class FSDPStrategy:
        root_device = torch.device("cpu")

    module = fitted()
    monkeypatch.setattr(type(module.trainer), "strategy", FSDPStrategy())
    with pytest.raises(pn.ProblemError, match=r"is sharded \(FSDP\)"):
        pn.from_lightning(module, LOSSES)
