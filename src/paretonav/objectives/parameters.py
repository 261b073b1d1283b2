"""The parameters that are steered, as one flat vector."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError


class FlatParameters:
    """Chosen parameters of a module, read and written as one vector in the module's own order.

    Args:
        module: the module; only these parameters are ever written.
        patterns: names or shell-style patterns ("trunk.*"), one or several; by default every parameter that
            requires grad. A parameter that is named outright or matched is steered even if it is frozen for
            training.

    Raises:
        ProblemError: a pattern matches nothing, or the chosen parameters mix dtypes or devices.
    """

    def __init__(self, module: nn.Module, patterns: str | Sequence[str] | None = None) -> None:
        available = dict(module.named_parameters())
        if patterns is None:
            self._chosen = {name: p for name, p in available.items() if p.requires_grad}
            if not self._chosen:
                raise ProblemError("no parameter of the model requires grad; unfreeze some or name them in parameters=")
        else:
            patterns = [patterns] if isinstance(patterns, str) else list(patterns)
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in available):
                    raise ProblemError(
                        f"parameters={pattern!r} matches none of the model's parameters; there are: {_some(available)}"
                    )
            self._chosen = {
                name: p for name, p in available.items() if any(fnmatchcase(name, pattern) for pattern in patterns)
            }
            if not self._chosen:
                raise ProblemError(f"parameters=[] chooses nothing; there are: {_some(available)}")
        kinds = {(p.dtype, p.device) for p in self._chosen.values()}
        if len(kinds) > 1:
            raise ProblemError(
                f"the steered parameters mix dtypes or devices: {sorted(map(str, kinds))}; convert the model "
                "with .to(...) or choose a uniform subset with parameters="
            )
        ((self.dtype, self.device),) = kinds
        self._sizes = [p.numel() for p in self._chosen.values()]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steered parameters, in the order of the vector."""
        return tuple(self._chosen)

    @property
    def size(self) -> int:
        """n, the length of the vector."""
        return sum(self._sizes)

    def read(self) -> Tensor:
        """A copy of the current values, [n]."""
        return torch.cat([p.detach().reshape(-1) for p in self._chosen.values()])

    def write(self, theta: Tensor) -> None:
        """Set the module's parameters to ``theta`` [n], in place, so that optimizers and tied weights see it."""
        with torch.no_grad():
            for name, value in self.unflatten(theta).items():
                self._chosen[name].copy_(value)

    def unflatten(self, theta: Tensor) -> dict[str, Tensor]:
        """Views of ``theta`` [n] in the parameters' shapes; gradients flow through them.

        One split, not one slice per parameter: its backward is one concatenation instead of as many
        n-vectors of zeros as there are parameters.
        """
        if theta.shape != (self.size,):
            raise ProblemError(f"a vector of {list(theta.shape)} was given for {self.size} parameters")
        parts = theta.split(self._sizes)
        return {name: part.view(p.shape) for (name, p), part in zip(self._chosen.items(), parts, strict=True)}


def _some(names: dict[str, nn.Parameter], limit: int = 12) -> str:
    listed = list(names)
    more = f", and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
