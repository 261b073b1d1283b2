"""The cockpit in a notebook cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from paretonav.cockpit import assets
from paretonav.cockpit.courier import Courier

if TYPE_CHECKING:
    from paretonav.cockpit.controller import Controller


def _down() -> Any:
    return traitlets.Any(None, allow_none=True).tag(sync=True)


class Widget(anywidget.AnyWidget):
    """A view of a controller, by traits only: those that it publishes come down, ``steer`` and ``request`` go up.

    Threads: the controller publishes from its own. Setting a trait there would nearly do, as ipykernel sends on any
    thread, but ipywidgets' bookkeeping (which value came from the browser, which notifications are held) has no lock,
    the message would answer no request, and other kernels know by their thread where to send. So a ``Courier`` brings
    everything to the event loop that the browser's messages come in on. These are taken one at a time with what goes
    down: JupyterLab sends them to a subshell, which is a thread beside the one that runs the cells, where the kernel
    has such.

    Echoes: what a browser says comes back to the other browsers of this kernel by ipywidgets' own echo, and to the
    controller's other views by the controller, which tells it here, too. That is left out: it is the past by then.

    Args:
        controller: whose view this is; it outlives the widget.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    state = _down()
    points = _down()
    job = _down()
    outlook = _down()
    trial = _down()
    answer = _down()
    steer = _down()
    kept = _down()
    spread = _down()
    request = traitlets.Any(None, allow_none=True).tag(sync=True, echo_update=False)  # concerns nobody else

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._clients: set[str] = set()  # the views in browsers, as they call themselves
        self._delivering = False
        self._courier = Courier(self._deliver)
        self._courier.follow()
        with self._courier.turn():  # so that nothing is lost in between, and nothing comes before it can
            self._end = controller.subscribe(self._published)
            try:
                super().__init__(_esm=assets.module(), _css=assets.style(), **controller.values())
            except BaseException:
                self._end()
                raise
            self.observe(self._said, ["steer", "request"])

    def close(self) -> None:
        """Take it out of the notebook; the controller goes on."""
        end = self.__dict__.pop("_end", None)  # absent if it was never complete, or is closed once more
        if end is not None:
            end()
            self._courier.close()
        super().close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        self._courier.follow()
        with self._courier.turn():
            super().set_state(sync_data)

    def _said(self, change: Any) -> None:
        """Pass on what a browser wants."""
        message = change["new"]
        if self._delivering or message is None:
            return
        client = message.get("by") if isinstance(message, dict) else None
        if isinstance(client, str):
            self._clients.add(client)
        if change["name"] == "steer":
            self._controller.steer(message)
        else:
            self._controller.request(message)

    def _published(self, trait: str, value: object, by: str | None) -> None:
        if by is None or by not in self._clients:
            self._courier.put(trait, value)

    def _deliver(self, trait: str, value: object) -> None:
        self._delivering = True
        try:
            setattr(self, trait, value)
        finally:
            self._delivering = False
