"""Text of two kinds that every Python brings: its source, and the reference of the language in English."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from zoo.case import Split

LENGTH, ALPHABET = 32, 128
CODE, PROSE = 0, 1
_MODULES = """
argparse ast bdb calendar cmd configparser copy csv dataclasses decimal difflib enum fractions ftplib functools gettext
glob heapq imaplib inspect locale mailbox netrc numbers operator optparse os pathlib pdb pickle platform poplib pprint
queue random sched selectors shlex shutil smtplib socket stat statistics string subprocess tabnanny tarfile tempfile
textwrap threading timeit tokenize trace traceback turtle types uuid warnings weakref zipfile
"""
_MOST = 1500  # windows of one text


def windows(seed: int, counts: dict[Split, int]) -> dict[Split, tuple[TensorDataset, Tensor]]:
    """Split -> characters [n, LENGTH] with their kind [n], half of each, and what text each is from, [n].

    Windows do not overlap, and no text is in two splits.

    Args:
        seed: of the order of the texts, and of the windows drawn from them.
        counts: split -> how many windows; all that there are if these are fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = [folder / f"{name}.py" for name in _MODULES.split()]
    code = [_cut(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    prose = [_cut(topic) for _, topic in sorted(topics.items())]
    found: dict[Split, list[tuple[Tensor, Tensor, Tensor]]] = {split: [] for split in counts}
    for kind, texts in ((CODE, code), (PROSE, prose)):
        for split, chosen in zip(counts, _shared_out(texts, generator), strict=True):
            x = torch.cat([texts[i] for i in chosen])
            source = torch.cat([torch.full((len(texts[i]),), 1000 * kind + i) for i in chosen])
            some = torch.randperm(len(x), generator=generator)[: counts[split] // 2]
            found[split].append((x[some], torch.full((len(some),), kind), source[some]))
    return {split: _shuffled(both, generator) for split, both in found.items()}


def _shuffled(
    kinds: Sequence[tuple[Tensor, Tensor, Tensor]], generator: torch.Generator
) -> tuple[TensorDataset, Tensor]:
    x, kind, source = (torch.cat(column) for column in zip(*kinds, strict=True))
    order = torch.randperm(len(x), generator=generator)
    return TensorDataset(x[order], kind[order]), source[order]


def _cut(words: str) -> Tensor:
    """The beginning of a text in pieces [n, LENGTH] of characters below ``ALPHABET``; others become 0."""
    characters = torch.tensor([ord(c) if ord(c) < ALPHABET else 0 for c in words[: _MOST * LENGTH]])
    return characters[: len(characters) // LENGTH * LENGTH].view(-1, LENGTH)


def _shared_out(texts: Sequence[Tensor], generator: torch.Generator) -> list[list[int]]:
    """The texts' places, for training, validation and test: three, one and one of every five."""
    order = torch.randperm(len(texts), generator=generator).tolist()
    return [[i for n, i in enumerate(order) if n % 5 in rest] for rest in ((0, 1, 2), (3,), (4,))]
