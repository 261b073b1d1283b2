"""Two overlaid garments, or a garment and two digits, on one canvas: a convolutional net whose tasks compete."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives import Metric
from paretonav.problems import sources
from paretonav.problems.images import Images, fashion_mnist, mnist, overlay, scans
from paretonav.problems.known import check_sizes
from paretonav.problems.trained import Accuracy, CrossEntropy, TrainedProblem, seeded

TASKS = {2: ("top left", "bottom right"), 3: ("garment", "digit", "scan")}
_SIDE = {2: 36, 3: 56}
_OFFSETS = {2: ((0, 0), (8, 8)), 3: ((4, 4), (4, 24), (24, 14))}


class LeNet(nn.Module):
    """Two convolutions with average pooling -> a narrow trunk -> one head of ten classes per task.

    Args:
        items: how many images are on the canvas, 2 or 3.
        trunk: the units that all tasks share; few of them make the tasks compete.
    """

    def __init__(self, items: int, trunk: int) -> None:
        super().__init__()
        self._items = items
        side = ((_SIDE[items] - 3) // 2 // 2 - 2) // 2
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(8, 16, 3),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Flatten(),
        )
        self.trunk = nn.Sequential(nn.Linear(16 * side**2, trunk), nn.Tanh())
        self.heads = nn.Linear(trunk, items * 10)

    def forward(self, canvases: Tensor) -> Tensor:
        """[batch, 1, side, side] -> logits [batch, items, 10]."""
        # About zero mean and unit deviation: a common offset of all pixels makes the curvature ill-conditioned.
        logits: Tensor = self.heads(self.trunk(self.features((canvases - 0.4) / 0.35)))
        return logits.view(-1, self._items, 10)


def fashion(
    *,
    items: Literal[2, 3] = 2,
    trunk: int = 6,
    weight_decay: float = 8e-3,
    train_size: int = 8000,
    validation_size: int = 4000,
    epochs: int = 60,
    folder: sources.Folder = None,
    seed: int = 0,
) -> TrainedProblem:
    """Say what each of two or three overlaid images shows.

    With two, both are garments of Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747) on a canvas of 36 x 36,
    one at its top left and one at its bottom right ("Multi-Fashion", as in Lin et al., "Pareto multi-task
    learning", NeurIPS 2019). With three, on 56 x 56, they are a garment, a digit of MNIST and one of
    scikit-learn's scanned digits, enlarged.

    The images are split before they are overlaid, so that none is in two parts: the test images of Fashion-MNIST
    are for testing, and of the other two collections five sixths are for training, the rest for validation and
    testing by halves.

    The net is a small LeNet with tanh and average pooling instead of ReLU and maximum pooling: those have kinks, at
    which a second-order model of the front is wrong. Smoothness alone is not enough: with SiLU and pixels from 0 to 1
    start() took three times the products, and the front bent too much for a step of 1 %. Pixels are standardised.

    Losses: each task's cross-entropy. Metrics: each task's accuracy. Recipe: Adam on the mean loss with a
    one-cycle learning rate.

    Args:
        items: two garments, or a garment and two digits.
        trunk: units shared by the tasks.
        weight_decay: the coefficient in every objective.
        train_size: composites to train on.
        validation_size: composites to validate on, and to test on.
        epochs: of the training recipe.
        folder: where the local copies are; see ``paretonav.problems.sources``.
        seed: of the splits, the composites, the first weights and the order of the batches.

    Raises:
        ProblemError: the data are not there (the message says how to get them) or damaged, or an argument is not
            possible.
    """
    if items not in TASKS:
        raise ProblemError(f"items={items!r} is not possible; give 2 or 3")
    check_sizes(trunk=trunk, epochs=epochs, train_size=train_size, validation_size=validation_size)
    generator = torch.Generator().manual_seed(seed)
    parts = _parts(items, folder, generator)
    train, validation, test = (
        overlay(kinds, _OFFSETS[items], _SIDE[items], size, generator)
        for kinds, size in zip(parts, (train_size, validation_size, validation_size), strict=True)
    )
    tasks = TASKS[items]
    return TrainedProblem(
        seeded(lambda: LeNet(items, trunk), seed),
        losses={name: CrossEntropy(i) for i, name in enumerate(tasks)},
        train=train,
        validation=validation,
        test=test,
        metrics={
            f"{name} accuracy": Metric(Accuracy(i), higher_is_better=True) for i, name in enumerate(tasks)
        },
        weight_decay=weight_decay,
        batch_size=min(500, -(-validation_size // 20)),  # 20 batches or more, for good standard errors
        seed=seed,
        epochs=epochs,
        generator=generator,
        learning_rate=5e-3,
    )


def _parts(items: int, folder: sources.Folder, generator: torch.Generator) -> list[list[Images]]:
    """The images of training, validation and test, each a list with one entry per item on the canvas."""
    known, new = fashion_mnist(folder)
    held = max(1, len(known.classes) // 6)
    garments = [*known.split([len(known.classes) - held, held], generator), new]
    if items == 2:
        return [[part, part] for part in garments]
    kinds = [garments]
    for images in (mnist(folder), scans()):
        held = max(1, len(images.classes) // 12)
        kinds.append(images.split([len(images.classes) - 2 * held, held, held], generator))
    return [list(part) for part in zip(*kinds, strict=True)]
