"""Opening a browser where there is one."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser


def can_open() -> bool:
    """Whether a browser with a window can be expected: not over SSH, and not one that would take the terminal."""
    if os.environ.get("BROWSER"):
        return True
    windowless = not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform not in ("win32", "darwin") and windowless:
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def open_soon(url: str) -> None:
    """Open it without waiting: some browsers give the control back only when they are closed."""
    threading.Thread(target=webbrowser.open, args=(url,), name="paretonav-browser", daemon=True).start()
