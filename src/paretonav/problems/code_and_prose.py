"""Text of two kinds that every Python brings: its source, and the reference of the language in English."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from paretonav.errors import ProblemError, reason_of

KINDS = ("code", "prose")

_MODULES = """
argparse ast bdb calendar cmd configparser copy csv dataclasses decimal difflib enum fractions ftplib functools gettext
glob heapq imaplib inspect locale mailbox netrc numbers operator optparse os pathlib pdb pickle platform poplib pprint
queue random sched selectors shlex shutil smtplib socket stat statistics string subprocess tabnanny tarfile tempfile
textwrap threading timeit tokenize trace traceback turtle types uuid warnings weakref zipfile
"""
_SHARES = {"train": 2, "validation": 1, "test": 1}
"""Split -> how many of every four texts are in it."""
_READ = 40_000  # characters of one text, so that none takes long
_LEAST = 4  # windows of a text; from a shorter one too few could be drawn

Tokenizer = Callable[[str], Sequence[int]]


class Windows(NamedTuple):
    """The examples of a split.

    Attributes:
        tokens: kind -> [n, length].
        texts: [n], which pair of texts each is from.
    """

    tokens: dict[str, Tensor]
    texts: Tensor


def texts() -> dict[str, list[str]]:
    """Kind -> texts: modules of the standard library, and topics of its reference (what ``help("TOPIC")`` shows).

    Raises:
        ProblemError: this Python has no source, or it cannot be read.
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = [file for name in _MODULES.split() if (file := folder / f"{name}.py").is_file()]
    try:
        code = [file.read_text(encoding="utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(
            f"the source of Python's standard library cannot be read: {reason_of(error)}"
        ) from error
    try:
        from pydoc_data.topics import topics  # which a Python that was made small may lack, like the source

        prose = [topic for _, topic in sorted(topics.items())]
    except ImportError:
        prose = []
    if not (code and prose):
        raise ProblemError(
            f"this Python has no {'reference beside' if code else 'source of'} its standard library in "
            f"{str(folder)!r}, which is text to be read here; use a Python that comes with it"
        )
    return {"code": code, "prose": prose}


def occurring(texts: Mapping[str, Sequence[str]], tokenize: Tokenizer) -> Tensor:
    """The tokens that occur in the texts, as ``windows`` reads them, in increasing order."""
    return torch.tensor(
        sorted({t for of_kind in texts.values() for text in of_kind for t in tokenize(text[:_READ])})
    )


def windows(
    texts: Mapping[str, Sequence[str]],
    tokenize: Tokenizer,
    length: int,
    sizes: Mapping[str, int],
    generator: torch.Generator,
) -> dict[str, Windows]:
    """Split -> its examples: a window of each kind, side by side.

    Windows do not overlap and no text is in two splits. A text has a partner of each other kind, all of whose windows
    come with its own, so that examples of different pairs are independent.

    Args:
        texts: kind -> texts.
        tokenize: a text -> its tokens.
        length: tokens of a window.
        sizes: split -> how many examples.
        generator: of the choice.

    Raises:
        ProblemError: there are not so many.
    """
    cut = [_long_enough(of_kind, tokenize, length, generator) for of_kind in texts.values()]
    pairs = list(zip(*cut, strict=False))
    made, begin, total = {}, 0, sum(_SHARES.values())
    for split, share in _SHARES.items():
        end = begin + len(pairs) * share // total
        made[split] = _drawn(list(texts), pairs[begin:end], begin, sizes[split], split, length)
        begin = end
    return made


def _long_enough(
    texts: Sequence[str], tokenize: Tokenizer, length: int, generator: torch.Generator
) -> list[Tensor]:
    """The windows of each text that has some, [n, length], in random order; so are the texts."""
    found = []
    for i in torch.randperm(len(texts), generator=generator).tolist():
        tokens = torch.tensor(list(tokenize(texts[i][:_READ])), dtype=torch.long)
        n = len(tokens) // length
        if n >= _LEAST:
            found.append(tokens[: n * length].view(n, length)[torch.randperm(n, generator=generator)])
    return found


def _drawn(
    kinds: Sequence[str], pairs: Sequence[Sequence[Tensor]], first: int, size: int, split: str, length: int
) -> Windows:
    """As many windows of each pair as it takes, one more of each until there are enough."""
    there = [min(map(len, pair)) for pair in pairs]
    taken = [0] * len(pairs)
    for round_ in range(max(there, default=0)):
        for i, most in enumerate(there):
            if round_ < most and sum(taken) < size:
                taken[i] += 1
    if sum(taken) < size:
        raise ProblemError(
            f"there are only {sum(there)} windows of {length} tokens for {split} data, too few for {size}; give "
            f"a smaller {split}_size or a shorter length"
        )
    tokens = {
        kind: torch.cat([pair[k][:n] for pair, n in zip(pairs, taken, strict=True)])
        for k, kind in enumerate(kinds)
    }
    return Windows(tokens, torch.arange(first, first + len(pairs)).repeat_interleave(torch.tensor(taken)))
