"""Sentences with two labels each: how people feel about them, and what kind of text they are from."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from paretonav.errors import ProblemError
from paretonav.problems import sources

ARCHIVE = "vader/hutto_ICWSM_2014.tar"
SOURCE = "the repository of vaderSentiment on GitHub"
_URL = "https://github.com/cjhutto/vaderSentiment/raw/master/additional_resources/hutto_ICWSM_2014.tar.gz"

KINDS = ("tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets")
_NEUTRAL = 0.5  # mean ratings within it, on a scale from -4 to 4

Item = dict[str, Tensor]


class Sentence(NamedTuple):
    """One sentence and its labels.

    Attributes:
        text: as it was written.
        sentiment: 0 negative, 1 neutral, 2 positive.
        kind: position in ``KINDS``.
    """

    text: str
    sentiment: int
    kind: int


def load(path: Path) -> list[list[Sentence]]:
    """All sentences of each kind.

    Raises:
        ProblemError: the archive is damaged.
    """
    kinds = []
    try:
        with tarfile.open(fileobj=io.BytesIO(sources.read(path))) as archive:
            for kind, name in enumerate(KINDS):
                file = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
                lines = b"" if file is None else file.read()
                kinds.append([_sentence(line, kind) for line in lines.decode("utf-8-sig").splitlines()])
    except (tarfile.TarError, KeyError, ValueError) as error:  # a UnicodeDecodeError is a ValueError
        raise sources.damaged(path, f"is not the archive of rated sentences ({error})") from error
    return kinds


def _sentence(line: str, kind: int) -> Sentence:
    _, rating, text = line.split("\t")
    mean = float(rating)
    return Sentence(text, int(mean >= -_NEUTRAL) + int(mean > _NEUTRAL), kind)


def choose(
    kinds: Sequence[Sequence[Sentence]], sizes: Sequence[int], generator: torch.Generator
) -> list[list[Sentence]]:
    """Disjoint random choices, in each of which every kind is as frequent as another.

    Raises:
        ProblemError: there are not so many.
    """
    parts: list[list[Sentence]] = [[] for _ in sizes]
    for kind, sentences in enumerate(kinds):
        order = iter(torch.randperm(len(sentences), generator=generator).tolist())
        for part, size in zip(parts, sizes, strict=True):
            # The first kinds have one more where the size is not a multiple of their number.
            count = size // len(kinds) + (kind < size % len(kinds))
            chosen = [sentences[i] for i, _ in zip(order, range(count), strict=False)]
            if len(chosen) < count:
                raise ProblemError(
                    f"there are only {len(sentences)} {KINDS[kind]}, too few for {sum(sizes)} sentences of "
                    f"{len(kinds)} kinds; give smaller sizes"
                )
            part += chosen
    return parts


def loader(
    sentences: Sequence[Sentence],
    tokens: Sequence[Sequence[int]],
    batch_size: int,
    frozen: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> DataLoader[Item]:
    """Batches of ``input_ids`` and ``attention_mask`` [batch, length] and ``labels`` [batch, 2].

    Sentences of about the same length come together, so that little is padding (with 0).

    Args:
        sentences: with their labels.
        tokens: of each sentence.
        batch_size: of a full pass.
        frozen: the first two of those -> [batch, length, features], computed now and added as ``states``.
    """
    items: list[Item] = [
        {
            "input_ids": torch.tensor(ids),
            "attention_mask": torch.ones(len(ids), dtype=torch.long),
            "labels": torch.tensor([sentence.sentiment, sentence.kind]),
        }
        for sentence, ids in zip(sentences, tokens, strict=True)
    ]
    items.sort(key=lambda item: len(item["input_ids"]))
    if frozen is not None:
        for i in range(0, len(items), batch_size):
            group = items[i : i + batch_size]
            batch = _collate(group)
            for item, states in zip(group, frozen(batch["input_ids"], batch["attention_mask"]), strict=True):
                item["states"] = states[: len(item["input_ids"])].clone()
    return DataLoader(items, batch_size=batch_size, collate_fn=_collate)  # type: ignore[arg-type]


def _collate(items: list[Item]) -> Item:
    stacked = {
        name: pad_sequence([item[name] for item in items], batch_first=True)
        for name in items[0].keys() - {"labels"}
    }
    return {**stacked, "labels": torch.stack([item["labels"] for item in items])}


def download(folder: Path) -> None:
    """Write the archive from where its authors published it."""
    with urlopen(_URL, timeout=60) as answer:
        content: bytes = answer.read()
    sources.write(folder / f"{ARCHIVE}.gz", gzip.decompress(content))
