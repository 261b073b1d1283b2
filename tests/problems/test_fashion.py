import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.problems.parts import parts, sizes
from torch import Tensor

import paretonav as pn
from paretonav import ProblemError
from paretonav.problems import fashion, images, sources
from paretonav.problems.images import Images, overlay
from paretonav.problems.trained import TrainedProblem

module = importlib.import_module("paretonav.problems.fashion")
SMALL: dict[str, Any] = {"train_size": 120, "validation_size": 40, "epochs": 1}


def write(folder: Path, train: int = 60, test: int = 20) -> None:
    """Image k of a file is grey k all over; its class is k modulo 10."""
    for (name, labels), count in zip((images.FASHION[:2], images.FASHION[2:]), (train, test), strict=True):
        grey = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None], (count, 28, 28))
        sources.write(folder / f"{name}.gz", images.idx(np.ascontiguousarray(grey)))
        sources.write(folder / f"{labels}.gz", images.idx(np.arange(count, dtype=np.uint8) % 10))
    rows = [",".join([str(k)] * 784 + [str(k % 10)]) for k in range(50)]
    sources.write(folder / f"{images._MNIST}.gz", "\n".join(rows).encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where: Path = tmp_path_factory.mktemp("data")
    write(where)
    return where


def test_files_are_read(folder: Path) -> None:
    train, test = images.fashion_mnist(folder)
    assert train.pixels.shape == (60, 28, 28)
    assert test.pixels.shape == (20, 28, 28)
    torch.testing.assert_close(train.pixels[:, 3, 4] * 255, torch.arange(60.0))
    assert train.classes.tolist() == [k % 10 for k in range(60)]
    digits = images.mnist(folder)
    torch.testing.assert_close(digits.pixels[:, 27, 0] * 255, torch.arange(50.0))
    assert digits.classes.tolist() == [k % 10 for k in range(50)]
    scans = images.scans()
    assert scans.pixels.shape == (1797, 28, 28)
    assert 0 <= float(scans.pixels.min()) < float(scans.pixels.max()) <= 1


def test_a_composite_is_the_maximum_and_knows_the_classes() -> None:
    random = torch.Generator().manual_seed(0)
    kinds = [Images(torch.rand(4, 28, 28, generator=random), torch.arange(4) + 4 * k) for k in range(2)]
    canvases, classes = overlay(kinds, ((0, 0), (8, 8)), 36, 30, random).tensors
    assert canvases.shape == (30, 1, 36, 36)
    for canvas, (first, second) in zip(canvases[:, 0], classes.tolist(), strict=True):
        expected = torch.zeros(36, 36)
        expected[:28, :28] = kinds[0].pixels[first]
        expected[8:, 8:] = torch.maximum(expected[8:, 8:], kinds[1].pixels[second - 4])
        assert torch.equal(canvas, expected)
    assert len(classes.unique(dim=0)) > 8, "the items are drawn independently"


@pytest.mark.parametrize("items", [2, 3])
def test_no_image_is_in_two_splits(folder: Path, monkeypatch: pytest.MonkeyPatch, items: Any) -> None:
    seen: list[list[Images]] = []

    def watched(kinds: list[Images], *rest: Any) -> Any:
        seen.append(kinds)
        return overlay(kinds, *rest)

    monkeypatch.setattr(module, "overlay", watched)
    fashion(items=items, folder=folder, **SMALL)
    garments = [{tuple(p.flatten().tolist()) for p in kinds[0].pixels} for kinds in seen]
    assert [len(part) for part in garments] == [50, 10, 20]
    assert not garments[0] & garments[1]
    assert [len(kinds) for kinds in seen] == [items] * 3
    for kind in range(1, items) if items == 3 else ():
        parts = [{tuple(p.flatten().tolist()) for p in kinds[kind].pixels} for kinds in seen]
        assert len(set.union(*parts)) == sum(map(len, parts))


@pytest.mark.parametrize(("items", "side"), [(2, 36), (3, 56)])
def test_names_and_sizes(folder: Path, items: Any, side: int) -> None:
    problem = fashion(items=items, folder=folder, **SMALL)
    assert isinstance(problem, TrainedProblem)
    assert problem.names == module.TASKS[items]
    assert sizes(problem) == {"train": 120, "validation": 40, "test": 40}
    losses = problem.evaluate(problem.parameters(), "test")
    assert len(losses.fractions) == 20
    np.testing.assert_allclose(losses.mean, np.log(10), atol=0.2)
    assert problem.higher_is_better == {f"{name} accuracy": True for name in problem.names}
    assert parts(problem)["train"][0].shape == (120, 1, side, side)


def test_seeds_are_reproducible_and_training_runs(folder: Path) -> None:
    state = torch.get_rng_state()
    first, again, other = (fashion(folder=folder, seed=seed, **SMALL) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)

    def canvases(problem: TrainedProblem) -> list[Tensor]:
        return [images for images, *_ in parts(problem).values()]

    assert all(torch.equal(a, b) for a, b in zip(canvases(first), canvases(again), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(canvases(first), canvases(other), strict=True))
    assert torch.equal(first.train(), again.train())
    assert not first.needs_training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"items": 4}, "items=4"),
        ({"trunk": 0}, "trunk = 0"),
        ({"train_size": 0}, "train_size = 0"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_arguments_that_are_not_possible(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        fashion(folder=folder, **{**SMALL, **arguments})


def test_data_that_are_not_there(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(**_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    with pytest.raises(ProblemError, match=r"train-images-idx3-ubyte .*OpenML 40996.* no network"):
        fashion(folder=tmp_path)
    for name in images.FASHION:
        sources.write(tmp_path / f"{name}.gz", sources.read(folder / f"{name}.gz"))
    with pytest.raises(ProblemError, match=r"mnist_5k\.csv .*OpenML 554.* no network"):
        fashion(items=3, folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (images.FASHION[0], b"", "does not begin as an idx file"),
        (images.FASHION[0], bytes([0, 0, 8, 1]) + bytes(99), "does not begin as an idx file of 3-"),
        (
            images.FASHION[0],
            images.idx(np.zeros((60, 28, 28), np.uint8))[:-1],
            r"\[60, 28, 28\] and holds 47039",
        ),
        (images.FASHION[0], images.idx(np.zeros((60, 8, 8), np.uint8)), r"\[60, 8, 8\]"),
        (images.FASHION[1], images.idx(np.zeros(59, np.uint8)), "59 labels for 60 images"),
        (images.FASHION[1], images.idx(np.full(60, 10, np.uint8)), "classes from 0 to 9"),
        (images._MNIST, b"1,2,3\n", "row 1 has 3 fields instead of 785"),
        (images._MNIST, b",".join([b"x"] * 785), "numbers from 0 to 255"),
        (images._MNIST, b",".join([b"300"] * 785), "numbers from 0 to 255"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    write(tmp_path)
    sources.write(tmp_path / f"{name}.gz", content)
    with pytest.raises(ProblemError, match=f"{Path(name).name}.*{message}.*delete it"):
        fashion(items=3, folder=tmp_path, **SMALL)


def test_the_online_tables_become_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_ROWS", (60, 20))
    pixels, classes = np.random.default_rng(0).integers(0, 256, (80, 784)), np.arange(80) % 10

    def openml(data_id: int, rows: int, columns: int) -> sources.Table:
        assert (data_id in (40996, 554), rows, columns) == (True, 80, 785)
        names = [*(f"pixel{i}" for i in range(1, 785)), "class"]
        values = np.column_stack([pixels, classes]).astype(np.float64)
        return sources.Table(values, {"class": [str(k) for k in range(10)]}, names)

    monkeypatch.setattr(sources, "openml", openml)
    train, test = images.fashion_mnist(tmp_path)
    shown = torch.cat([train.pixels, test.pixels]).flatten(1) * 255
    np.testing.assert_array_equal(shown.round(), pixels)
    assert [*train.classes.tolist(), *test.classes.tolist()] == classes.tolist()
    assert len(test.classes) == 20
    digits = images.mnist(tmp_path)
    assert digits.classes.bincount().tolist() == [8] * 10
    np.testing.assert_array_equal((digits.pixels[:8].flatten(1) * 255).round(), pixels[:80:10])


@pytest.mark.slow
def test_the_tasks_compete() -> None:
    if any(sources.find(name) is None for name in images.FASHION):
        pytest.skip("no local copy of Fashion-MNIST")
    nav = pn.Navigator(fashion(train_size=2000, validation_size=1000))  # a quarter is enough to see it
    start = nav.start()
    assert start.joint_gain < 0.02 * float(start.measured.train.mean.mean())
    assert min(start.metrics.values()) > 0.3, "each garment is named far better than by chance"
    unit = torch.nn.functional.normalize(nav.tangent.jacobian, dim=1)
    assert float(unit[0] @ unit[1]) < -0.1
