"""Names that are read from the right, set apart in sentences, so that lists of them keep their order on a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from paretonav.text import printable

_FROM_THE_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_FIRST, _LAST = "\u2068", "\u2069"  # first strong isolate, pop directional isolate
_SENTENCES = frozenset(
    {"asked", "caution", "conflict", "message", "price", "problem", "reason", "standing", "unsure", "words"}
)
"""What is a sentence, or a list of them, in what is published (docs/traits.md)."""


def isolating(names: Sequence[str]) -> Callable[[object], object] | None:
    """What sets these names apart in all sentences of a JSON value; None where none of them is read from the right.

    Sentences for a terminal stay as they are: there, an isolate is a letter that nobody can read.
    """
    mirrored = sorted({printable(n) for n in names if _FROM_THE_RIGHT.search(n)}, key=len, reverse=True)
    if not mirrored:
        return None
    pattern = re.compile("|".join(map(re.escape, mirrored)))

    def sentence(value: object) -> object:
        if isinstance(value, str):
            return pattern.sub(lambda match: f"{_FIRST}{match[0]}{_LAST}", value)
        return [sentence(one) for one in value] if isinstance(value, list) else each(value)

    def each(value: object, key: str = "") -> object:
        if isinstance(value, list):
            return [each(one, key) for one in value]
        if not isinstance(value, dict):
            return value
        spoken = _SENTENCES | ({"title"} if key == "options" else set())
        return {k: sentence(v) if k in spoken else each(v, k) for k, v in value.items()}

    return each
