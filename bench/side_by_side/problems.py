"""The problems on real data, and their trained starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Self

import torch
from torch import Tensor

import paretonav as pn
from compare import decay
from paretonav.objectives import Cost, Losses, ModelProblem, Split
from paretonav.problems.census_people import TASKS
from paretonav.steering.stepping.correctors import Correction, Newton

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Recipe:
    """How a problem is made and trained.

    Attributes:
        make: from the keywords ``seed`` and ``epochs``.
        epochs: of the start's training, so many that training on does not improve all objectives any more.
        batch_size: of the problem's own training, which all that train here use, too.
        rate: the highest learning rate of that training.
        geometry: of the default method; None for its own.
    """

    make: Callable[..., ModelProblem]
    epochs: int
    batch_size: int = 256
    rate: float = 1e-2
    geometry: pn.Geometry | None = None


RECIPES: dict[str, Recipe] = {
    "digits": Recipe(pn.problems.digits, epochs=60),
    "census": Recipe(pn.problems.census, epochs=30),
    "census5": Recipe(partial(pn.problems.census, tasks=TASKS), epochs=30),
    "fashion": Recipe(
        partial(pn.problems.fashion, train_size=3000, validation_size=1500), epochs=300, rate=5e-3
    ),
    "adult": Recipe(pn.problems.adult, epochs=40, batch_size=2048),
    "sentences": Recipe(
        partial(pn.problems.sentences, train_size=500, validation_size=300, max_length=16),
        epochs=40,
        batch_size=32,
        rate=5e-3,
        # A curvature product through a transformer costs as much as some passes over its sample.
        geometry=pn.Geometry(samples=128),
    ),
}
SLOW = ("sentences",)


@dataclass(frozen=True, eq=False)
class Start:
    """A trained model where all methods begin.

    Attributes:
        problem: whose parameters come and go; every method is given its own.
        recipe: by which it was trained.
        initial: the parameters before that, [n].
        training: its seconds.
        nav: the default method, at its first point.
        point: that point.
        before: the losses there.
    """

    problem: ModelProblem
    recipe: Recipe
    initial: Tensor
    training: float
    nav: pn.Navigator
    point: pn.Point
    before: dict[Split, Losses]

    @classmethod
    def of(cls, name: str, seed: int, epochs: int | None = None) -> Self:
        """That of a problem; ``epochs`` in place of the recipe's."""
        recipe = RECIPES[name] if epochs is None else replace(RECIPES[name], epochs=epochs)
        return cls.trained(recipe.make(seed=seed, epochs=recipe.epochs), recipe)

    @classmethod
    def trained(cls, problem: ModelProblem, recipe: Recipe) -> Self:
        """Train a fresh problem, and go to the front by the default method."""
        initial = problem.parameters()
        began = time.perf_counter()
        problem.train()
        training = time.perf_counter() - began
        nav = pn.Navigator(problem, corrector=Newton(), geometry=recipe.geometry)
        point = nav.start()
        before = {split: problem.evaluate(point.parameters, split) for split in SPLITS}
        return cls(problem, recipe, initial, training, nav, point, before)

    def decay(self, theta: Tensor) -> float:
        """The weight decay's part of every objective at theta."""
        return decay(self.problem, theta)

    @cached_property
    def _paced(self) -> ModelProblem:
        """Another of the same problem, whose training is one epoch."""
        return self.recipe.make(seed=0, epochs=1)

    def epoch(self) -> float:
        """The seconds that one epoch of the training takes at this moment."""
        paced = self._paced
        began = time.perf_counter()
        paced.train()
        return time.perf_counter() - began

    @cached_property
    def published(self) -> pn.Navigator:
        """The published method with the paper's settings, at the same point; its first tangent is not charged."""
        self.nav.go_to(self.point.id)
        navigator = pn.Navigator(self.problem, **pn.ppe())
        navigator.start(polish=False)
        return navigator

    @cached_property
    def corrected(self) -> tuple[Correction, Cost]:
        """Where the published corrector alone leads from there, as no step has been taken, and its cost."""
        published, before = self.published, self.problem.cost
        weights = torch.from_numpy(self.point.front.weights)
        began = time.perf_counter()
        theta = self.point.parameters
        correction = published.method.corrector.correct(
            self.problem, theta, weights, published.method.geometry
        )
        return correction, replace(self.problem.cost - before, seconds=time.perf_counter() - began)
