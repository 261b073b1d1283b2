"""A pretrained sentence encoder with two heads, from local files alone."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor, nn

from paretonav.errors import needing, reason_of
from paretonav.problems import sources

FOLDER = "all-MiniLM-L6-v2"
FILES = tuple(f"{FOLDER}/{name}" for name in ("config.json", "model.safetensors", "tokenizer.json"))
SOURCE = "the Hugging Face hub, sentence-transformers/all-MiniLM-L6-v2"

Attention = Literal["sdpa", "eager"]


class SentenceNet(nn.Module):
    """Tokens -> encoder -> their mean, scaled to unit features -> a narrow trunk -> one head per task.

    Args:
        encoder: a Hugging Face encoder.
        trunk: the units that both tasks share.
        classes: task -> how many classes it has.
    """

    def __init__(self, encoder: nn.Module, trunk: int, classes: dict[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.trunk = nn.Linear(encoder.config.hidden_size, trunk)  # type: ignore[union-attr, arg-type]
        self.heads = nn.ModuleDict({task: nn.Linear(trunk, count) for task, count in classes.items()})

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, states: Tensor | None = None, first: int = 0
    ) -> dict[str, Tensor]:
        """Both [batch, length] -> task -> logits [batch, classes].

        If the ``states`` [batch, length, features] that enter layer number ``first`` are known, what is below is not
        computed again.
        """
        if states is None:
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        else:
            states = self._upper(states, attention_mask, first)
        # Sums over the tokens that are not padding; the length of the vector says nothing, as it was pretrained.
        embedding = nn.functional.normalize((states * attention_mask[..., None]).sum(1), dim=1)
        shared = self.trunk(embedding * math.sqrt(embedding.shape[1]))
        return {task: head(shared) for task, head in self.heads.items()}

    def states(self, input_ids: Tensor, attention_mask: Tensor, first: int) -> Tensor:
        """What enters layer number ``first`` (their number: what leaves the last), [batch, length, features]."""
        with torch.no_grad():
            outputs = self.encoder(
                input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
            )
        states: Tensor = outputs.hidden_states[first]
        return states

    def _upper(self, states: Tensor, attention_mask: Tensor, first: int) -> Tensor:
        lowest = torch.finfo(states.dtype).min
        mask = (1 - attention_mask.to(states))[:, None, None, :] * lowest  # added to the scores
        for layer in self.encoder.encoder.layer[first:]:  # type: ignore[union-attr, index]
            output = layer(states, mask)
            states = output[0] if isinstance(output, tuple) else output  # depends on transformers' version
        return states


def load_encoder(paths: Sequence[Path], attention: Attention) -> nn.Module:
    """The encoder with its pretrained weights, without the pooler, which mean pooling does not use.

    Args:
        paths: of the local copies of ``FILES``.
        attention: the implementation that transformers is to use.

    Raises:
        MissingExtraError: transformers is not installed.
        ProblemError: a file is damaged.
    """
    transformers = require("transformers")
    try:
        config = transformers.AutoConfig.from_pretrained(paths[0].parent, local_files_only=True)
        weights = safetensors.torch.load_file(paths[1])
        encoder: nn.Module = transformers.AutoModel.from_config(
            config, attn_implementation=attention, add_pooling_layer=False
        )
        # Old files also hold the pooler and the positions' numbers, which are no weights.
        known = encoder.state_dict()
        encoder.load_state_dict({name: value for name, value in weights.items() if name in known})
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise sources.damaged(
            paths[1].parent, f"holds no encoder that fits together ({reason_of(error)})"
        ) from error
    return encoder


def add_adapters(encoder: nn.Module, layers: int, rank: int) -> None:
    """Put LoRA adapters on queries and values of the last ``layers`` layers and freeze everything else.

    Source: Hu et al., "LoRA: low-rank adaptation of large language models", ICLR 2022.

    Raises:
        MissingExtraError: peft is not installed.
    """
    peft = require("peft")
    total: Any = encoder.config.num_hidden_layers  # type: ignore[union-attr]
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=4 * rank,
        lora_dropout=0.0,
        target_modules=["query", "value"],
        layers_to_transform=list(range(max(0, total - layers), total)),
        layers_pattern="layer",
    )
    peft.inject_adapter_in_model(config, encoder)


def tokenize(path: Path, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """The tokens of each text, at most ``max_length``.

    Raises:
        ProblemError: the tokenizers library is not installed, or the file is damaged.
    """
    tokenizers = require("tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more special
        raise sources.damaged(path, f"is no tokenizer ({error})") from error
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def download(folder: Path) -> None:
    """Write the encoder's files from the hub."""
    hub = require("huggingface_hub")
    for name in FILES:
        repository = f"sentence-transformers/{FOLDER}"
        hub.hf_hub_download(repository, name.removeprefix(f"{FOLDER}/"), local_dir=folder / FOLDER)


def require(name: str, what: str = "a problem on sentences") -> Any:
    """Import a library of the extra "text".

    Args:
        name: of the library.
        what: needs it, for people.

    Raises:
        MissingExtraError: it is not installed.
    """
    with needing("text", what):
        return importlib.import_module(name)
