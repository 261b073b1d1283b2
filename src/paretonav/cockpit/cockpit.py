"""A navigator to be seen, in a notebook, a browser or a file; what these need is imported when it is used."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from paretonav.cockpit.still import WIDGET_VIEW, table
from paretonav.errors import ParetonavError, needing

if TYPE_CHECKING:
    from paretonav.cockpit.controller import Controller
    from paretonav.cockpit.widget import Widget
    from paretonav.navigation import Navigator


class Cockpit:
    """A navigator to be seen and steered with the mouse; shows itself as the last line of a notebook's cell.

    It has one controller, however often it is shown, so keep it in a variable and show that again. Cells may go on
    using the navigator: it refuses a second operation while one runs, wherever that was asked for, and what a cell has
    done is shown when the cell has ended (in marimo: when the cockpit is shown again, or after ``refresh``).

    In a notebook it needs the extra "notebook", as a web page the extra "web"; a saved page needs neither.

    Args:
        navigator: started or not.
        title: shown above it, as long as the session has none of its own.

    Example:
        >>> import paretonav as pn
        >>> cockpit = pn.Cockpit(pn.Navigator(pn.problems.quadratic(n=10, m=2)), title="two goals")
        >>> cockpit.title
        'two goals'
    """

    def __init__(self, navigator: Navigator, *, title: str = "") -> None:
        self._navigator = navigator
        self._title = title
        self._controller: Controller | None = None
        self._widget: Widget | None = None
        self._shell: Any = None  # of IPython, once it tells when a cell has ended

    @property
    def title(self) -> str:
        """Shown above it: the session's title, or the one that was given; can be changed.

        What is set is the session's where that has one, which somebody may have given it on the page.
        """
        return self._navigator.session.title or self._title

    @title.setter
    def title(self, title: str) -> None:
        if title != self.title:
            self._title = title
            if self._navigator.session.title:
                self._navigator.session.title = title
            if self._controller is not None:
                self._controller.title = title
                self._controller.refresh()

    @property
    def controller(self) -> Controller:
        """What carries out and publishes; it begins when it is first needed, and ends with ``close``."""
        if self._controller is None:
            from paretonav.cockpit.controller import Controller

            self._controller = Controller(self._navigator, self._title)
        return self._controller

    @property
    def widget(self) -> Widget:
        """The widget (anywidget), to be put next to others.

        Raises:
            MissingExtraError: anywidget is not installed.
        """
        if self._widget is not None and not _is_open(self._widget):
            self._widget.close()
            self._widget = None
        if self._widget is None:
            with needing("notebook", "the cockpit in a notebook (.save and .serve do without it)"):
                from paretonav.cockpit.widget import Widget
            self._widget = Widget(self.controller)
        return self._widget

    def refresh(self) -> None:
        """Show what other code has done with the navigator since."""
        self.controller.refresh()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the current point, all others and what-if as one HTML file that works offline, whole or not at all.

        Raises:
            SessionError: the name does not end in .html, or the file cannot be written.
            NavigationError: the navigation has not started.
        """
        from paretonav.cockpit.saved import save

        self.refresh()
        save(self.controller, path)

    def serve(self, **options: Any) -> Any:
        """Show it as a web page: ``paretonav.cockpit.web.serve`` of its controller, with these options.

        Raises:
            MissingExtraError: the libraries of the web page are not installed.
        """
        with needing("web", "the cockpit as a web page"):
            from paretonav.cockpit.web import serve
        self.refresh()
        return serve(self.controller, **options)

    def close(self) -> None:
        """Cancel what runs, end the controller and take the widget away; the navigator stays as it is.

        Shown again, it begins anew.
        """
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._cell_has_ended)
            self._shell = None
        widget, self._widget = self._widget, None
        controller, self._controller = self._controller, None
        if widget is not None:
            widget.close()
        if controller is not None:
            controller.close()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What IPython shows."""
        try:
            widget = self._shown()
        except ParetonavError as error:  # shown as a sentence instead of a traceback
            return {"text/plain": str(error)}
        return _beside(widget._repr_mimebundle_(**options), self.controller.values())

    def _display_(self) -> Any:
        """What marimo shows; when a cell is run again, marimo has closed the widget that it showed before."""
        return self._shown()

    def _shown(self) -> Widget:
        fresh = self._controller is None
        widget = self.widget
        if not fresh:
            self.refresh()
        self._listen()
        return widget

    def _listen(self) -> None:
        """Look whether the navigator has moved whenever a cell has ended, in IPython."""
        ipython = sys.modules.get("IPython")
        shell = None if ipython is None else ipython.get_ipython()
        if self._shell is None and shell is not None:
            self._shell = shell
            shell.events.register("post_run_cell", self._cell_has_ended)

    def _cell_has_ended(self, *_: object) -> None:
        if self._controller is None:
            return
        values = self._controller.values()
        state, points, session = values["state"], values["points"], self._navigator.session
        shown = (
            state.get("current") if isinstance(state, dict) else None,
            len(points["parent"]) if isinstance(points, dict) else 0,
        )
        current = session.current
        if shown != (None if current is None else current.id, len(session)):
            self._controller.refresh()


def _beside(shown: Any, values: Mapping[str, object]) -> Any:
    """A widget's bundle with the points as a table: an exported notebook has no widget, and would show nothing."""
    data, metadata = shown if isinstance(shown, tuple) else (shown, {})
    if not isinstance(data, dict) or WIDGET_VIEW not in data:
        return shown
    return {**data, "text/html": table(values)}, metadata


def _is_open(widget: Widget) -> bool:
    """Whether there still is a line to the browser."""
    comm: Any = widget.comm
    return comm is not None and not getattr(comm, "_closed", False)
