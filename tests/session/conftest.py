"""A small session on disk, made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn


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
        nav.step(pn.Improve({"a": 1.0}, allow={"size": 9.0}), 0.02)
        nav.step(pn.Compare(better={"a": 0.9, "b": 0.2}, worse={"a": 0.8, "b": 0.3}), 0.02)
        session.note(1, "a note")
    return folder


@pytest.fixture
def visited(_visited: Path, tmp_path: Path) -> Path:
    """The folder of a session of three points, to do with as one likes."""
    return Path(shutil.copytree(_visited, tmp_path / "visited"))
