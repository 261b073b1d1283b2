"""Two questions about one sentence: a pretrained transformer, steered through low-rank adapters."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives import Metric
from paretonav.objectives.data import Batch
from paretonav.problems import rated_sentences, sentence_encoder, sources
from paretonav.problems.known import check_integer, check_sizes
from paretonav.problems.sentence_encoder import Attention, SentenceNet
from paretonav.problems.trained import TrainedProblem, seeded

TASKS = {"sentiment": 3, "source": len(rated_sentences.KINDS)}
"""Task -> how many classes it has."""

Steered = Literal["adapters", "heads", "all"]
# What is steered, the weight decay and the highest learning rate of each. Weight decay pulls towards zero, which is far
# from where a pretrained encoder is; so if all of it is steered there can only be a little.
_STEERED: dict[str, tuple[list[str] | None, float, float]] = {
    "adapters": (None, 0.1, 5e-3),
    "heads": (["trunk.*", "heads.*"], 0.1, 5e-3),
    "all": (["*"], 1e-6, 1e-4),
}


def sentences(
    *,
    parameters: Steered = "adapters",
    trunk: int = 4,
    rank: int = 2,
    layers: int = 1,
    train_size: int = 800,
    validation_size: int = 400,
    max_length: int = 32,
    weight_decay: float | None = None,
    epochs: int = 25,
    attention: Attention = "sdpa",
    folder: sources.Folder = None,
    seed: int = 0,
) -> TrainedProblem:
    """Say whether a sentence is negative, neutral or positive, and what kind of text it is from.

    The 23,703 sentences of Hutto & Gilbert, "VADER" (ICWSM 2014): tweets, Amazon reviews, film reviews and New York
    Times editorials, each with the mean of some 20 people's ratings of its sentiment from -4 to 4. It is neutral
    between -1/2 and 1/2. Of all kinds the same number is drawn at random.

    The model is the pretrained encoder MiniLM (all-MiniLM-L6-v2, 22 million parameters, 6 layers): the mean of its
    tokens, a trunk of a few linear units, and a head for each task. The trunk has one unit less than the five that two
    independent linear classifiers of three and four classes take, and the adapters are of low rank: so the tasks
    compete.

    Losses: each task's cross-entropy. Metrics: each task's accuracy. Recipe: Adam on the mean loss with a one-cycle
    learning rate. Batches are dicts of ``input_ids``, ``attention_mask`` and ``labels``, and of ``states``: what enters
    the first layer with an adapter, which does not change and is computed once.

    A curvature product costs as much as some passes over its sample, so a small sample is enough for a transformer:
    ``Navigator(problem, geometry=Geometry(samples=128))``.

    Args:
        parameters: what is steered: "adapters" (with the trunk and the heads), "heads" (with the trunk), or "all" of
            the encoder, which then has no adapters.
        trunk: units shared by the two tasks.
        rank: of each adapter.
        layers: how many of the encoder's last layers have adapters.
        train_size: sentences to train on.
        validation_size: sentences to validate on, and to test on.
        max_length: tokens read of a sentence; 85 % of them have no more than 32.
        weight_decay: the coefficient in every objective; None: 0.1, or 1e-6 if all parameters are steered.
        epochs: of the training recipe.
        attention: of transformers: "sdpa" or "eager".
        folder: where the local copies are; see ``paretonav.problems.sources``.
        seed: of the choice of sentences, the first weights and the order of the batches.

    Raises:
        ProblemError: the encoder or the sentences are not there (the message says how to get them) or damaged, or an
            argument is not possible.
        MissingExtraError: a library of the extra "text" is not installed.
    """
    if parameters not in _STEERED:
        raise ProblemError(
            f"parameters={parameters!r} is not possible; give one of {', '.join(map(repr, _STEERED))}"
        )
    check_sizes(
        trunk=trunk,
        rank=rank,
        layers=layers,
        train_size=train_size,
        validation_size=validation_size,
        epochs=epochs,
    )
    check_integer("max_length", max_length, 3, why="there must be something to train, and to train on")
    for library in ("transformers", "peft"):
        sentence_encoder.require(library)
    pretrained = sources.files(
        "MiniLM",
        sentence_encoder.FILES,
        folder,
        sentence_encoder.download,
        sentence_encoder.SOURCE,
    )
    (archive,) = sources.files(
        "Rated sentences",
        [rated_sentences.ARCHIVE],
        folder,
        rated_sentences.download,
        rated_sentences.SOURCE,
    )
    generator = torch.Generator().manual_seed(seed)
    parts = rated_sentences.choose(
        rated_sentences.load(archive), (train_size, validation_size, validation_size), generator
    )

    def make() -> SentenceNet:
        encoder = sentence_encoder.load_encoder(pretrained, attention)
        if parameters == "adapters":
            sentence_encoder.add_adapters(encoder, layers, rank)
        return SentenceNet(encoder, trunk, TASKS)

    model = seeded(make, seed)
    total = len(model.encoder.encoder.layer)  # type: ignore[union-attr, arg-type]
    first = {"adapters": max(0, total - layers), "heads": total, "all": 0}[parameters]
    train, validation, test = (
        rated_sentences.loader(
            part,
            sentence_encoder.tokenize(pretrained[2], [sentence.text for sentence in part], max_length),
            batch_size=64,
            # Nothing that is steered is below, so that what it computes is computed once.
            frozen=partial(model.states, first=first) if first else None,
        )
        for part in parts
    )
    steered, decay, learning_rate = _STEERED[parameters]
    return TrainedProblem(
        model,
        losses={task: _CrossEntropy(i, task) for i, task in enumerate(TASKS)},
        train=train,
        validation=validation,
        test=test,
        metrics={
            f"{task} accuracy": Metric(_Accuracy(i, task), higher_is_better=True)
            for i, task in enumerate(TASKS)
        },
        parameters=steered,
        weight_decay=decay if weight_decay is None else weight_decay,
        forward=partial(_forward, first=first),
        seed=seed,
        epochs=epochs,
        generator=generator,
        learning_rate=learning_rate,
        minibatch_size=32,
    )


def _forward(model: nn.Module, batch: Batch, first: int) -> dict[str, Tensor]:
    logits: dict[str, Tensor] = model(batch["input_ids"], batch["attention_mask"], batch.get("states"), first)
    return logits


class _CrossEntropy:
    def __init__(self, column: int, task: str) -> None:
        self._column, self._task = column, task

    def __call__(self, logits: dict[str, Tensor], batch: Batch) -> Tensor:
        return nn.functional.cross_entropy(logits[self._task], batch["labels"][:, self._column])


class _Accuracy:
    def __init__(self, column: int, task: str) -> None:
        self._column, self._task = column, task

    def __call__(self, logits: dict[str, Tensor], batch: Batch) -> Tensor:
        labels: Tensor = batch["labels"][:, self._column]
        return (logits[self._task].argmax(dim=1) == labels).double().mean()
