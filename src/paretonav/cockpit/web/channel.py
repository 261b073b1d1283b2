"""One client's WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from paretonav.cockpit.web.hub import Hub
from paretonav.cockpit.web.inbox import NonsenseError, messages_of
from paretonav.cockpit.web.outbox import Outbox, Parcel, as_json

ENDED, TOO_SLOW = 4000, 4001
"""Why a channel is closed, as ``host.js`` knows it."""
_QUIET = 15.0  # seconds after which an empty message says that all is well


class Channel:
    """Sends values, as ``{trait: value}``, and takes what the view says, in the same form.

    Besides the traits there are ``received``, which acknowledges what was said, ``ignored``, which says why something
    was not understood, and empty messages, which say that the line is not dead.

    Args:
        websocket: not accepted yet.
        hub: where it belongs.
        patience: seconds after which a client that does not read is dropped.
    """

    def __init__(self, websocket: WebSocket, hub: Hub, patience: float) -> None:
        self._websocket = websocket
        self._hub = hub
        self._patience = patience

    async def run(self) -> None:
        """From the first message to the last."""
        try:
            await self._websocket.accept()
        except (WebSocketDisconnect, OSError):  # the page has gone before it was let in
            return
        outbox = self._hub.join()  # before the values are read, so that no change falls between
        sending = asyncio.create_task(self._send(outbox))
        receiving = asyncio.create_task(self._receive(outbox))
        try:
            done, _ = await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(outbox)
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)
        for task in done:
            task.result()

    async def _send(self, outbox: Outbox) -> None:
        try:
            await self._text(as_json(self._hub.values()))
            while not outbox.ended and not outbox.full:
                try:
                    parcels = await asyncio.wait_for(outbox.take(), _QUIET)
                except TimeoutError:
                    await self._text("{}")
                    continue
                for parcel in parcels:
                    await self._text(parcel.text)
        except _GoneError:
            return
        with suppress(WebSocketDisconnect, RuntimeError):  # it may have gone just now
            await self._websocket.close(TOO_SLOW if outbox.full else ENDED)

    async def _text(self, text: str) -> None:
        try:
            await asyncio.wait_for(self._websocket.send_text(text), self._patience)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # the last: uvicorn has closed it
            raise _GoneError from None

    async def _receive(self, outbox: Outbox) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                for name, content in messages_of(message.get("text")):
                    self._hub.take(name, content)
                    outbox.put(Parcel("received", {"what": name, "seq": content.get("seq")}))
            except NonsenseError as error:
                outbox.put(Parcel("ignored", str(error)))


class _GoneError(Exception):
    """A client is not there any more, or has not read for too long."""
