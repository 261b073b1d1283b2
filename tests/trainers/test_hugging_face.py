"""Models that a Trainer of Hugging Face has trained."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

import paretonav as pn

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
PAGE = Path(__file__).parents[2] / "docs" / "home.md"


def item(i: int) -> dict[str, Any]:
    tokens = torch.randint(0, 20, (5,), generator=torch.Generator().manual_seed(i))
    return {"input_ids": tokens, "labels": int(tokens[0] % 2), "tone": float(tokens[1] > 9)}


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=8,
        num_labels=3,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = transformers.BertForSequenceClassification(config)
    return model


def kind(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    return nn.functional.cross_entropy(logits[:, :2], batch["labels"])


def tone(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    return nn.functional.mse_loss(logits[:, 2], batch["tone"])


LOSSES = {"kind": kind, "tone": tone}


class Both(transformers.Trainer):  # type: ignore[misc]
    """As somebody writes it who has two losses."""

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False, **_: Any
    ) -> Any:
        outputs = model(input_ids=inputs["input_ids"])
        loss = kind(outputs.logits, inputs) + tone(outputs.logits, inputs)
        return (loss, outputs) if return_outputs else loss


def trainer_in(folder: Path, model: nn.Module | None = None, **changes: Any) -> Any:
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 8,
        "learning_rate": 2e-3,
        "weight_decay": 0.03,
        "num_train_epochs": 2,
        "remove_unused_columns": False,
    }
    given: dict[str, Any] = {
        "train_dataset": [item(i) for i in range(48)],
        "eval_dataset": [item(i) for i in range(100, 140)],
    }
    settings |= {name: value for name, value in changes.items() if name not in given}
    given |= {name: value for name, value in changes.items() if name in given}
    arguments = transformers.TrainingArguments(
        str(folder), report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no", **settings
    )
    return Both(bert() if model is None else model, arguments, **given)


def test_the_lines_on_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").partition("## Trainer\n")[2]
    (lines,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {"trainer": trainer_in(tmp_path / "run")}
    exec(lines, names)
    assert names["step"].status in (pn.StepStatus.ACCEPTED, pn.StepStatus.SHORTENED)
    loaded = transformers.AutoModelForSequenceClassification.from_pretrained("chosen").eval()
    data = transformers.default_data_collator([item(i) for i in range(48)])
    with torch.no_grad():
        logits = loaded(input_ids=data["input_ids"]).logits
    for name, loss in LOSSES.items():
        assert float(loss(logits, data)) == pytest.approx(names["nav"].here.losses[name], rel=1e-5)


def test_losses_and_data_are_those_of_the_trainer(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path)
    trainer.train()
    problem = pn.from_trainer(trainer, LOSSES, weights={"kind": 1.0, "tone": 3.0})
    assert problem.model is trainer.model
    assert not problem.model.training
    assert problem.training_weights.tolist() == [0.25, 0.75]
    theta = problem.parameters()
    for split, numbers in (("train", range(48)), ("validation", range(100, 140))):
        data = transformers.default_data_collator([item(i) for i in numbers])
        with torch.no_grad():
            logits = trainer.model(input_ids=data["input_ids"]).logits
        expected = [float(loss(logits, data)) for loss in LOSSES.values()]
        assert problem.evaluate(theta, split).mean.tolist() == pytest.approx(expected, rel=1e-5)  # type: ignore[arg-type]
    assert problem.examples == 48
    assert problem.batch_size == 8
    summed = trainer.evaluate()["eval_loss"]
    assert float(problem.evaluate(theta, "validation").mean.sum()) == pytest.approx(summed, rel=1e-4)


@pytest.mark.parametrize("trained", [False, True])
def test_the_optimizer_begins_as_the_trainers_did(tmp_path: Path, trained: bool) -> None:
    trainer = trainer_in(tmp_path, optim="adamw_torch", adam_beta2=0.9)
    if trained:
        trainer.train()
        assert trainer.optimizer.param_groups[0]["lr"] < 2e-4, "its schedule has come to an end"
    problem = pn.from_trainer(trainer, LOSSES)
    assert problem.optimizer is not None
    optimizer = problem.optimizer([torch.zeros(2, requires_grad=True)])
    assert type(optimizer) is torch.optim.AdamW
    settings = optimizer.param_groups[0]
    assert (settings["lr"], settings["betas"], settings["weight_decay"]) == (2e-3, (0.9, 0.9), 0.03)


def test_an_optimizer_of_ones_own_is_taken_over(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path)
    trainer.optimizer = torch.optim.SGD(trainer.model.parameters(), 0.1, momentum=0.8, nesterov=True)
    optimizer = pn.from_trainer(trainer, LOSSES).optimizer([torch.zeros(2, requires_grad=True)])  # type: ignore[misc]
    settings = optimizer.param_groups[0]
    assert type(optimizer) is torch.optim.SGD
    assert (settings["lr"], settings["momentum"], settings["nesterov"]) == (0.1, 0.8, True)


def test_it_can_be_trained_on(tmp_path: Path) -> None:
    problem = pn.from_trainer(trainer_in(tmp_path), LOSSES)
    before = problem.evaluate(problem.parameters(), "validation").mean.sum()
    nav = pn.Navigator(problem)
    nav.start(train_on=pn.TrainOn(learning_rate_factor=1, batch_size=8, epochs=3))
    assert problem.evaluate(problem.parameters(), "validation").mean.sum() < before


def test_adapters_are_steered_alone(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(bert(), peft.LoraConfig(r=2, target_modules=["query"], task_type="SEQ_CLS"))
    problem = pn.from_trainer(trainer_in(tmp_path, model), LOSSES)
    assert all("lora_" in name or "classifier" in name for name in problem.steered)


def test_what_is_given_comes_first(tmp_path: Path) -> None:
    given = [item(i) for i in range(200, 236)]
    problem = pn.from_trainer(
        trainer_in(tmp_path, eval_dataset={"near": given, "far": given}),
        LOSSES,
        validation="far",
        parameters="classifier.*",
        forward=lambda model, batch: 2 * model(input_ids=batch["input_ids"]).logits,
    )
    assert problem.steered == ("classifier.weight", "classifier.bias")
    data = transformers.default_data_collator(given)
    with torch.no_grad():
        logits = 2 * problem.model(input_ids=data["input_ids"]).logits
    found = problem.evaluate(problem.parameters(), "validation").mean
    assert float(found[0]) == pytest.approx(float(kind(logits, data)), rel=1e-5)


def test_other_data_are_read_as_the_trainers_are(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path, train_dataset=None, eval_dataset=None)
    sets = {
        split: [item(i) for i in range(start, start + 40)]
        for start, split in ((0, "validation"), (50, "test"))
    }
    problem = pn.from_trainer(trainer, LOSSES, train=[item(i) for i in range(16)], **sets)
    for split, items in sets.items():
        data = transformers.default_data_collator(items)
        with torch.no_grad():
            logits = problem.model(input_ids=data["input_ids"]).logits
        found = problem.evaluate(problem.parameters(), split).mean  # type: ignore[arg-type]
        assert float(found[0]) == pytest.approx(float(kind(logits, data)), rel=1e-5)
    assert problem.examples == 16


def test_bfloat16_is_taken_over_but_for_curvature(tmp_path: Path) -> None:
    model, half = bert(), []
    model.bert.register_forward_pre_hook(lambda *_: half.append(torch.is_autocast_enabled("cpu")))  # type: ignore[operator, union-attr]
    trainer = trainer_in(tmp_path, model, bf16=True)
    trainer.train()
    problem = pn.from_trainer(trainer, LOSSES)
    half.clear()
    problem.evaluate(problem.parameters())
    assert all(half)
    assert len(half) > 3
    pn.Navigator(problem).start()
    assert not all(half)


def test_a_stream_is_read_as_it_comes(tmp_path: Path) -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter([item(i) for i in range(24)])

    trainer = trainer_in(tmp_path, train_dataset=Stream(), max_steps=2)
    assert pn.from_trainer(trainer, LOSSES).examples == 24


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"train_dataset": None}, {}, "no train_dataset; give train="),
        (
            {"eval_dataset": {"near": [item(0)], "far": [item(1)]}},
            {},
            "several sets for validation, 'near' and 'far'; say by which one .*validation='near'",
        ),
        ({}, {"validation": "far"}, "no set 'far' for validation: it has no named ones"),
        (
            {"eval_dataset": {"near": [item(0)], "far": [item(1)]}},
            {"validation": "there"},
            "no set 'there' for validation: there are 'near' and 'far'",
        ),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(
    tmp_path: Path, changes: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        pn.from_trainer(trainer_in(tmp_path, **changes), LOSSES, **arguments)


def test_a_model_without_logits_needs_a_forward(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path, transformers.BertModel(bert().config))
    with pytest.raises(
        pn.ProblemError, match=r"without logits; say what the losses are to get with forward="
    ):
        pn.from_trainer(trainer, LOSSES)


def test_other_things_are_no_trainers(tmp_path: Path) -> None:
    for thing in (None, bert(), SimpleNamespace(model=bert())):
        with pytest.raises(pn.ProblemError, match=r"takes a transformers\.Trainer with its model, not a"):
            pn.from_trainer(thing, LOSSES)
    trainer = trainer_in(tmp_path)
    trainer.is_fsdp_enabled = True
    with pytest.raises(pn.ProblemError, match="is sharded"):
        pn.from_trainer(trainer, LOSSES)
