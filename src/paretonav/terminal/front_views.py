"""What is shown of the whole front: a map, a route on it, and a cover."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from paretonav.atlas import Cover, FrontMap, Route
from paretonav.terminal.fitting import FittingTable
from paretonav.text import listed, number, printable, seconds, sentence, value


def cover_view(cover: Cover) -> RenderableType:
    """The points of a cover with their losses, how evenly they lie, and what is missing."""
    table = FittingTable("point")
    names = list(cover.losses[0]) if cover.losses else []
    table.add_numbers(*map(printable, names))
    for point, losses in zip(cover.points, cover.losses, strict=True):
        table.add_row(str(point), *(value(losses[name], losses[name]) for name in names))
    many = f"{len(cover.points)} of {cover.wanted}" if not cover.complete else str(cover.wanted)
    title = Text(f"Cover of {many} point{'' if cover.wanted == 1 else 's'}", style="bold")
    told = [f"{cover.steps} step{'' if cover.steps == 1 else 's'} in {seconds(cover.cost.seconds)}."]
    if len(cover.spacing) > 1:
        told.insert(0, f"The largest gap is {number(round(cover.unevenness, 2))} times the mean.")
    if cover.allow:
        bounds = listed(f"{printable(name)} {value(worst, worst)}" for name, worst in cover.allow.items())
        told.append(f"The worst that counts is {bounds}.")
    notes = [Text(f"No walk leads from point {a} to point {b}.", style="yellow") for a, b in cover.gaps]
    if not cover.complete:
        notes += [Text(f"Not reached: {sentence(reason)}", style="yellow") for reason in _reasons(cover)]
    return Group(title, table, "", " ".join(told), *notes)


def map_view(front_map: FrontMap) -> RenderableType:
    """How far the front goes as it is known."""
    outcomes, table = front_map.outcomes(), FittingTable("objective")
    table.add_numbers("best", "worst")
    for i, name in enumerate(front_map.charts[0].front.names):
        column = outcomes[:, i]
        table.add_row(printable(name), *(value(float(x), float(x)) for x in (column.min(), column.max())))
    many = len(front_map.points)
    title = Text(f"The front as {many} point{'s know' if many > 1 else ' knows'} it", style="bold")
    note = Text("\nTo go somewhere from the best of them, say for example: map NAME VALUE", style="dim")
    return Group(title, table, note)


def route_line(route: Route) -> Text:
    """Where a route begins, and what it is expected to take."""
    legs = f"{route.legs} leg{'' if route.legs == 1 else 's'}"
    time = "" if route.estimate is None else f", {route.estimate.words}"
    return Text(f"It begins at point {route.start}: {legs}{time}.", style="dim")


def _reasons(cover: Cover) -> list[str]:
    """Why outcomes were not reached, each reason once, the latest three."""
    return list(dict.fromkeys(each.reason for each in cover.unreached))[-3:]
