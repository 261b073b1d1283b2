"""Whether what comes from outside is what it is declared to be: a message from a page, a file that anybody wrote.

What is expected is said once, as a table of names and types. A type may have a limit:

    POINT = {"id": Annotated[int, AtMost(2**53, "up to 2^53")], "note": str | None}

Checks that are written by hand, each where it is needed, differ, and one of them has a hole. So all go through here.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from paretonav.text import listed

_T = TypeVar("_T")


class DeclaredError(ValueError):
    """Something is not what it is declared to be. The message, "a request without 'point'", names the part."""


@dataclass(frozen=True)
class AtMost:
    """A limit of a type: of a number its size, whatever its sign; of text and lists, how long they are.

    NaN is within no limit.

    Attributes:
        most: the limit.
        words: the same as a person reads it behind the type: "up to 100".
    """

    most: float
    words: str


class Field(NamedTuple):
    """What is declared of a field of a dataclass.

    Attributes:
        hint: its type.
        required: whether it has no default.
    """

    hint: Any
    required: bool


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type, its entries included; of arrays only that they are.

    Whole numbers are floats, too, and truth values are no numbers.

    Example:
        >>> fits({"a": 1}, dict[str, float]), fits({"a": "1"}, dict[str, float]), fits(True, int | None)
        (True, False, False)
        >>> fits(float("nan"), Annotated[float, AtMost(1e308, "that is finite")])
        False
    """
    if hint is Any or type(value) is hint:
        return True
    hint = _resolved(hint)
    origin, arguments = _parts(hint)
    if hint is None or hint is NoneType:
        return value is None
    if origin is Annotated:
        return fits(value, arguments[0]) and all(
            _is_within(value, limit) for limit in arguments[1:] if isinstance(limit, AtMost)
        )
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


def parts_of(
    given: object, declared: Mapping[str, Any], what: str, *, all_there: bool = True
) -> dict[str, Any]:
    """The declared parts of an object; others are left out.

    Args:
        given: what came.
        declared: name -> type.
        what: what it should be, for messages: "request".
        all_there: whether none may be missing. Otherwise those that are missing or None are None.

    Raises:
        DeclaredError: it is no object, or a part is missing, or of another type; names the part.

    Example:
        >>> parts_of({"seq": 3, "by": "me"}, {"seq": int, "point": int}, "request", all_there=False)
        {'seq': 3, 'point': None}
        >>> parts_of({"seq": "3"}, {"seq": Annotated[int, AtMost(9, "up to 9")]}, "request")
        Traceback (most recent call last):
        paretonav.declared.DeclaredError: a request whose 'seq' is '3', not a whole number up to 9
    """
    if not isinstance(given, Mapping):
        raise DeclaredError(f"no {what}")
    found = {}
    for name, hint in declared.items():
        value = given.get(name)
        if all_there and name not in given:
            raise DeclaredError(f"a {what} without {name!r}")
        if (all_there or value is not None) and not fits(value, hint):
            raise DeclaredError(f"a {what} whose {name!r} is {reprlib.repr(value)}, not {in_words(hint)}")
        found[name] = value
    return found


def fields_of(kind: type) -> dict[str, Field]:
    """What is declared of the fields that a dataclass is made of."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        f.name: Field(hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(kind)
        if f.init
    }


def made(kind: type[_T], given: Mapping[str, Any], declared: Mapping[str, Field]) -> _T:
    """A dataclass from its fields; one that is not given has its default.

    Args:
        kind: the class.
        given: name -> value.
        declared: ``fields_of(kind)``.

    Raises:
        DeclaredError: a field is missing, unknown, or of another type than it is declared.
        Exception: whatever the class has to say of them.
    """
    what = kind.__name__
    for name in given:
        if name not in declared:
            raise DeclaredError(f"a {what} with a field {name!r} that this version does not know")
    needed = {name: hint for name, (hint, required) in declared.items() if required or name in given}
    return kind(**parts_of(given, needed, what))


def in_words(hint: Any) -> str:
    """What a type asks for.

    Example:
        >>> in_words(Annotated[int, AtMost(2**53, "up to 2^53")]), in_words(list[str] | None)
        ('a whole number up to 2^53', 'a list or nothing')
    """
    hint = _resolved(hint)
    origin, arguments = _parts(hint)
    if origin is Annotated:
        limits = [limit.words for limit in arguments[1:] if isinstance(limit, AtMost)]
        return " ".join([in_words(arguments[0]), *limits])
    if origin in (Union, UnionType):
        return listed(map(in_words, arguments), "or")
    if origin is Literal:
        return listed(map(repr, arguments), "or")
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "an object"
    if isinstance(kind, type) and issubclass(kind, Sequence):
        return "a list"
    return f"a {getattr(kind, '__name__', kind)}"


_WORDS: dict[Any, str] = {
    None: "nothing",
    NoneType: "nothing",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def _is_within(value: Any, limit: AtMost) -> bool:
    size = abs(value) if isinstance(value, int | float) else len(value)
    return bool(size <= limit.most)


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
