"""The one order of rooms: no import runs back up, neither for types only nor inside of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import paretonav

SOURCE = Path(paretonav.__file__).parent
ORDERS = (
    "errors, text, statistics, dominance, remarks, undisturbed < display, declared, processes < objectives < geometry "
    "< steering.changes < steering.outcome < steering.measured < steering.preferences < steering.planning "
    "< steering.stepping < steering.reporting < steering < session < navigation",
    "steering < atlas < navigation",
    "objectives < problems",
    "objectives < trainers < the package",
    "session < plotting < terminal",
    "navigation < terminal < cli",
    "navigation < cockpit < cli",
    "navigation, plotting < loggers < the package",
    "problems < cli",
    "cli, problems < the package",
)
"""From the ground floor up; ``steering`` alone is its ``__init__``, which shows what the rooms in it make."""
PACKAGE, OUTSIDE = "the package", "__main__"


def rooms_below(orders: tuple[str, ...]) -> dict[str, set[str]]:
    """Room -> all rooms below it, by whatever way."""
    below: dict[str, set[str]] = {}
    for order in orders:
        floors = [[room.strip() for room in floor.split(",")] for floor in order.split("<")]
        for lower, upper in zip([[], *floors], floors, strict=False):
            for room in upper:
                below.setdefault(room, set()).update(lower)
    for _ in below:  # as long a way as there can be
        for known in below.values():
            known.update(*(below[room] for room in set(known)))
    return below


BELOW = rooms_below(ORDERS)


def room_of(module: str) -> str:
    """The room that a module, or a name in one, is in."""
    parts = module.split(".")[1:]
    if not parts:
        return PACKAGE
    inner = ".".join(parts[:2])
    return inner if inner in BELOW else parts[0] if parts[0] in BELOW else PACKAGE


def imports_of(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """What a module imports from paretonav, wherever in it, as full names."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "paretonav")
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) + 1 - node.level] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            if base.split(".")[0] == "paretonav":
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and isinstance(node.args[0], ast.Constant)
            and str(node.args[0].value).startswith("paretonav")
        ):
            yield str(node.args[0].value)


def wrong(module: str, imports: Iterator[str]) -> list[str]:
    room = room_of(module)
    return [
        f"{module} imports {name}: {room} is not above {room_of(name)}"
        for name in imports
        if room_of(name) != room and room_of(name) not in BELOW[room]
    ]


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def test_every_module_is_in_a_room() -> None:
    homeless = [name for name, _ in modules() if room_of(name) == PACKAGE]
    assert homeless == ["paretonav", f"paretonav.{OUTSIDE}"]


def test_no_import_runs_back_up() -> None:
    found = [
        line
        for name, path in modules()
        for line in wrong(
            name, imports_of(path.read_text("utf-8"), name, is_package=path.name == "__init__.py")
        )
    ]
    assert not found, "\n".join(found)


def test_the_order_has_no_circle() -> None:
    assert not [room for room, below in BELOW.items() if room in below]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("paretonav.navigation.navigator", "def f():\n    from paretonav.cockpit.cockpit import Cockpit"),
        (
            "paretonav.plotting.save",
            "if TYPE_CHECKING:\n    from paretonav.navigation import Navigator",
        ),
        ("paretonav.geometry.front", "from paretonav import steering"),
        ("paretonav.geometry.front", "import paretonav.steering.planning"),
        ("paretonav.geometry.front", "from ..steering.changes import Changes"),
        ("paretonav.session.record", "import importlib\nimportlib.import_module('paretonav.cli')"),
        ("paretonav.steering.planning.plan", "from paretonav.steering import Step"),
        ("paretonav.cockpit.here", "from paretonav.plotting.data import at"),
        ("paretonav.problems.dtlz", "from paretonav import Navigator"),
    ],
)
def test_what_runs_back_up_is_found(module: str, source: str) -> None:
    assert len(wrong(module, imports_of(source, module))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("paretonav.steering.planning.plan", "from paretonav.steering.preferences import Aim"),
        ("paretonav.geometry.front", "from .tangent import Tangent\nfrom ..text import number"),
        ("paretonav.cli.app", "from paretonav import problems"),
        ("paretonav", "from paretonav.navigation import Navigator"),
    ],
)
def test_what_goes_down_is_fine(module: str, source: str) -> None:
    assert not wrong(module, imports_of(source, module))
