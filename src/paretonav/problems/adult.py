"""Accuracy against fairness between the sexes: who earns more than 50,000, on the Adult data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives import Aggregate, Metric, group_gap
from paretonav.objectives.data import Batch
from paretonav.objectives.model import Loss
from paretonav.problems import sources
from paretonav.problems.adult_people import FILE, SOURCE, download, load, split
from paretonav.problems.known import check_integer
from paretonav.problems.trained import TrainedProblem, seeded

OBJECTIVES = ("cross-entropy", "demographic parity", "equal opportunity")
_SMOOTHING = 0.1  # width of a gap's rounded corner


class AdultNet(nn.Module):
    """Inputs -> two hidden layers of smooth units -> one logit.

    Args:
        inputs: how many there are.
        hidden: units of each hidden layer.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)
        )

    def forward(self, people: Tensor) -> Tensor:
        """[batch, inputs] -> logits [batch]."""
        logits: Tensor = self.layers(people)
        return logits[:, 0]


def adult(
    *,
    objectives: Sequence[str] = OBJECTIVES,
    with_sex: bool = False,
    hidden: int = 32,
    weight_decay: float = 1e-3,
    epochs: int = 40,
    folder: sources.Folder = None,
    seed: int = 0,
) -> TrainedProblem:
    """Tell who earns more than 50,000 dollars a year, without treating women and men too differently.

    The 45,222 people of the US census of 1994 of whom everything is known (Becker & Kohavi, "Adult", UCI 1996): three
    fifths to train on, a fifth to validate and a fifth to test on. 31 % of the men and 11 % of the women earn that
    much, so that a model that is right is not even-handed.

    Objectives, p being the model's probability:

    - "cross-entropy";
    - "demographic parity": the gap between the mean p of women and that of men;
    - "equal opportunity": the same among those who do earn more than 50,000 (Hardt, Price, Srebro, NeurIPS 2016).

    A gap g of these soft rates is shown as ``|g|`` and steered by as ``sqrt(g^2 + 0.1^2) - 0.1``: a square near zero,
    where the corner of an absolute value has no curvature, and ``|g| - 0.1`` far off. The rounding is as wide as the
    gaps that are traded, so that the curvature hardly changes over a step and the uniform mean of the objectives is in
    the middle of the front. With a width of 0.01 it ends with closed gaps, and steps from there miss what was predicted
    by half and more. Metrics: the accuracy, and both gaps of the decisions ``p > 1/2``.

    Inputs: numbers are standardised, amounts of money after log(1 + x); each category that at least 1 % of the training
    people have is an input of 0 or 1. Years of schooling stand for the education; the sampling weight is left out. The
    sex is no input by default: deciding by it openly is unlawful in most places, and leaving it out closes no gap, as
    relationship and occupation tell it (husband, wife).

    Recipe: Adam on the mean of the objectives with a one-cycle learning rate.

    Args:
        objectives: two or three of ``OBJECTIVES``.
        with_sex: whether the model is told the sex.
        hidden: units of each of the two hidden layers.
        weight_decay: the coefficient in every objective.
        epochs: of the training recipe.
        folder: where the local copy is; see ``paretonav.problems.sources``.
        seed: of the split, the first weights and the order of the batches.

    Raises:
        ProblemError: the data are not there (the message says how to get them) or damaged, or an argument is not
            possible.
    """
    chosen = _check_objectives(objectives)
    for name, number in (("hidden", hidden), ("epochs", epochs)):
        check_integer(name, number, 1, why="there must be something to train")
    generator = torch.Generator().manual_seed(seed)
    (path,) = sources.files("Adult", [FILE], folder, download, SOURCE)
    train, validation, test = split(load(path), generator, with_sex=with_sex)
    inputs = train.tensors[0].shape[1]
    losses: dict[str, Loss] = {
        "cross-entropy": _cross_entropy,
        "demographic parity": group_gap(_probability, _sex, smoothing=_SMOOTHING),
        "equal opportunity": group_gap(_probability, _sex_of_the_rich, smoothing=_SMOOTHING),
    }
    return TrainedProblem(
        seeded(lambda: AdultNet(inputs, hidden), seed),
        losses={name: losses[name] for name in chosen},
        train=train,
        validation=validation,
        test=test,
        metrics={
            "accuracy": Metric(_accuracy, higher_is_better=True),
            "parity gap": Metric(_decision_gap(_sex), higher_is_better=False),
            "opportunity gap": Metric(_decision_gap(_sex_of_the_rich), higher_is_better=False),
        },
        weight_decay=weight_decay,
        batch_size=2048,
        seed=seed,
        epochs=epochs,
        generator=generator,
        # A gap of few people is mostly noise, and its absolute value mostly more than that of all people.
        minibatch_size=2048,
    )


def _check_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    chosen = (objectives,) if isinstance(objectives, str) else tuple(objectives)
    if len(chosen) < 2 or len(set(chosen)) < len(chosen) or not set(chosen) <= set(OBJECTIVES):
        raise ProblemError(
            f"objectives={objectives!r} is not possible; give two or more different ones of {OBJECTIVES}"
        )
    return chosen


def _cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(logits, batch[1])


def _probability(logits: Tensor, batch: Batch) -> Tensor:  # noqa: ARG001 - a score is a function of both
    return logits.sigmoid()


def _decision(logits: Tensor, batch: Batch) -> Tensor:  # noqa: ARG001
    return (logits > 0).to(logits)


def _sex(batch: Batch) -> Tensor:
    sexes: Tensor = batch[2]
    return sexes


def _sex_of_the_rich(batch: Batch) -> Tensor:
    """The sex of those who earn more than 50,000; -1 for the others, who are in no group."""
    return torch.where(batch[1] > 0.5, batch[2], -1)


def _decision_gap(group: Callable[[Batch], Tensor]) -> Aggregate:
    return group_gap(_decision, group, smoothing=0)


def _accuracy(logits: Tensor, batch: Batch) -> Tensor:
    answers: Tensor = batch[1]
    return ((logits > 0) == (answers > 0.5)).double().mean()
