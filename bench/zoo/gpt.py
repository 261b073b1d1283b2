"""A two-layer GPT-2 on characters of two kinds, code and prose: all of it, and by adapters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo.case import Batch, Case, Split
from zoo.text import ALPHABET, CODE, LENGTH, PROSE, windows
from zoo.training import Task, adamw, trained

_COUNTS: dict[Split, int] = {"train": 5000, "validation": 1200, "test": 2000}


def full(seed: int) -> Case:
    """All parameters, from fresh ones, by AdamW."""
    return trained(
        "gpt", _model(seed), _task(seed, CODE, PROSE), optimizer=adamw, batch_size=32, epochs=3, seed=seed
    )


def lora(seed: int) -> Case:
    """A model of prose, which adapters teach code without letting it forget."""
    from peft import LoraConfig, get_peft_model

    model = _model(seed)
    trained("gpt, of prose", model, _task(seed, PROSE), optimizer=adamw, batch_size=32, epochs=2, seed=seed)
    adapters = LoraConfig(r=4, target_modules=["c_attn"], lora_dropout=0.05, fan_in_fan_out=True)
    adapted: nn.Module = get_peft_model(model, adapters)
    task = _task(seed, CODE, PROSE, parameters="*lora_*")
    return trained("gpt-lora", adapted, task, optimizer=adamw, batch_size=32, epochs=2, seed=seed)


def _model(seed: int) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    model: nn.Module = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=ALPHABET,
            n_positions=LENGTH,
            n_embd=48,
            n_layer=2,
            n_head=4,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    return model


def _task(seed: int, *kinds: int, parameters: str | None = None) -> Task:
    """Each kind's loss is over its own windows alone, which are half of all."""
    made = windows(seed, _COUNTS)
    names = {CODE: "code", PROSE: "prose"}
    return Task(
        {names[kind]: _Loss(kind) for kind in kinds},
        made["train"][0],
        made["validation"][0],
        made["test"][0],
        forward=lambda model, batch: model(input_ids=batch[0]).logits,
        groups={"validation": made["validation"][1], "test": made["test"][1]},
        parameters=parameters,
    )


class _Loss:
    """Cross-entropy of the next character, twice the mean over all windows of what is in those of one kind."""

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def __call__(self, outputs: Any, batch: Batch) -> Tensor:
        each = nn.functional.cross_entropy(
            outputs[:, :-1].transpose(1, 2), batch[0][:, 1:], reduction="none"
        ).mean(1)
        return 2 * (each * (batch[1] == self.kind)).mean()
