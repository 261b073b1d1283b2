import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.problems.parts import parts, sizes
from torch import Tensor

import paretonav as pn
from paretonav import Cost
from paretonav.problems import digits
from paretonav.problems.trained import TrainedProblem

module = importlib.import_module("paretonav.problems.digits")  # the name in the package is the function
SMALL: dict[str, Any] = {"train_size": 1200, "validation_size": 200, "epochs": 3}


def test_a_composite_is_the_maximum_of_three_scans_and_knows_their_classes() -> None:
    scans = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(0))
    data = module.overlay(scans, torch.arange(5), 40, torch.Generator().manual_seed(1))
    assert [tuple(t.shape) for t in data.tensors] == [(40, 12 * 14), (40, 3)]
    for canvas, labels in data:
        expected = np.zeros((12, 14), dtype=np.float32)
        for (row, column), label in zip([(0, 0), (0, 6), (4, 3)], labels.tolist(), strict=True):
            for i in range(8):
                for j in range(8):
                    there = expected[row + i, column + j]
                    expected[row + i, column + j] = max(there, float(scans[label, i, j]))
        np.testing.assert_array_equal(canvas.view(12, 14), expected)
    assert len({tuple(labels.tolist()) for _, labels in data}) > 20, "the three are drawn independently"


def test_no_scan_is_in_two_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scan is made recognisable: scan k is all over k / 16."""
    numbered = np.broadcast_to(np.arange(1797.0)[:, None, None], (1797, 8, 8))
    chosen: list[set[int]] = []
    overlay = module.overlay

    def watched(images: Tensor, classes: Tensor, count: int, generator: torch.Generator) -> Any:
        chosen.append({int(value) for value in (16 * images).flatten(1).unique(dim=1).flatten().tolist()})
        return overlay(images, classes, count, generator)

    fake = SimpleNamespace(images=numbered.copy(), target=np.arange(1797) % 10)
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda: fake)
    monkeypatch.setattr(module, "overlay", watched)
    problem = digits(train_size=4000, validation_size=1000)
    assert [len(part) for part in chosen] == [1200, 300, 297]
    assert set.union(*chosen) == set(range(1797))
    # A canvas is the maximum, so each number on it is a scan of its split.
    for part, (canvases, _) in zip(chosen, parts(problem).values(), strict=True):
        shown = {int(value) for value in (16 * canvases).unique().tolist()} - {0}
        assert shown <= part
        assert len(shown) > 0.7 * len(part)


def test_names_and_sizes() -> None:
    problem = digits(**SMALL)
    assert isinstance(problem, TrainedProblem)
    assert problem.names == ("west", "east", "south")
    losses = problem.evaluate(problem.parameters(), "validation")
    assert list(losses.metrics) == ["west accuracy", "east accuracy", "south accuracy"]
    assert problem.evaluate(problem.parameters()).metrics == {}
    assert problem.weight_decay == 0.01
    assert sizes(problem) == {"train": 1200, "validation": 200, "test": 200}
    assert len(digits(trunk=9, **SMALL).parameters()) - len(problem.parameters()) == 3 * (64 + 1 + 30)
    # An untrained model guesses: every class is as likely as another.
    np.testing.assert_allclose(losses.mean, np.log(10), atol=0.15)


def test_losses_and_metrics_belong_to_their_digit() -> None:
    problem = digits(**SMALL)
    images, labels = parts(problem)["test"]
    logits = torch.nn.functional.one_hot(labels, 10) * 50.0
    batch = (images, labels)
    for i in range(3):
        spoilt = logits.clone()
        spoilt[:, i] = spoilt[:, i].roll(1, dims=1)
        losses = problem._losses.parts(spoilt, {}, batch)
        accuracies = problem._metrics.parts(spoilt, {}, batch)
        assert [float(loss) > 49 for loss in losses] == [k == i for k in range(3)]
        assert [float(accuracy) for accuracy in accuracies] == [float(k != i) for k in range(3)]


def test_seeds_are_reproducible_and_leave_the_global_state_alone() -> None:
    state = torch.get_rng_state()
    first, again, other = (digits(seed=seed, **SMALL) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)

    def fingerprint(problem: TrainedProblem) -> list[Tensor]:
        return [problem.parameters(), *(tensor for part in parts(problem).values() for tensor in part)]

    assert all(torch.equal(a, b) for a, b in zip(fingerprint(first), fingerprint(again), strict=True))
    assert len(fingerprint(first)) == 7
    assert not any(torch.equal(a, b) for a, b in zip(fingerprint(first), fingerprint(other), strict=True))
    assert torch.equal(first.train(), again.train())


def test_training_lowers_every_loss_and_is_needed_once() -> None:
    problem = digits(**SMALL)
    before = problem.evaluate(problem.parameters()).mean
    assert problem.needs_training
    before_training = problem.cost
    theta = problem.train()
    assert not problem.needs_training
    assert problem.cost - before_training == Cost(forward_passes=3, gradient_passes=3)
    assert torch.equal(problem.parameters(), theta)
    assert not theta.requires_grad
    assert not problem.model.training
    after = problem.evaluate(theta).mean
    assert (after < before - 0.02).all()


def test_training_follows_the_weight_decay() -> None:
    plain, decayed = (digits(weight_decay=decay, **SMALL) for decay in (0.0, 0.1))
    assert decayed.train().norm() < 0.8 * plain.train().norm()


@pytest.mark.slow
def test_the_default_recipe_ends_near_the_front_and_the_tasks_compete() -> None:
    problem = digits()
    point = pn.Navigator(problem).start()
    assert point.joint_gain < 0.02 * float(point.measured.train.mean.mean())
    _, jacobian = problem.jacobian(point.parameters)
    rows = jacobian + problem.weight_decay * point.parameters
    cosines = torch.nn.functional.normalize(rows, dim=1) @ torch.nn.functional.normalize(rows, dim=1).T
    assert cosines.min() < -0.1
    assert min(point.metrics.values()) > 0.3, "each digit is read far better than by chance"
