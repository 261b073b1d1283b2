"""Values as JSON and tensors, and back: what is stored of a point, without pickle.

Only the classes listed here are ever made from what a file says, and a class is made from its fields alone: a file is
data, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from paretonav import declared
from paretonav.declared import fits
from paretonav.errors import ParetonavError, SessionError
from paretonav.geometry import Anchor, FrontModel, Geometry, Nystrom, Solution, Status, SumBend, Tangent
from paretonav.objectives import Cost, Losses, Response
from paretonav.session.record import Unstorable
from paretonav.steering import Changes, Estimates, Point, StepStatus, Trust
from paretonav.steering.measured import Measured
from paretonav.steering.preferences import KINDS
from paretonav.text import in_quotes

Json = Any
_T = TypeVar("_T")


_CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Anchor,
        Cost,
        FrontModel,
        Geometry,
        Losses,
        Measured,
        Nystrom,
        Point,
        Response,
        Solution,
        SumBend,
        Tangent,
        Trust,
        Unstorable,
        *KINDS,
    )
}
_FIELDS = {kind: declared.fields_of(kind) for kind in _CLASSES.values()}
_ENUMS: dict[str, type[Enum]] = {"SolverStatus": Status, "StepStatus": StepStatus}
_ESTIMATES: dict[str, type[Estimates]] = {"Changes": Changes, "Estimates": Estimates}
_ODD_FLOATS = {repr(value): value for value in (np.inf, -np.inf, np.nan)}
_CPU = torch.device("cpu")
_KIND = "\N{SECTION SIGN}"  # marks what is not plain JSON


def encode(value: object, tensors: dict[str, Tensor]) -> Json:
    """What JSON can hold of a value; tensors and arrays are added to ``tensors``.

    A tensor that is there already is not added again.

    Raises:
        SessionError: something in it cannot be stored.
    """
    if isinstance(value, Enum):  # before the strings that some of them are
        return {_KIND: _name_of(type(value), _ENUMS), "name": value.name}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {_KIND: "float", "value": repr(value)}
    if isinstance(value, Tensor):
        on_device = {} if value.device.type == "cpu" else {"on_device": True}
        return {_KIND: "tensor", "key": _key_of(value, tensors), **on_device}
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(np.ascontiguousarray(value))
        return {_KIND: "array", "key": _key_of(tensor.reshape(value.shape), tensors)}
    if isinstance(value, Estimates):
        parts = [dict(value), value.standard_errors, value.batches]
        return {_KIND: _name_of(type(value), _ESTIMATES), "parts": [encode(part, tensors) for part in parts]}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise SessionError(f"cannot store {value!r}: a mapping's keys must be strings")
        return {_KIND: "mapping", "items": [[key, encode(entry, tensors)] for key, entry in value.items()]}
    if isinstance(value, tuple):
        return {_KIND: "tuple", "items": [encode(entry, tensors) for entry in value]}
    if isinstance(value, list):
        return [encode(entry, tensors) for entry in value]
    if is_dataclass(value) and type(value) in _CLASSES.values():
        stored = {f.name: encode(getattr(value, f.name), tensors) for f in fields(value) if f.init}
        return {_KIND: type(value).__name__, "fields": stored}
    raise SessionError(f"cannot store a {type(value).__name__}; it is none of the kinds that a session knows")


def decode(stored: Json, tensors: Mapping[str, Tensor], device: torch.device = _CPU) -> Any:
    """The value that ``encode`` was given, with what was on a device on ``device``.

    Raises:
        SessionError: it is not what ``encode`` writes.
    """
    if stored is None or isinstance(stored, bool | int | float | str):
        return stored
    if isinstance(stored, list):
        return [decode(entry, tensors, device) for entry in stored]
    if not (isinstance(stored, dict) and isinstance(stored.get(_KIND), str)):
        raise SessionError("it holds something that paretonav does not write")
    kind = stored[_KIND]
    if kind == "float":
        return _among(_ODD_FLOATS, stored, "value")
    if kind == "tensor":
        tensor = _among(tensors, stored, "key")
        return tensor.to(device) if stored.get("on_device") else tensor
    if kind == "array":
        return _as_array(_among(tensors, stored, "key"))
    if kind == "mapping":
        pairs = _part(stored, "items", list[list[Any]])
        if any(len(pair) != 2 for pair in pairs):
            raise SessionError("it holds a mapping with an entry that is no pair")
        return {_text(key): decode(entry, tensors, device) for key, entry in pairs}
    if kind == "tuple":
        return tuple(decode(entry, tensors, device) for entry in _part(stored, "items", list[Any]))
    if kind in _ENUMS:
        return _among(_ENUMS[kind].__members__, stored, "name")
    if kind in _ESTIMATES:
        parts = [decode(part, tensors, device) for part in _part(stored, "parts", list[Any])]
        if not fits(tuple(parts), tuple[dict[str, float], dict[str, float], int]):
            raise SessionError(f"it holds a {kind!r} that is not made of numbers")
        return _ESTIMATES[kind](*parts)
    given = _part(stored, "fields", dict[str, Any])
    if kind not in _CLASSES:
        raise SessionError(f"it holds a {in_quotes(kind)}, which this version does not know")
    return made(_CLASSES[kind], {name: decode(entry, tensors, device) for name, entry in given.items()})


def made(kind: type[_T], given: Mapping[str, Any]) -> _T:
    """A dataclass from its fields; one that is not given has its default.

    Raises:
        SessionError: a field is missing, unknown, of another type than it is declared, or means nothing.
    """
    try:
        return declared.made(kind, given, _FIELDS[kind])
    except declared.DeclaredError as error:
        raise SessionError(f"it holds {error}") from error
    except (ParetonavError, ValueError) as error:  # its own checks of what its fields mean
        raise SessionError(f"it holds a {kind.__name__} that means nothing: {error}") from error


def _as_array(tensor: Tensor) -> np.ndarray[Any, Any]:
    try:
        return tensor.numpy()
    except TypeError as error:  # NumPy has no such numbers, so it has never been an array
        raise SessionError(f"it holds an array of {tensor.dtype}") from error


def _part(stored: Mapping[str, Any], name: str, hint: Any) -> Any:
    """A part of what is stored, if it is there and of the type that ``encode`` gives it."""
    if name not in stored or not fits(stored[name], hint):
        raise SessionError(
            f"it holds a {in_quotes(stored[_KIND])} whose {name!r} is not what paretonav writes"
        )
    return stored[name]


def _among(known: Mapping[str, _T], stored: Mapping[str, Any], name: str) -> _T:
    """What a part of what is stored is the name of."""
    key = _part(stored, name, str)
    if key not in known:
        raise SessionError(f"it holds a {in_quotes(stored[_KIND])} with an unknown {name} {in_quotes(key)}")
    return known[key]


def _name_of(kind: type, known: Mapping[str, type]) -> str:
    for name, candidate in known.items():
        if candidate is kind:
            return name
    raise SessionError(f"cannot store a {kind.__name__}; it is none of the kinds that a session knows")


def _key_of(tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    """The name under which ``tensors`` has it; one that lies in the same place with the same shape is the same."""
    for key, there in tensors.items():
        if _place(there) == _place(tensor) and tensor.numel():
            return key
    key = f"t{len(tensors)}"
    tensors[key] = tensor.detach()
    return key


def _place(tensor: Tensor) -> tuple[object, ...]:
    return tensor.data_ptr(), tensor.dtype, tensor.device, tuple(tensor.shape), tensor.stride()


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise SessionError(f"it holds a mapping with the key {key!r}, which is no string")
    return key
