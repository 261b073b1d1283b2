"""Names, numbers and lists as a person reads them, whatever they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable

_MOST_DECIMALS = 9  # what is smaller is told by its power of ten
_JOINERS = "\u200c\u200d"
DUST = 1e-12
"""Of a number: a change of it that is no more is what arithmetic has left behind."""


def printable(text: str) -> str:
    """``text`` with everything that would move a cursor or start an escape sequence spelled out.

    What joins letters (a family of emoji, a word of Persian) does neither and stays, unless it is beside plain ASCII,
    where it has nothing to join.
    """
    before = (" " + text)[: len(text)]
    return "".join(
        ch
        if ch.isprintable() or (ch in _JOINERS and not last.isascii())
        else ch.encode("unicode_escape").decode("ascii")
        for last, ch in zip(before, text, strict=True)
    )


def in_quotes(text: object) -> str:
    """``text`` in quotes within a sentence, as it is read; of what is no text its ``repr``.

    Of a text that would spell out what joins letters.
    """
    if not isinstance(text, str):
        return repr(text)
    mark = '"' if "'" in text and '"' not in text else "'"
    return f"{mark}{printable(text)}{mark}"


def shortened(text: str, most: int) -> str:
    """``text``, or so many letters of it, the last an ellipsis; none of them is left with nobody to join."""
    return text if len(text) <= most else text[: most - 1].rstrip(" " + _JOINERS) + "\u2026"


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "?")) else ".")


def listed(words: Iterable[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = list(words)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def number(value: float, sign: str = "") -> str:
    """The shortest decimal that reads back as ``value``, with a leading plus if ``sign`` is "+"."""
    short = format(value, f"{sign}g")
    return short if float(short) == value else format(value, f"{sign}")


def decimals(loss: float) -> int:
    """How many decimals show four or more significant digits of ``loss``."""
    if not math.isfinite(loss) or loss == 0:
        return 4
    size = math.floor(math.log10(abs(loss)))
    return min(max(4 - max(0, size), 0) if size >= -1 else 3 - size, _MOST_DECIMALS)


def value(x: float, like: float) -> str:
    """``x`` with as many decimals as suit the loss ``like``."""
    return f"{x:.{decimals(like)}f}"


def change(x: float, like: float) -> str:
    """``x`` with a sign, unless it rounds to zero."""
    return _signed(f"{x:+.{decimals(like)}f}")


def relative(x: float, base: float) -> str:
    """The change ``x`` in per cent of ``base``."""
    return _signed(f"{100 * x / abs(base):+.1f}") + "%" if base else "-"


def weight(x: float) -> str:
    """A weight, to three decimals."""
    text = f"{x:.3f}"
    return text if float(text) else text.lstrip("-")


def percent(x: float) -> str:
    """The fraction ``x`` in per cent."""
    return f"{100 * x:.1f}%" if x >= 0.01 else f"{100 * x:.2g}%"


def seconds(x: float) -> str:
    """A time as one would say it: "0.4 s", "12 s", "3:05 min"."""
    if x < 59.5:
        return f"{x:.1f} s" if x < 9.95 else f"{x:.0f} s"
    minutes, rest = divmod(round(x), 60)
    return f"{minutes}:{rest:02} min"


def _signed(text: str) -> str:
    return text if float(text) else text.lstrip("+-")
