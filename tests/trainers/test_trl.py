"""Language models that TRL has trained: its trainers are Trainers, with data and collators of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import paretonav as pn

transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")
tokenizers = pytest.importorskip("tokenizers")
trl = pytest.importorskip("trl")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.slow,
]
PAGE = Path(__file__).parents[2] / "docs" / "home.md"
WORDS = [
    "<pad>",
    "<eos>",
    "<unk>",
    *["the", "a", "cat", "dog", "sat", "ran", "on", "in", "mat", "fog", "red", "blue"],
]
SETTINGS: dict[str, Any] = {
    "per_device_train_batch_size": 8,
    "num_train_epochs": 1,
    "learning_rate": 1e-2,
    "report_to": [],
    "use_cpu": True,
    "bf16": False,
    "disable_tqdm": True,
    "save_strategy": "no",
}


def tokenizer() -> Any:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def llama() -> nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = transformers.LlamaForCausalLM(config)
    return model


def texts(count: int, seed: int) -> list[str]:
    """Formal ones count their words up, every other one counts them down."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 6, (count,), generator=generator).tolist()
    starts = torch.randint(8, 10, (count,), generator=generator).tolist()
    ways = [1 - 2 * (i % 2) for i in range(count)]
    return [
        " ".join(WORDS[start + way * i] for i in range(length))
        for start, way, length in zip(starts, ways, lengths, strict=True)
    ]


def rows(count: int, seed: int) -> Any:
    return datasets.Dataset.from_dict(
        {"text": texts(count, seed), "formal": [1 - i % 2 for i in range(count)]}
    )


def pairs(count: int, seed: int) -> Any:
    parts = {name: texts(count, seed + i) for i, name in enumerate(("prompt", "chosen", "rejected"))}
    return datasets.Dataset.from_dict(parts)


def tuned(folder: Path) -> Any:
    trainer = trl.SFTTrainer(
        llama(),
        trl.SFTConfig(str(folder), **SETTINGS),
        train_dataset=rows(48, 0),
        eval_dataset=rows(40, 1),
        processing_class=tokenizer(),
    )
    trainer.train()
    return trainer


def nll(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Of each text, the mean over its tokens."""
    labels = batch["labels"][:, 1:]
    each = nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels, reduction="none", ignore_index=-100
    )
    return each.sum(1) / (labels != -100).sum(1)


def test_the_lines_on_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").partition("## TRL\n")[2]
    (lines,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {"trainer": tuned(tmp_path / "run")}
    exec(lines, names)
    assert names["nav"].here.id == 0
    assert set(names["nav"].here.validation) == {"formal", "casual"}


def test_columns_that_the_collator_drops_reach_the_losses(tmp_path: Path) -> None:
    trainer = tuned(tmp_path)
    seen = set()

    def formal(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        seen.update(batch)
        return (nll(logits, batch) * batch["formal"]).mean()

    losses = {"formal": formal, "all": lambda logits, batch: nll(logits, batch).mean()}
    problem = pn.from_trainer(trainer, losses)
    assert seen == {"input_ids", "attention_mask", "labels", "formal"}
    found = problem.evaluate(problem.parameters(), "validation").mean
    each = []
    for row in trainer.eval_dataset:
        batch = {name: torch.tensor([row[name]]) for name in ("input_ids", "labels")}
        with torch.no_grad():
            each.append(float(nll(trainer.model(input_ids=batch["input_ids"]).logits, batch)))
    chosen = [value for value, row in zip(each, rows(40, 1), strict=True) if row["formal"]]
    assert float(found[1]) == pytest.approx(sum(each) / len(each), rel=1e-4)
    assert float(found[0]) == pytest.approx(sum(chosen) / len(each), rel=1e-4)


def test_adapters_are_steered_alone(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    trainer = trl.SFTTrainer(
        llama(),
        trl.SFTConfig(str(tmp_path), **SETTINGS),
        train_dataset=rows(48, 0),
        eval_dataset=rows(40, 1),
        processing_class=tokenizer(),
        peft_config=peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    )
    trainer.train()
    losses = {
        name: lambda logits, batch, kind=kind: (nll(logits, batch) * (batch["formal"] == kind)).mean()
        for kind, name in enumerate(("casual", "formal"))
    }
    problem = pn.from_trainer(trainer, losses)
    assert all("lora_" in name for name in problem.steered)
    assert pn.Navigator(problem).start().validation


def test_preferences_are_traded_where_the_reference_is_in_the_data(tmp_path: Path) -> None:
    trainer = trl.DPOTrainer(
        llama(),
        args=trl.DPOConfig(str(tmp_path), precompute_ref_log_probs=True, **SETTINGS),
        train_dataset=pairs(48, 0),
        eval_dataset=pairs(40, 10),
        processing_class=tokenizer(),
    )
    trainer.train()

    def of_pairs(logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The log probabilities of the answers, and their lengths, [pairs, (chosen, rejected)]."""
        tokens, counts = batch["input_ids"][:, 1:], batch["completion_mask"][:, 1:]
        each = logits[:, :-1].log_softmax(-1).gather(2, tokens[:, :, None])[:, :, 0]
        return torch.stack((each * counts).sum(1).chunk(2), 1), torch.stack(counts.sum(1).chunk(2), 1)

    def preferred(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        gains = of_pairs(logits, batch)[0] - torch.stack(
            [batch["ref_chosen_logps"], batch["ref_rejected_logps"]], 1
        )
        return -nn.functional.logsigmoid(0.1 * (gains[:, 0] - gains[:, 1])).mean()

    def likely(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        logps, lengths = of_pairs(logits, batch)
        return -(logps / lengths)[:, 0].mean()

    problem = pn.from_trainer(trainer, {"preferred": preferred, "likely": likely})
    assert problem.examples == 48
    found = problem.evaluate(problem.parameters(), "validation").mean
    assert float(found[0]) == pytest.approx(trainer.evaluate()["eval_loss"], rel=1e-4)
    assert pn.Navigator(problem).start().validation
