"""What somebody sees who is not let in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.5rem;color:#1a1e24;"
    "background:#fff}h1{font-size:1.3rem}a{color:#0072b2}"
    "@media(prefers-color-scheme:dark){body{color:#e8ebef;background:#16191e}a{color:#56b4e9}}"
)
STYLE_HASH = f"'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""The style of the page, for its Content-Security-Policy."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: of HTTP.
        title: in a few words.
        text: what to do about it.
        again: whether to offer another try.
    """

    status: int
    title: str
    text: str
    again: bool = False

    def page(self) -> bytes:
        """As HTML; the texts are escaped."""
        # From a link in a mail, say, a strict cookie does not come along; from a link of its own it does.
        again = '<p><a href="./">Try again</a></p>' if self.again else ""
        title, text = escape(self.title), escape(self.text)
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{_STYLE}</style></head>"
            f"<body><main><h1>{title}</h1><p>{text}</p>{again}</main></body></html>\n"
        ).encode()


ONLY_GET = Refusal(
    405, "Only GET", "This server is only looked at; what it is asked for goes over its channel."
)
OTHER_HOST = Refusal(
    403,
    "This is not the address of this cockpit",
    "Open it under the address that was printed where it was started. If it is reached in another way, such as "
    "through a proxy or an SSH tunnel to another port, start it with --allow-host and the name in this address, with "
    "its port.",
)
OTHER_SITE = Refusal(
    403,
    "Asked for by another page",
    "Another page asked for this. Open the cockpit itself, under the address that was printed where it was started.",
)
NO_TOKEN = Refusal(
    403,
    "This cockpit is private",
    "Open it with the whole address that was printed where it was started: it ends in /?token= and a long word. "
    "If it has been started anew since, the address is a new one.",
    again=True,
)
