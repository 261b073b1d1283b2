"""What a page needs that goes on without Python: the outlooks of many modes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product

from paretonav.cockpit.messages import Mode
from paretonav.cockpit.outlook import Json, ends_of, inputs_of, reaches_of, what_if_map
from paretonav.geometry import FrontModel
from paretonav.steering.planning.reaches import Reach

_MOST = 400  # modes: about a megabyte for five objectives
_ALL_OF = 6  # quantities, of which every choice is looked at


def saved_outlooks(front: FrontModel) -> dict[str, Json]:
    """Outlooks by ``key`` for a page that nobody answers: of improve and hold, those with the fewest first."""
    names = front.steerable
    sensible = [i for i in range(len(names)) if front.orientation[i]]
    wanted = sorted(
        (choice for choice in product(("", "improve", "hold"), repeat=len(names)) if "improve" in choice)
        if len(names) <= _ALL_OF
        else _few(len(names)),
        key=lambda choice: sum(map(bool, choice)),
    )
    saved: dict[str, Json] = {}
    ends: dict[tuple[int, tuple[int, ...]], Reach | None] = {}
    for choice in wanted:
        if len(saved) == _MOST:
            break
        if any(kind == "improve" and i not in sensible for i, kind in enumerate(choice)):
            continue
        modes = {name: Mode(kind) for name, kind in zip(names, choice, strict=True) if kind}  # type: ignore[arg-type]
        found = what_if_map(front, modes)
        if found is None:
            continue
        held = tuple(i for i, kind in enumerate(choice) if kind == "hold")
        reaches: dict[int, Reach] = {}
        for i in inputs_of(modes, front):
            if (i, held) not in ends:
                alone = {names[i]: Mode("improve")} | {names[j]: Mode("hold") for j in held}
                ends[i, held] = reaches_of(front, alone).get(i)
            end = ends[i, held]
            if end is not None:
                reaches[i] = end
        saved[key(modes)] = {
            "asked": "",
            "problem": "",
            "inputs": inputs_of(modes, front),
            "reach": ends_of(front, modes, reaches),
            "map": found,
            "exact": None,
        }
    return saved


def key(modes: Mapping[str, Mode]) -> str:
    """What modes are found by among the saved ones."""
    return json.dumps([[name, mode.kind] for name, mode in modes.items()], separators=(",", ":"))


def _few(q: int) -> Sequence[tuple[str, ...]]:
    """One or two improved, at most one held."""
    found = []
    for i in range(q):
        for j in range(i, q):
            for held in range(-1, q):
                if held not in (i, j):
                    found.append(
                        tuple("improve" if k in (i, j) else "hold" if k == held else "" for k in range(q))
                    )
    return found
