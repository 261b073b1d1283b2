"""Models that were trained in a loop of one's own, with Accelerate."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.trainers.tables import LOSSES, first, second, table
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, StackDataset

import paretonav as pn

accelerate = pytest.importorskip("accelerate")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
PAGE = Path(__file__).parents[2] / "docs" / "home.md"


@pytest.fixture(autouse=True)
def _apart() -> Any:
    """Accelerate keeps its state for all of a process."""
    accelerate.state.AcceleratorState._reset_state(True)
    yield
    accelerate.state.AcceleratorState._reset_state(True)


class Net(nn.Module):
    """It says whether it was run under autocast."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1))
        self.half: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.half.append(torch.is_autocast_enabled("cpu"))
        out: Tensor = self.net(x)
        return out


def trained(precision: str = "no", model: nn.Module | None = None) -> SimpleNamespace:
    """As a loop of one's own leaves it: everything as it was prepared."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        it = SimpleNamespace(accelerator=accelerate.Accelerator(cpu=True, mixed_precision=precision))
        optimizer_of = model = Net() if model is None else model
        optimizer = torch.optim.AdamW(optimizer_of.parameters(), lr=2e-2, weight_decay=0.03, betas=(0.8, 0.9))
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.1, 12)
        loaders = (
            DataLoader(table(48, 1), batch_size=8, shuffle=True, drop_last=True),
            DataLoader(table(40, 2), batch_size=8),
        )
        it.model, it.optimizer, it.train, it.validation, it.schedule = it.accelerator.prepare(
            model, optimizer, *loaders, schedule
        )
        for _ in range(2):
            for batch in it.train:
                outputs = it.model(batch[0])
                it.optimizer.zero_grad()
                it.accelerator.backward(first(outputs, batch) + second(outputs, batch))
                it.optimizer.step()
                it.schedule.step()
    return it


def means(model: nn.Module, count: int, seed: int) -> list[float]:
    x, y = table(count, seed).tensors
    with torch.no_grad():
        outputs = model(x)
    return [float(loss(outputs, [x, y])) for loss in LOSSES.values()]


def test_the_lines_on_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").partition("## Accelerate\n")[2]
    (lines,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    it = trained()
    names = {
        "accelerator": it.accelerator,
        "model": it.model,
        "train_loader": it.train,
        "validation_loader": it.validation,
    }
    exec(lines, names)
    assert names["step"].status in (pn.StepStatus.ACCEPTED, pn.StepStatus.SHORTENED)
    safetensors = pytest.importorskip("safetensors.torch")
    model = Net().eval()
    model.load_state_dict(safetensors.load_file("chosen.safetensors"))
    assert means(model, 40, 2) == pytest.approx(list(names["nav"].here.validation.values()), rel=1e-5)


def test_model_data_and_optimizer_are_taken_over() -> None:
    it = trained()
    assert it.optimizer.param_groups[0]["lr"] < 1e-2, "its schedule has come to an end"
    problem = pn.from_accelerate(
        it.accelerator, it.model, LOSSES, it.train, it.validation, test=it.validation
    )
    assert not problem.model.training
    assert (problem.examples, problem.batch_size) == (48, 8)
    theta = problem.parameters()
    assert problem.evaluate(theta).mean.tolist() == pytest.approx(means(problem.model, 48, 1), rel=1e-5)
    for split in ("validation", "test"):
        found = problem.evaluate(theta, split)  # type: ignore[arg-type]
        assert found.mean.tolist() == pytest.approx(means(problem.model, 40, 2), rel=1e-5)
        assert len(found.fractions) == 12, (
            "loaders that Accelerate has prepared are divided as plain ones are"
        )
    assert problem.optimizer is not None
    optimizer = problem.optimizer([torch.zeros(2, requires_grad=True)])
    settings = optimizer.param_groups[0]
    assert type(optimizer) is torch.optim.AdamW
    assert (settings["lr"], settings["betas"], settings["weight_decay"]) == (2e-2, (0.8, 0.9), 0.03)


def test_each_pass_has_the_precision_that_it_should() -> None:
    it = trained("bf16")
    assert all(it.model.half)
    problem = pn.from_accelerate(it.accelerator, it.model, LOSSES, it.train, it.validation)
    it.model.half.clear()
    problem.evaluate(problem.parameters())
    assert all(it.model.half)
    assert len(it.model.half) > 3
    pn.Navigator(problem).start()
    assert not all(it.model.half), "curvature is computed in full"


def test_loaders_of_one_of_several_processes_are_read_whole() -> None:
    """Prepared for the second of two, which trains on every second batch."""
    it = trained()
    plain = DataLoader(table(40, 2), batch_size=8)
    part = accelerate.data_loader.prepare_data_loader(
        plain, num_processes=2, process_index=1, put_on_device=False
    )
    assert type(part.base_dataloader.batch_sampler).__name__ == "BatchSamplerShard"
    problem = pn.from_accelerate(it.accelerator, it.model, LOSSES, part)
    assert type(problem.data["train"].loader.batch_sampler) is BatchSampler
    assert problem.evaluate(problem.parameters()).mean.tolist() == pytest.approx(
        means(problem.model, 40, 2), rel=1e-5
    )


def test_streams_are_read_as_they_come() -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter(zip(*table(24, 1).tensors, strict=True))

    it = trained()
    stream = it.accelerator.prepare(DataLoader(Stream(), batch_size=8))
    part = accelerate.data_loader.prepare_data_loader(
        DataLoader(Stream(), batch_size=8),
        num_processes=2,
        process_index=1,
        put_on_device=False,
        dispatch_batches=False,
    )
    for loader in (stream, part):
        problem = pn.from_accelerate(it.accelerator, it.model, LOSSES, loader)
        assert problem.evaluate(problem.parameters()).mean.tolist() == pytest.approx(
            means(problem.model, 24, 1), rel=1e-5
        )


def test_data_and_optimizers_that_were_never_prepared_do_as_well() -> None:
    accelerator = accelerate.Accelerator(cpu=True)
    model = Net()
    plain = pn.from_accelerate(accelerator, model, LOSSES, table(24, 1), table(40, 2))
    assert (plain.examples, plain.optimizer) == (24, None)
    used = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)
    given = pn.from_accelerate(accelerator, model, LOSSES, table(24, 1), optimizer=used)
    assert given.optimizer is not None
    settings = given.optimizer([torch.zeros(2, requires_grad=True)]).param_groups[0]
    assert (settings["lr"], settings["momentum"]) == (0.1, 0.8)


def test_batches_with_names_are_given_by_them() -> None:
    x, y = table(24, 1).tensors
    losses = {
        name: lambda out, batch, f=loss: f(out, [None, batch["labels"]]) for name, loss in LOSSES.items()
    }
    problem = pn.from_accelerate(accelerate.Accelerator(cpu=True), Net(), losses, StackDataset(x=x, labels=y))
    assert problem.evaluate(problem.parameters()).mean.tolist() == pytest.approx(
        means(problem.model, 24, 1), rel=1e-5
    )


def test_which_of_several_optimizers_is_asked_for() -> None:
    it = trained()
    it.accelerator.prepare(torch.optim.SGD(it.model.parameters(), lr=0.1))
    with pytest.raises(pn.ProblemError, match=r"2 optimizers were prepared; say which one .* optimizer="):
        pn.from_accelerate(it.accelerator, it.model, LOSSES, it.train)
    problem = pn.from_accelerate(it.accelerator, it.model, LOSSES, it.train, optimizer=it.optimizer)
    assert problem.optimizer is not None
    assert problem.optimizer([torch.zeros(2, requires_grad=True)]).param_groups[0]["lr"] == 2e-2


def test_what_cannot_be_steered_is_refused() -> None:
    it = trained()
    for given in ((it.model, it.model), (it.accelerator, None), (None, it.model)):
        with pytest.raises(pn.ProblemError, match=r"takes an accelerate\.Accelerator and a model, not a"):
            pn.from_accelerate(*given, LOSSES, it.train)
    sharding = SimpleNamespace(distributed_type="DEEPSPEED", unwrap_model=it.accelerator.unwrap_model)
    with pytest.raises(pn.ProblemError, match=r"is sharded \(DeepSpeed\)"):
        pn.from_accelerate(sharding, it.model, LOSSES, it.train)
    with pytest.raises(pn.ProblemError, match="no data for training; give train="):
        pn.from_accelerate(it.accelerator, it.model, LOSSES, None)
