"""Wishes that are kept beside each other, with what was predicted for them: they outlive the page that keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_MOST_HERE = 8  # at one point, as the view has it: more are not compared
_MOST = 100  # at all points


def with_wish(kept: tuple[Json, ...], wish: Json) -> tuple[Json, ...]:
    """The wishes that are kept, with one more: the same is kept once, in its place, and the oldest make room."""
    same = [i for i, one in enumerate(kept) if _is_same(one, wish)]
    if same:
        return (*kept[: same[0]], wish, *kept[same[0] + 1 :])
    here = [one for one in kept if one["point"] == wish["point"]]
    gone = here[0] if len(here) >= _MOST_HERE else kept[0] if len(kept) >= _MOST else None
    return (*(one for one in kept if one is not gone), wish)


def without_wish(kept: tuple[Json, ...], wish: Mapping[str, Any]) -> tuple[Json, ...]:
    """The wishes that are kept without one."""
    return tuple(one for one in kept if not _is_same(one, wish))


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two ask for the same at the same point."""
    return bool(one["point"] == other["point"] and one["modes"] == other["modes"])
