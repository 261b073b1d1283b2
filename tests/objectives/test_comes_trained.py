"""Which problems are to be left where they are."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import FunctionProblem, ModelProblem, problems
from paretonav.objectives import Problem
from paretonav.problems.trained import TrainedProblem

DATA = TensorDataset(torch.linspace(-1, 1, 12)[:, None])
LOSSES: dict[str, Any] = {
    "one": lambda o, _: (o - 1).square().mean(),
    "two": lambda o, _: (o - 2).square().mean(),
}


def test_a_model_without_a_recipe_comes_trained() -> None:
    problem = ModelProblem(nn.Linear(1, 1), LOSSES, DATA)
    assert problem.comes_trained
    problem.train()
    assert problem.comes_trained


def test_one_with_a_recipe_does_not_even_when_it_was_run() -> None:
    problem = TrainedProblem(nn.Linear(1, 1), LOSSES, DATA, epochs=1, generator=torch.Generator())
    assert not problem.comes_trained
    problem.train()
    assert not problem.needs_training
    assert not problem.comes_trained


def test_a_recipe_of_ones_own_is_one() -> None:
    class Mine(ModelProblem):
        def train(self) -> Tensor:
            self.set_parameters(torch.zeros(2))
            return self.parameters()

    assert not Mine(nn.Linear(1, 1), LOSSES, DATA).comes_trained


def test_functions_do_not() -> None:
    function = FunctionProblem(lambda x: torch.stack([x.sum(), x.square().sum()]), torch.ones(2))
    known = [problems.quadratic(n=4, m=2), problems.zdt(1), problems.dtlz(2), problems.fonseca_fleming()]
    assert not any(problem.comes_trained for problem in (function, *known))


def test_a_problem_on_real_data_brings_its_recipe() -> None:
    assert TrainedProblem.train is not Problem.train
    problem = problems.digits()
    assert isinstance(problem, TrainedProblem)
    assert not problem.comes_trained
