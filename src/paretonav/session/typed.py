"""Whether a value that was read is of the type that its field declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type, its entries included; of arrays only that they are.

    Example:
        >>> fits({"a": 1}, dict[str, float]), fits({"a": "1"}, dict[str, float]), fits(True, int | None)
        (True, False, False)
    """
    if hint is Any or type(value) is hint:
        return True
    hint = _resolved(hint)
    origin, arguments = _parts(hint)
    if hint is None or hint is NoneType:
        return value is None
    if origin in (Union, UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Any:
        return True
    kind = origin or hint
    if not isinstance(value, kind):
        return False
    if origin is tuple and arguments[-1] is not ...:
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    if not arguments:
        return True
    if isinstance(value, Mapping):
        return all(fits(key, arguments[0]) and fits(entry, arguments[1]) for key, entry in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(fits(entry, arguments[0]) for entry in value)
    return True


@cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(hint), get_args(hint)


@cache
def _resolved(hint: Any) -> Any:
    """What an alias stands for, as NumPy's ``NDArray`` is one from Python 3.12 on; anything else is itself."""
    origin, arguments = _parts(hint)
    if origin is not None and hasattr(origin, "__value__"):
        return _resolved(origin.__value__[arguments])
    return _resolved(hint.__value__) if hasattr(hint, "__value__") else hint
