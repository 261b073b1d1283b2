"""What a ready problem's data are."""

import torch
from torch import Tensor

import paretonav as pn


def parts(problem: pn.ModelProblem) -> dict[str, tuple[Tensor, ...]]:
    """Training, validation and test data as passes over them read them: each entry of all examples."""
    return {
        split: tuple(torch.cat(entry) for entry in zip(*(batch for batch, _ in data), strict=True))
        for split, data in problem.data.items()
    }


def sizes(problem: pn.ModelProblem) -> dict[str, int]:
    """How many examples each has."""
    return {split: len(tensors[0]) for split, tensors in parts(problem).items()}
