"""The parameters that are steered, as one flat vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from paretonav.errors import ProblemError
from paretonav.objectives.problem import Entry


class FlatParameters:
    """Chosen parameters of a module, read and written as one vector in the module's own order.

    A parameter that is tied, so that the module has it under several names, is in the vector once, under its
    first name; a pattern may match any of them.

    Args:
        module: the module; only these parameters are ever written.
        patterns: names or shell-style patterns ("trunk.*"), one or several; by default every parameter that
            requires grad. A parameter that is named outright or matched is steered even if it is frozen for
            training.

    Attributes:
        dtype: of the vector: float64 if all steered parameters are, else float32. Parameters in bfloat16 or
            float16 are rounded at use and when written, so that what is evaluated at a vector is what is
            written; reading it again gives entries that differ by up to 2^-8 (bfloat16) or 2^-11 (float16)
            of their size.
        device: of all steered parameters.
        sizes: how many entries each has, in the order of the vector.
        lent: whether the module has other values in their places just now, which somebody will take out again.

    Raises:
        ProblemError: a pattern matches nothing, nothing is left to steer, or the chosen parameters are not
            floating-point, mix float64 with others, mix devices, or share memory without being tied.
    """

    def __init__(self, module: nn.Module, patterns: str | Sequence[str] | None = None) -> None:
        self._module = module
        self._chosen = _chosen(module, patterns)
        for name, p in self._chosen.items():
            if is_lazy(p):
                raise ProblemError(f"parameter {name!r} is not initialised; call the model on a batch first")
            if p.is_inference():
                raise ProblemError(
                    f"parameter {name!r} was made in inference mode, so that it can have no gradient; make the model "
                    "outside of torch.inference_mode()"
                )
            if p.dtype not in _DTYPES:
                raise ProblemError(
                    f"parameter {name!r} is of dtype {p.dtype}; only parameters in float16, bfloat16, float32 "
                    "or float64 can be steered, choose others with parameters="
                )
        kinds = {(p.dtype, p.device): name for name, p in self._chosen.items()}
        dtypes, devices = ({kind[k] for kind in kinds} for k in range(2))
        if len(devices) > 1 or (torch.float64 in dtypes and len(dtypes) > 1):
            kind = ", ".join(f"{name!r} is {dtype} on {device}" for (dtype, device), name in kinds.items())
            raise ProblemError(
                f"the steered parameters mix dtypes or devices: {kind}; convert the model with .to(...) or "
                "choose a uniform subset with parameters="
            )
        self.device = next(iter(self._chosen.values())).device
        self.dtype = torch.float64 if torch.float64 in dtypes else torch.float32
        self.lent = False
        self._places = _places(module, self._chosen.values())
        self._aliases = _aliases(module)
        self._kinds = [(p.dtype, p.device, p.shape) for p in self._chosen.values()]
        self.sizes = [p.numel() for p in self._chosen.values()]
        if self.size == 0:
            raise ProblemError(f"the steered parameters have no entries: {some_of(self._chosen)}")
        _require_own_memory(module, self._chosen)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steered parameters, in the order of the vector."""
        return tuple(self._chosen)

    @property
    def tensors(self) -> tuple[nn.Parameter, ...]:
        """The module's own parameters that are steered, in the same order."""
        return tuple(self._chosen.values())

    @property
    def size(self) -> int:
        """n, the length of the vector."""
        return sum(self.sizes)

    @property
    def as_views(self) -> bool:
        """Whether ``replacements`` are views of the vector: no parameter has another dtype."""
        return all(p.dtype == self.dtype for p in self.tensors)

    def require_in_place(self) -> None:
        """Refuse a module in which the parameters are no longer the ones that it had.

        Raises:
            ProblemError: one was replaced or converted, or is found under another name; names it, and the remedy.
        """
        if self.lent:
            return
        now = dict(self._module.named_parameters(remove_duplicate=False))
        for (name, p), places, kind in zip(self._chosen.items(), self._places, self._kinds, strict=True):
            if any(now.get(path) is not p for path in places):
                what = (
                    "is another tensor than"
                    if any(path in now for path in places)
                    else "is no longer where it was"
                )
                what += " when the problem was made (load_state_dict(assign=True), a new layer, a late parametrisation)"
            elif (p.dtype, p.device, p.shape) != kind:
                what = f"is {p.dtype} of shape {list(p.shape)} on {p.device}, and was "
                what += f"{kind[0]} of shape {list(kind[2])} on {kind[1]} when the problem was made"
            else:
                continue
            raise ProblemError(
                f"parameter {name!r} of the model {what}; what is steered would not be what the model has, so make a "
                "new problem of the model as it is now, or load values in place (load_state_dict without assign)"
            )

    def holds(self, theta: Tensor) -> bool:
        """Whether the module's parameters are those that ``write(theta)`` leaves."""
        pairs = zip(self.unflatten(theta).values(), self._chosen.values(), strict=True)
        return all(
            bool(((v := value.to(p.dtype)) == p).logical_or((v != v) & (p != p)).all()) for value, p in pairs
        )

    def read(self) -> Tensor:
        """A copy of the current values, [n]."""
        self.require_in_place()
        return torch.cat([p.detach().reshape(-1).to(self.dtype) for p in self._chosen.values()])

    def write(self, theta: Tensor) -> None:
        """Set the module's parameters to ``theta`` [n], in place, so that optimizers and tied weights see it.

        Raises:
            ProblemError: as ``unflatten``; the module is as it was.
        """
        values = self.unflatten(theta)
        self.require_in_place()
        with torch.no_grad():
            for name, value in values.items():
                self._chosen[name].copy_(value)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the module has them: not their names where torch.compile has wrapped a module."""
        return tuple(path for places in self._places for path in places)

    def unflatten(self, theta: Tensor) -> dict[str, Tensor]:
        """Views of ``theta`` [n] in the parameters' shapes; gradients flow through them.

        One split, not one slice per parameter: its backward is one concatenation instead of as many
        n-vectors of zeros as there are parameters.

        Raises:
            ProblemError: ``theta`` is not [n], or of another dtype.
        """
        if theta.shape != (self.size,) or theta.dtype != self.dtype:
            raise ProblemError(
                f"a vector of shape {list(theta.shape)} and {theta.dtype} was given for the {self.size} "
                f"steered parameters of {self.dtype}; give one like those that parameters() returns"
            )
        parts = torch.split(theta, self.sizes)
        return {name: part.view(p.shape) for (name, p), part in zip(self._chosen.items(), parts, strict=True)}

    def layout(self) -> tuple[Entry, ...]:
        """The names, shapes and dtypes of the steered parameters, in the order of the vector."""
        return tuple(Entry(self._aliases[id(p)], tuple(p.shape), p.dtype) for p in self._chosen.values())

    def replacements(self, theta: Tensor) -> dict[str, Tensor]:
        """What to put in the place of the parameters: ``unflatten``, in their dtypes and in all their places."""
        parts = zip(self._places, self.unflatten(theta).values(), self.tensors, strict=True)
        values = ((places, part.to(p.dtype)) for places, part, p in parts)
        return {path: value for places, value in values for path in places}


_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def plain_name(name: str) -> str:
    """The name of a parameter as it was before torch.compile wrapped a module."""
    return name.replace("_orig_mod.", "")


def _chosen(module: nn.Module, patterns: str | Sequence[str] | None) -> dict[str, nn.Parameter]:
    """The parameters to steer, by their first names, in the module's order."""
    parameters = {plain_name(name): p for name, p in module.named_parameters()}
    if patterns is None:
        chosen = {name: p for name, p in parameters.items() if p.requires_grad}
        if not chosen:
            raise ProblemError(
                "no parameter of the model requires grad; unfreeze some or name them in parameters="
            )
        return chosen
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    names = {plain_name(name): p for name, p in module.named_parameters(remove_duplicate=False)}
    matched: set[int] = set()
    for pattern in patterns:
        found = {id(p) for name, p in names.items() if fnmatchcase(name, plain_name(pattern))}
        if not found:
            raise ProblemError(
                f"parameters={pattern!r} matches none of the model's parameters; there are: {some_of(names)}"
            )
        matched |= found
    if not matched:
        raise ProblemError(f"parameters=[] chooses nothing; there are: {some_of(names)}")
    return {name: p for name, p in parameters.items() if id(p) in matched}


def _aliases(module: nn.Module) -> dict[int, tuple[str, ...]]:
    """All names of each parameter, by its identity."""
    names: dict[int, tuple[str, ...]] = {}
    for name, p in module.named_parameters(remove_duplicate=False):
        names[id(p)] = (*names.get(id(p), ()), plain_name(name))
    return names


def _places(module: nn.Module, parameters: Iterable[nn.Parameter]) -> list[list[str]]:
    """For each parameter, the paths at which it is to be replaced.

    Several where it is tied, but one where a module is shared, which a second path would only lead to again: it would
    be replaced there by the first replacement, and never restored.
    """
    paths: dict[int, dict[tuple[int, str], str]] = {id(p): {} for p in parameters}
    for path, p in module.named_parameters(remove_duplicate=False):
        if id(p) in paths:
            owner, _, name = path.rpartition(".")
            paths[id(p)].setdefault((id(module.get_submodule(owner)), name), path)
    return [list(places.values()) for places in paths.values()]


def _require_own_memory(module: nn.Module, chosen: Mapping[str, nn.Parameter]) -> None:
    """Refuse parameters of which a part is also a part of another tensor of the module.

    The flat vector would hold two values for it, of which the module can take only one.
    """
    sharing: dict[int, dict[str, Tensor]] = {}
    for name, t in (*module.named_parameters(), *module.named_buffers()):
        if not is_lazy(t) and t.layout is torch.strided and t.numel() > 0:
            sharing.setdefault(memory_of(t), {})[plain_name(name)] = t
    for tensors in sharing.values():
        for one, other in combinations(tensors, 2):
            if (one in chosen or other in chosen) and overlap(tensors[one], tensors[other]):
                raise ProblemError(
                    f"{one!r} and {other!r} share memory but are not the same parameter, so that one "
                    "cannot be steered without the other; tie them (b.weight = a.weight) or give each its "
                    "own memory"
                )


def memory_of(tensor: Tensor) -> int:
    """Where it is; what has no memory of its own (a sparse or quantised tensor, a stand-in without data) is nowhere."""
    try:
        return tensor.untyped_storage().data_ptr() or -id(tensor)
    except RuntimeError:  # NotImplementedError is one
        return -id(tensor)


def overlap(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors in one storage have an entry in common."""
    ends = [
        t.storage_offset() + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
        for t in (a, b)
    ]
    if ends[0] < b.storage_offset() or ends[1] < a.storage_offset():
        return False
    places = torch.arange(int(max(ends)) + 1)  # interleaved columns of one matrix have no entry in common
    used = [places.as_strided(t.shape, t.stride(), t.storage_offset()).flatten() for t in (a, b)]
    return bool(torch.isin(*used).any())


def some_of(names: Iterable[str], limit: int = 12) -> str:
    """The first few names and how many more there are, for a message."""
    listed = list(names)
    more = f", and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
