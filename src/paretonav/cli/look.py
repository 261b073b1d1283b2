"""Commands that look at a session on disk: they need no code of its model, and never write to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from paretonav.cli.app import errors_told
from paretonav.cockpit.saved import page_of
from paretonav.errors import SessionError
from paretonav.plotting import CHARTS, Kind, save_plot
from paretonav.session import Session
from paretonav.session.export import write_text
from paretonav.session.overview import Glance, overview
from paretonav.session.places import place
from paretonav.session.table import csv
from paretonav.terminal.console import new_console
from paretonav.terminal.overview import overview_view
from paretonav.terminal.parser import EXPORT_FORMATS, PAGE_FORMATS, PLOT_FILES, PLOT_FORMATS, path_with
from paretonav.terminal.views import compare_view, outlook_view, point_view, points_view, step_view
from paretonav.terminal.words import CommandError
from paretonav.text import in_quotes, printable

Place = Annotated[Path, typer.Argument(metavar="PATH", help="The session's folder.", show_default=False)]
Point = Annotated[
    int | None, typer.Option("--point", metavar="N", help="Not the current point but this one.")
]


def show(
    path: Place,
    point: Point = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All numbers of all points as CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    as_card: Annotated[bool, typer.Option("--card", help="The point's model card, in Markdown.")] = False,
) -> None:
    """Show a session: the tree of its points and the current one; or one point; or all of it for other programs.

    Of a folder that is no session, the sessions that are in it.
    """
    with errors_told():
        if point is None and not (as_csv or as_json or as_card) and (found := _sessions_in(path)):
            _print(overview_view(found))
            return
        _show_one(path, point, as_csv=as_csv, as_json=as_json, as_card=as_card)


def _show_one(path: Path, point: int | None, *, as_csv: bool, as_json: bool, as_card: bool) -> None:
    with _opened(path) as session:
        if as_csv + as_json + as_card > 1:
            raise CommandError("--csv, --json and --card are one or the other; give one of them")
        if as_csv or as_json:
            if point is not None:
                raise CommandError("--csv and --json have all points; leave out --point")
            typer.echo(csv(session.table()) if as_csv else session.as_json(), nl=False)
        elif as_card:
            typer.echo(session.card(point), nl=False)
        else:
            _show(session, point)


def _sessions_in(path: Path) -> tuple[Glance, ...]:
    """What there is in a folder that is no session itself."""
    folder = place(path)
    return overview(folder) if folder.is_dir() and not (folder / "session.db").exists() else ()


def compare(
    path: Place,
    points: Annotated[list[int], typer.Argument(metavar="A B ...", help="The numbers of the points.")],
) -> None:
    """Compare points of a session with the first that is named, with the standard errors of the differences."""
    with errors_told(), _opened(path) as session:
        _print(compare_view(session.compare(*points)))


def export(
    path: Place,
    file: Annotated[Path, typer.Argument(metavar="FILE.safetensors", show_default=False)],
    point: Point = None,
    card: Annotated[
        bool, typer.Option("--card", help="Write the model card next to it, as FILE.md.")
    ] = False,
) -> None:
    """Write the model of a point to a file that loads without paretonav."""
    with errors_told(), _opened(path) as session:
        target = path_with(EXPORT_FORMATS, str(file.expanduser()))
        session.export(target, point, card=card)
        record = session.current if point is None else session[point]
        number = "" if record is None else f" of point {record.id}"
        _print(f"The model{number} is in {printable(str(file))}.")


def plot(
    path: Place,
    file: Annotated[Path, typer.Argument(metavar=PLOT_FILES, show_default=False)],
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(CHARTS),
            help="What is drawn; if nothing is named, the front of two objectives, and of more how far the point has "
            "come from the start, as bars.",
            show_default=False,
        ),
    ] = None,
    point: Annotated[
        list[int] | None,
        typer.Option(
            "--point", metavar="N", help="Of which point; again for more: parallel, radar, two for bars."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="train|validation", help="The losses of which data.")
    ] = None,
) -> None:
    """Draw a session: its front, the trajectory to a point, points on parallel axes or a radar, trade-offs as bars.

    A name that ends in .html makes a page to look around in and to try things out, which works offline.
    """
    with errors_told(), _opened(path) as session:
        target = path_with(PLOT_FORMATS, str(file.expanduser()))
        if file.suffix.lower() in PAGE_FORMATS:
            if kind is not None or point or split is not None:
                raise CommandError(
                    "a page to look around in has all charts; leave out --kind, --point and --split"
                )
            write_text(target, page_of(session).text)
            _print(f"The page is in {printable(str(file))}.")
            return
        if kind is not None and kind not in CHARTS:
            raise CommandError(
                f"there is no plot of kind {in_quotes(kind)}; choose one of {', '.join(CHARTS)}"
            )
        save_plot(session, target, _kind(kind), point or None, split=split)
        _print(f"The plot is in {printable(str(file))}.")


@contextmanager
def _opened(path: Path) -> Iterator[Session]:
    with Session(path) as session:
        if session.current is None:
            raise SessionError(f"the session in {in_quotes(str(path))} has no point yet")
        yield session


def _show(session: Session, point_id: int | None) -> None:
    console, current = new_console(), session.current
    if current is None:
        return
    if point_id is None:
        records = session.records
        if session.title:
            console.print(Text(printable(session.title), style="bold"))
        console.print(points_view(records, current.id, ascii_only=console.options.ascii_only))
        console.print()
    point = session.point(current.id if point_id is None else point_id)
    record = session[point.id]
    if point_id is not None and record.parent is not None:
        console.print(step_view(record, session.point(record.parent)))
        console.print()
    console.print(point_view(point, session[0], record))
    console.print(outlook_view(point, None, ()))


def _print(what: RenderableType) -> None:
    new_console().print(what)


def _kind(kind: str | None) -> Kind | None:
    return kind  # type: ignore[return-value]  # the caller has looked
