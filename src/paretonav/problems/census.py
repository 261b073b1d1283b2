"""Three to five questions about one person: a shared trunk on the KDD Census-Income data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives import Metric
from paretonav.problems import sources
from paretonav.problems.census_people import FILES, SOURCE, TASKS, Encoder, choose, download
from paretonav.problems.known import check_sizes
from paretonav.problems.trained import BinaryAccuracy, BinaryCrossEntropy, TrainedProblem, seeded

WIDTHS = {"narrow": (64, 2), "paper": (256, 128)}
"""The units of the shared layers."""


class CensusNet(nn.Module):
    """Inputs -> shared layers -> one logit per task.

    Args:
        inputs: how many there are.
        hidden: units of the shared layers. With fewer of them in the last than there are tasks, the tasks compete.
        tasks: how many there are.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], tasks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((inputs, *hidden), hidden, strict=False):
            layers += [nn.Linear(before, after), nn.Tanh()]
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.Linear(hidden[-1], tasks)

    def forward(self, people: Tensor) -> Tensor:
        """[batch, inputs] -> logits [batch, tasks]."""
        logits: Tensor = self.heads(self.trunk(people))
        return logits


def census(
    *,
    width: Literal["narrow", "paper"] = "narrow",
    tasks: Sequence[str] = TASKS[:3],
    size: int | None = 20_000,
    validation_size: int = 20_000,
    weight_decay: float = 1e-2,
    epochs: int = 15,
    folder: sources.Folder = None,
    seed: int = 0,
) -> TrainedProblem:
    """Answer yes-or-no questions about a person of the US census of 1994 and 1995.

    The tasks are those of multi-task papers on the KDD Census-Income data (Lane & Kohavi, UCI): is this person 40
    or older ("age"), with some college education ("education"), never married ("marital"); in the form with five
    also: white ("race"), female ("sex").

    Inputs: all columns but those of the chosen tasks, the row's sampling weight, the detailed industry and
    occupation codes (their major ones stay), and the two household columns, which say "never married" in so many
    words. Amounts of money go through log(1 + x); numbers are standardised; each category that at least 1 % of the
    training people have is an input of 0 or 1, rarer and unknown ones are all 0. All statistics are those of the
    training rows. Training and validation people are random ones of the file census-income.data, the test people of
    census-income.test.

    Losses: each task's binary cross-entropy. Metrics: each task's accuracy. Recipe: Adam on the mean loss with a
    one-cycle learning rate.

    Args:
        width: shared layers of 64 and 2 units ("narrow"), whose tasks compete (cosines of their gradients about
            -0.4), or of 256 and 128 ("paper"), whose tasks do so only a little (about -0.1).
        tasks: two or more of ``TASKS``.
        size: people to train on; None for all 199,523 but the validation people.
        validation_size: people to validate on, and to test on (all 99,762 if ``size`` is None).
        weight_decay: the coefficient in every objective.
        epochs: of the training recipe.
        folder: where the local copy is; see ``paretonav.problems.sources``.
        seed: of the choice of people, the first weights and the order of the batches.

    Raises:
        ProblemError: the data are not there (the message says how to get them) or damaged, or an argument is not
            possible.
    """
    if width not in WIDTHS:
        raise ProblemError(f"width={width!r} is not possible; give one of {', '.join(map(repr, WIDTHS))}")
    tasks = _check_tasks(tasks)
    check_sizes(size=size, validation_size=validation_size, epochs=epochs)
    generator = torch.Generator().manual_seed(seed)
    known, new = sources.files("Census-Income", FILES, folder, download, SOURCE)
    sizes = (size, validation_size)
    train, validation = choose(known, sizes, generator)
    (test,) = choose(new, (None if size is None else validation_size,), generator)
    encoder = Encoder(train, tasks)
    return TrainedProblem(
        seeded(lambda: CensusNet(encoder.inputs, WIDTHS[width], len(tasks)), seed),
        losses={name: BinaryCrossEntropy(i) for i, name in enumerate(tasks)},
        train=encoder(train),
        validation=encoder(validation),
        test=encoder(test),
        metrics={
            f"{name} accuracy": Metric(BinaryAccuracy(i), higher_is_better=True)
            for i, name in enumerate(tasks)
        },
        weight_decay=weight_decay,
        batch_size=1000,
        seed=seed,
        epochs=epochs,
        generator=generator,
    )


def _check_tasks(tasks: Sequence[str]) -> tuple[str, ...]:
    chosen = (tasks,) if isinstance(tasks, str) else tuple(tasks)
    if len(chosen) < 2 or len(set(chosen)) < len(chosen) or not set(chosen) <= set(TASKS):
        raise ProblemError(f"tasks={tasks!r} is not possible; give two or more different ones of {TASKS}")
    return chosen
