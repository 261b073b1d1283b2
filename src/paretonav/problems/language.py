"""Two kinds of text for one small language model, which adapters steer between."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from paretonav.errors import ProblemError
from paretonav.objectives import ModelProblem
from paretonav.objectives.data import Batch
from paretonav.problems import code_and_prose, small_language_model, sources
from paretonav.problems.code_and_prose import KINDS, Windows
from paretonav.problems.known import check_integer, check_sizes
from paretonav.problems.sentence_encoder import Attention, require
from paretonav.problems.trained import seeded

LEARNING_RATE = 2e-3
Vocabulary = Literal["occurring", "whole"]
_BATCH = 16


def language(
    *,
    rank: int = 1,
    layers: int = 2,
    train_size: int = 192,
    validation_size: int = 96,
    test_size: int = 192,
    length: int = 32,
    vocabulary: Vocabulary = "occurring",
    weights: Mapping[str, float] | None = None,
    attention: Attention = "sdpa",
    folder: sources.Folder = None,
    seed: int = 0,
) -> ModelProblem:
    """Predict the next token of Python's source code, and that of English prose.

    The model is SmolLM2-135M-Instruct (134.5 million parameters, 30 layers; Allal et al., arXiv 2502.02737), read
    from a file with weights of four bits and computed in float32, with LoRA adapters on queries and values of its last
    layers. They begin as the model without them: this is the pretrained model as it is, to be adapted by
    ``nav.start(train_on=pn.TrainOn(learning_rate_factor=1, batch_size=8))`` or by a training loop of one's own, and
    steered from there.

    The text comes with every Python: modules of its standard library, and the reference of the language that ``help``
    shows. They differ between versions of Python. An example is a window of each, cut out somewhere. From the first few
    tokens of a window nobody can tell which of the two it is, and the adapters are of low rank: so what is learnt for
    one is paid for by the other.

    Losses: the mean cross-entropy of a token of either, in nats. Batches have ``tokens``, what is to come after each
    but the last as ``following`` and, computed once, ``states``, what enters the first layer with an adapter, each by
    kind of text, and ``texts``, the number of the pair of texts that a window is from. Validation and test data are of
    other texts than the training data, and standard errors are those between pairs.

    Of the model's 49,152 tokens a quarter occurs in the texts. Only these can follow here: a vocabulary that is trimmed
    to what a model is used for (Ushio et al., arXiv 2305.15020). With all of them an epoch takes twice the time and
    four times the memory, and losses are a little higher.

    A curvature sample of a few windows is enough, and others take long: ``Navigator(problem,
    geometry=Geometry(samples=8))``.

    Args:
        rank: of each adapter.
        layers: how many of the last layers have adapters.
        train_size: examples to train on.
        validation_size: examples to validate on.
        test_size: examples to test on.
        length: tokens of each window.
        vocabulary: the tokens that can follow: those "occurring" in the texts, or the "whole" of the model's.
        weights: of the losses in the sum that the adapters are trained on, by kind of text; equal by default, and 0 for
            what they are not trained on.
        attention: of transformers: "sdpa" or "eager".
        folder: where the local copy of the model is; see ``paretonav.problems.sources``.
        seed: of the adapters' first weights, the choice of windows and the curvature sample.

    Raises:
        ProblemError: the model is not there (the message says how to get it) or damaged, or an argument is not
            possible.
        MissingExtraError: a library of the extra "text" is not installed.
    """
    check_sizes(
        rank=rank,
        layers=layers,
        train_size=train_size,
        validation_size=validation_size,
        test_size=test_size,
    )
    check_integer("length", length, 2, why="there must be a token to predict, and one to predict it from")
    if vocabulary not in ("occurring", "whole"):
        raise ProblemError(f"vocabulary={vocabulary!r} is not possible; give 'occurring' or 'whole'")
    if attention not in ("sdpa", "eager"):
        raise ProblemError(f"attention={attention!r} is not possible; give 'sdpa' or 'eager'")
    for library in ("transformers", "peft", "gguf"):
        require(library, "a problem on language")
    (file,) = sources.files(
        "SmolLM2",
        [small_language_model.FILE],
        folder,
        small_language_model.download,
        small_language_model.SOURCE,
    )
    base, tokenize = small_language_model.load(file, attention)
    sizes = {"train": train_size, "validation": validation_size, "test": test_size}
    texts, tokenize = code_and_prose.texts(), cache(tokenize)  # all texts are read twice
    data = code_and_prose.windows(texts, tokenize, length, sizes, torch.Generator().manual_seed(seed))
    possible = code_and_prose.occurring(texts, tokenize) if vocabulary == "occurring" else None
    first = max(0, int(base.config.num_hidden_layers) - layers)  # type: ignore[union-attr, arg-type]
    # Nothing that is steered is below, so that what it computes is computed once.
    loaders = {split: _loader(base, part, first, possible) for split, part in data.items()}
    model = seeded(lambda: small_language_model.adapted(base, layers, rank), seed)
    return ModelProblem(
        model,
        {kind: _CrossEntropy(kind) for kind in KINDS},
        loaders["train"],
        loaders["validation"],
        test=loaders["test"],
        forward=_Logits(first, possible),
        optimizer=_adam,
        weights=weights,
        groups={split: data[split].texts.tolist() for split in ("validation", "test")},
        seed=seed,
    )


class _Logits:
    """Kind of text -> logits [batch, length - 1, vocabulary]."""

    def __init__(self, first: int, vocabulary: Tensor | None) -> None:
        self._first, self._vocabulary = first, vocabulary

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {
            kind: small_language_model.upper(model, states, self._first, self._vocabulary)
            for kind, states in batch["states"].items()
        }


class _CrossEntropy:
    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, logits: Mapping[str, Tensor], batch: Batch) -> Tensor:
        following: Tensor = batch["following"][self._kind]
        return nn.functional.cross_entropy(logits[self._kind].flatten(0, 1), following.flatten())


def _loader(
    model: nn.Module, windows: Windows, first: int, vocabulary: Tensor | None
) -> DataLoader[dict[str, Any]]:
    states = {
        kind: torch.cat(
            [small_language_model.lower(model, part, first) for part in torch.split(tokens, _BATCH)]
        )
        for kind, tokens in windows.tokens.items()
    }
    following = {kind: tokens[:, 1:] for kind, tokens in windows.tokens.items()}
    if vocabulary is not None:  # where each is in it
        following = {
            kind: torch.searchsorted(vocabulary, tokens.contiguous()) for kind, tokens in following.items()
        }
    all_of = {"tokens": windows.tokens, "following": following, "states": states}
    examples = [
        {
            "texts": pair,
            **{what: {kind: values[i] for kind, values in of.items()} for what, of in all_of.items()},
        }
        for i, pair in enumerate(windows.texts)
    ]
    return DataLoader(examples, batch_size=_BATCH)  # type: ignore[arg-type]


def _adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, LEARNING_RATE)
