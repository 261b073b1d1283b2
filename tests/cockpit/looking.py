"""Looking at a page. It changes when messages arrive and frames are drawn, so what is looked for is waited for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.cockpit.watching import PATIENCE


def until(page: Any, found: str | Callable[[], Any], about: object = "") -> Any:
    """Wait until an expression of the page, or a function, comes to something; what it comes to.

    Playwright's own way to wait for an expression evaluates text in the page, where that is forbidden.
    """
    look = (lambda: page.evaluate(found)) if isinstance(found, str) else found
    deadline = time.monotonic() + PATIENCE
    while not (what := look()):
        assert time.monotonic() < deadline, about or found
        page.wait_for_timeout(20)
    return what


def drawn(page: Any) -> None:
    """Wait for frames: what has changed by now is laid out after the first, and on canvases after the second."""
    for _ in range(3):
        page.evaluate("() => new Promise(requestAnimationFrame)")


def heard(page: Any, kind: str, **content: object) -> Any:
    """The last message of a kind, and with a content, that the page has sent: it arrives when it arrives."""

    def found() -> list[Any]:
        said = [message for name, message in page.controller.heard if name == kind]
        return [message for message in said if content.items() <= message.items()]

    return until(page, found, (kind, content))[-1]


def read(element: Any, *texts: str) -> str:
    """The text of an element once it has all of some texts at one moment; the words of that very moment."""

    def look() -> str:
        found = str(element.evaluate("e => e.innerText")).replace("\u202f", " ")
        return found if all(text in found for text in texts) else ""

    return str(until(element.page, look, texts))


def said(page: Any, *texts: str) -> str:
    """The sentences above the rows, once they have all of some texts."""
    return read(page.locator(".pn-summary"), *texts)


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def is_usable(found: Any) -> bool:
    return bool(found.is_visible() and found.get_attribute("aria-disabled") != "true")


def usable(page: Any, name: str) -> Any:
    """A button, once it can be used."""
    found = button(page, name)
    until(page, lambda: is_usable(found), f"{name} cannot be used")
    return found


def unusable(page: Any, name: str) -> None:
    """Wait until a button is there and cannot be used."""
    found = button(page, name)
    until(page, lambda: found.is_visible() and not is_usable(found), f"{name} can be used")


def at_point(page: Any, number: int) -> None:
    """Wait until the page shows a point as the current one."""
    page.locator(".pn-point", has_text=re.compile(rf"^point {number}(?!\d)")).wait_for()


def mode(page: Any, name: str) -> Any:
    return page.get_by_label(f"What to ask of {name}", exact=True)


def number(page: Any, name: str) -> Any:
    return page.get_by_label(f"{name}, number", exact=True)


def slider(page: Any, name: str) -> Any:
    """The slider of a quantity, once it is known how far it goes: before that it stays where it is."""
    found = page.get_by_role("slider", name=name, exact=True)
    until(page, lambda: is_usable(found), f"the slider of {name} cannot be moved")
    return found


def ask(page: Any, name: str, percent: float) -> None:
    """Ask for an improvement by keys; returns once that has been answered for these modes."""
    mode(page, name).select_option("improve")
    number(page, name).fill(str(percent))
    number(page, name).press("Tab")


def measured(page: Any, name: str) -> str:
    """What a trial has come to for a quantity, once it is shown."""
    row = page.locator(".pn-row").filter(has=mode(page, name))
    return read(row.locator(".pn-trial"), "measured")
