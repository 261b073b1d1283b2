"""Walks on which sessions are tried: in memory with validation data and metrics, and small ones on disk."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn


def tasks(names: tuple[str, str] = ("a", "b")) -> pn.ModelProblem:
    torch.manual_seed(0)
    model = nn.Linear(4, 2).double()  # convex, so that it is on its front at once
    x = torch.randn(384, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = torch.stack([x[:, 0] + x[:, 1], x[:, 1] - x[:, 0] + 0.3 * x[:, 2] ** 2], dim=1)
    one, other = names
    return pn.ModelProblem(
        model.eval(),
        losses={
            one: lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean() + o[:, 1].square().mean(),
            other: lambda o, batch: (o[:, 0] - batch[1][:, 1]).square().mean() + o[:, 1].square().mean(),
        },
        metrics={
            "hits": pn.Metric(
                lambda o, batch: (o[:, 0] * batch[1][:, 0] > 0).double().mean(), higher_is_better=True
            ),
            "size": lambda o, batch: o.abs().mean(),
        },
        train=TensorDataset(x[:256], y[:256]),
        validation=TensorDataset(x[256:], y[256:]),
        weight_decay=1e-2,
        batch_size=16,
    )


def walk(navigator: pn.Navigator) -> pn.Session:
    """0 -> 1 -> 2 and 1 -> 3, with a note and a star at 3, where it ends."""
    first, second = navigator.start().front.names[:2]
    navigator.step(pn.Improve({first: 1.0}), 0.03)
    navigator.step(pn.Improve({first: 1.0}), 0.02)
    navigator.undo()
    navigator.step(pn.Improve({second: 1.0}), 0.02)
    navigator.session.note(3, "=good\nenough")
    navigator.session.star(3)
    return navigator.session


@pytest.fixture(scope="session")
def walked() -> pn.Session:
    return walk(pn.Navigator(tasks()))


@pytest.fixture
def walk_with() -> Callable[[tuple[str, str]], pn.Session]:
    """The same with other names of the losses."""
    return lambda names: walk(pn.Navigator(tasks(names)))


def _small_model() -> pn.ModelProblem:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    return pn.ModelProblem(
        model.eval(),
        losses={
            "a": lambda outputs, batch: (outputs[:, 0] - batch[0][:, 0]).square().mean(),
            "b": lambda outputs, batch: (outputs[:, 0] - batch[0][:, 1]).square().mean(),
        },
        metrics={"size": pn.Metric(lambda outputs, batch: outputs.abs().mean(), higher_is_better=False)},
        train=TensorDataset(x[:48]),
        validation=TensorDataset(x[48:]),
        weight_decay=1e-2,
        batch_size=8,
    )


@pytest.fixture(scope="session")
def small_model() -> Callable[[], pn.ModelProblem]:
    """Makes two tasks on one trunk, with a metric, validation data and a state that is not steered."""
    return _small_model


@pytest.fixture(scope="session")
def _visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("visited") / "s"
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(_small_model(), session=session)
        nav.start()
        nav.step(pn.Improve({"a": 1.0}, allow={"size": 9.0}), 0.005)
        nav.step(pn.Prefer({"a": 0.9, "b": 0.2}, over={"a": 0.8, "b": 0.3}), 0.005)
        session.note(1, "a note")
    return folder


@pytest.fixture
def visited(_visited: Path, tmp_path: Path) -> Path:
    """The folder of a session of three points, to do with as one likes."""
    return Path(shutil.copytree(_visited, tmp_path / "visited"))
