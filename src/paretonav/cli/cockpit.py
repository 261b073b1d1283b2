"""Navigating in the browser: ``cockpit``, and what the demo shares with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from paretonav.cli.app import INTERRUPTED, errors_told
from paretonav.cli.folder import Folder, Precision, named, session_in
from paretonav.cli.launched import first_alone
from paretonav.cli.target import problem_of
from paretonav.navigation import Navigator
from paretonav.session.places import place
from paretonav.terminal.console import new_console, remarks_on
from paretonav.terminal.words import CommandError
from paretonav.text import in_quotes, printable

Port = Annotated[
    int,
    typer.Option(min=0, max=65535, metavar="N", help="Of the page; 0 takes a free one.", show_default=True),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address, and open no browser.")]


@dataclass(frozen=True)
class WebOptions:
    """How the page is reached; see ``paretonav.cockpit.web.Server``."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    allow_hosts: tuple[str, ...] = ()
    browser: bool = True

    def of_server(self, console: Console) -> dict[str, Any]:
        """The same as ``serve`` and ``serve_folder`` take it, with where the address is told."""
        return {
            "host": self.host,
            "port": self.port,
            "token": self.token,
            "allow_hosts": self.allow_hosts,
            "open_browser": self.browser,
            "tell": lambda line: console.print(line, soft_wrap=True),
        }


def cockpit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FUNCTION|FOLDER",
            help="Returns the problem, and takes no arguments; or a folder of sessions to look at.",
        ),
    ],
    session: Folder = None,
    precision: Precision = None,
    host: Annotated[
        str, typer.Option(metavar="NAME", help="Where to listen; 0.0.0.0 is on every network.")
    ] = "127.0.0.1",
    port: Port = 0,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PARETONAV_TOKEN",
            metavar="TEXT",
            help="What the address ends in, to be kept secret; by default one is made up. Others can see commands: "
            "the environment is the better place for it.",
        ),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let in every user and program of this machine.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME[:PORT]",
            help="Another name that the page is reached under, such as a proxy's; again for more.",
        ),
    ] = None,
    no_browser: NoBrowser = False,
) -> None:
    """Navigate a problem of your own in the browser, or look at the sessions in a folder, whose code is not needed.

    MODULE is looked for in the working directory, too; a file does as well, such as ./mine.py:problem. With --session,
    a navigation that was left is gone on with.
    Ctrl-C ends it; the exit status is 130 if that cut something off.
    Several processes share the work by torchrun --nproc-per-node 2 -m paretonav cockpit MODULE:FUNCTION.
    """
    with errors_told():
        if no_token and token is not None:
            raise CommandError("--token and --no-token are one or the other; give one of them")
        options = WebOptions(
            host, port, "" if no_token else token, tuple(allow_host or ()), browser=not no_browser
        )
        import paretonav.cockpit.web  # noqa: F401 - what is missing is told before anything is done

        if ":" not in target and Path(target).is_dir():
            if session is not None or precision is not None:
                raise CommandError(
                    f"{in_quotes(target)} is a folder of sessions, which are only looked at; leave out --session and "
                    f"--precision, or go on with a session: paretonav cockpit MODULE:FUNCTION --session "
                    f"{printable(target)}"
                )
            show_folder(place(target), options)
            return
        folder = named(session, precision)
        problem = problem_of(target)
        first_alone(problem)
        show_cockpit(
            lambda: Navigator(problem, session=session_in(folder, precision)),
            target.rpartition(":")[2],
            options,
        )


def show_cockpit(navigator_of: Callable[[], Navigator], title: str, options: WebOptions) -> None:
    """Show a navigation in the browser until Ctrl-C.

    Raises:
        MissingExtraError: the libraries of the page are not installed; nothing has been done then.
        KeyboardInterrupt: Ctrl-C has cut off a start or a step.
    """
    from paretonav.cockpit.web.serving import AtOnce

    try:
        cut_off = _served(navigator_of, title, options)
    except AtOnce:
        # The session is closed. A thread is left in the midst of a batch, on which the interpreter would trip.
        new_console(stderr=True).print("\nInterrupted.")
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(INTERRUPTED)
    if cut_off:
        raise KeyboardInterrupt


def show_folder(folder: Path, options: WebOptions) -> None:
    """Show the sessions in a folder in the browser until Ctrl-C.

    Raises:
        SessionError: it cannot be looked into.
    """
    from paretonav.cockpit.web import AddressError, serve_folder

    console = new_console()
    with remarks_on(console):
        try:
            serve_folder(folder, **options.of_server(console))
        except AddressError as error:
            raise CommandError(str(error)) from error


def save_page(navigator: Navigator, path: str) -> None:
    """Write a navigation as the page that works without it.

    Raises:
        SessionError: the file cannot be written.
    """
    from paretonav.cockpit.cockpit import Cockpit

    shown = Cockpit(navigator)
    try:
        shown.save(path)
    finally:
        shown.close()


def _served(navigator_of: Callable[[], Navigator], title: str, options: WebOptions) -> bool:
    """Show a navigation until Ctrl-C, and close its session; whether that has cut something off."""
    from paretonav.cockpit.web import AddressError, serve

    console = new_console()
    with remarks_on(console):
        navigator = navigator_of()
        with navigator.session as session:
            if session.path is None:
                console.print(
                    "The points are kept in memory; give --session PATH to go on with them another time."
                )
            try:
                return serve(navigator, title=title, **options.of_server(console))
            except AddressError as error:
                raise CommandError(str(error)) from error
