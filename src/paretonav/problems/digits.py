"""Three handwritten digits on one small canvas: a deep model whose tasks compete, without a download."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from paretonav.errors import needing
from paretonav.objectives import Metric
from paretonav.problems.known import check_sizes
from paretonav.problems.trained import Accuracy, CrossEntropy, TrainedProblem, seeded

TASKS = ("west", "east", "south")
_OFFSETS = ((0, 0), (0, 6), (4, 3))
_CANVAS = (12, 14)  # pixels: three scans of 8 by 8 at these offsets just fit


class DigitsNet(nn.Module):
    """168 pixels -> 64 -> a narrow trunk -> three heads of ten classes.

    Args:
        trunk: the units that all tasks share; few of them make the tasks compete.
    """

    def __init__(self, trunk: int = 6) -> None:
        super().__init__()
        pixels = _CANVAS[0] * _CANVAS[1]
        self.trunk = nn.Sequential(nn.Linear(pixels, 64), nn.SiLU(), nn.Linear(64, trunk), nn.SiLU())
        self.heads = nn.Linear(trunk, len(TASKS) * 10)

    def forward(self, images: Tensor) -> Tensor:
        """[batch, 168] -> logits [batch, 3, 10]."""
        logits: Tensor = self.heads(self.trunk(images))
        return logits.view(-1, len(TASKS), 10)


def digits(
    *,
    trunk: int = 6,
    weight_decay: float = 1e-2,
    train_size: int = 6000,
    validation_size: int = 2000,
    epochs: int = 60,
    seed: int = 0,
) -> TrainedProblem:
    """Say which digit is in the west, the east and the south of a picture, with too small a network for all three.

    The 1797 real 8 x 8 scans of scikit-learn (Alpaydin & Kaynak, UCI) are split into three parts before
    anything else, so that no scan is in two of them; within each part three random scans at a time are laid
    over each other at offsets (0, 0), (0, 6) and (4, 3) by their maximum.

    Losses: each task's cross-entropy. Metrics: each task's accuracy. Recipe: Adam on the mean loss with a
    one-cycle learning rate.

    Args:
        trunk: units shared by the three tasks.
        weight_decay: the coefficient in every objective.
        train_size: composites to train on.
        validation_size: composites to validate on, and to test on.
        epochs: of the training recipe.
        seed: of the split, the composites, the first weights and the order of the batches.

    Raises:
        ProblemError: a size is less than 1, or ``weight_decay`` is negative.
    """
    check_sizes(trunk=trunk, epochs=epochs, train_size=train_size, validation_size=validation_size)
    generator = torch.Generator().manual_seed(seed)
    with needing("data", "this problem"):
        from sklearn.datasets import load_digits  # a second to load, which only this needs

    scans = load_digits()
    images = torch.from_numpy(scans.images / 16).float()
    classes = torch.from_numpy(scans.target).long()
    order = torch.randperm(len(images), generator=generator)
    parts = torch.split(order, [1200, 300, len(images) - 1500])
    train, validation, test = (
        overlay(images[part], classes[part], size, generator)
        for part, size in zip(parts, (train_size, validation_size, validation_size), strict=True)
    )
    return TrainedProblem(
        seeded(lambda: DigitsNet(trunk), seed),
        losses={name: CrossEntropy(i) for i, name in enumerate(TASKS)},
        train=train,
        # Many batches, for good standard errors.
        validation=DataLoader(validation, batch_size=-(-validation_size // 12)),
        test=test,
        metrics={
            f"{name} accuracy": Metric(Accuracy(i), higher_is_better=True) for i, name in enumerate(TASKS)
        },
        weight_decay=weight_decay,
        batch_size=500,
        seed=seed,
        epochs=epochs,
        generator=generator,
    )


def overlay(images: Tensor, classes: Tensor, count: int, generator: torch.Generator) -> TensorDataset:
    """``count`` composites of random scans: canvases [count, 168] and their digits' classes [count, 3]."""
    canvas = torch.zeros(count, *_CANVAS)
    labels = []
    for row, column in _OFFSETS:
        chosen = torch.randint(len(images), (count,), generator=generator)
        place = canvas[:, row : row + 8, column : column + 8]
        place.copy_(torch.maximum(place, images[chosen]))
        labels.append(classes[chosen])
    return TensorDataset(canvas.flatten(1), torch.stack(labels, dim=1))
