"""What of a module is not steered, but decides on the losses, too: its other parameters and its buffers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from torch import Tensor, nn

from paretonav.objectives import trees
from paretonav.objectives.place import version


class Seen(NamedTuple):
    """A tensor as it was.

    Attributes:
        kind: "parameter" or "buffer".
        tensor: the very one.
        version: how often it had been written to.
        numbers: see ``trees.fingerprint``.
    """

    kind: str
    tensor: Tensor
    version: int
    numbers: trees.Fingerprint


State = Mapping[str, Seen]


def state(model: nn.Module, steered: Collection[Tensor], before: State | None = None) -> State:
    """All of them by name; only those that were written to since ``before`` are read."""
    known = {} if before is None else before
    own = set(map(id, steered))
    found = {}
    everything = (
        *(("parameter", name, p) for name, p in model.named_parameters()),
        *(("buffer", name, b) for name, b in model.named_buffers()),
    )
    for kind, name, tensor in everything:
        if id(tensor) in own:
            continue
        seen = known.get(name)
        if seen is None or seen.tensor is not tensor or seen.version != version(tensor):
            seen = Seen(kind, tensor, version(tensor), trees.fingerprint(tensor))
        found[name] = seen
    return found


def changed(before: State, now: State) -> str | None:
    """The first that has other numbers than before, such as "the buffer 'norm.running_mean'"; None if none has.

    What is new has nothing to be compared with: a module may keep a table that it makes when it is first called.
    """
    for name, seen in now.items():
        if name in before and not trees.alike(before[name].numbers, seen.numbers, 0.0):
            return f"the {seen.kind} {name!r}"
    return None
