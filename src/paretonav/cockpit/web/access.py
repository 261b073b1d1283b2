"""Who may use a cockpit: the token in its address, and the folder and the cookie that it is exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from paretonav.cockpit.web.hosts import AddressError

_SHORTEST = 8  # letters of a token of one's own: what is usually asked of a password at least


class Access:
    """Lets in who has the token.

    There is a token on the own machine, too, as Jupyter has it and TensorBoard has not: a loopback port is open to
    every user and every process of the machine, and who reaches a cockpit can train, take the model away and see
    what it was trained for. It costs nobody anything, since the browser is opened with it.

    Browsers send the cookies of a host to all of its ports, so to every other program of this machine that serves
    pages. Therefore the page lies in a folder whose name nobody can guess, and its cookie is for that folder: another
    port gets it only from who asks it for the same folder.

    Cookie and folder are secrets that are derived from the token, not the token: a tab goes on when the server is
    started again with the same token, and neither the address of the page alone nor its cookie alone lets anybody in.

    Args:
        token: None makes one, "" lets everybody in.
        port: where the server listens, which the name of the cookie has.

    Raises:
        AddressError: the token can be guessed.
    """

    def __init__(self, token: str | None, port: int) -> None:
        if token and (len(token) < _SHORTEST or not token.isprintable()):
            raise AddressError(
                f"the token can be guessed; give {_SHORTEST} characters or more, or none at all"
            )
        self.token = secrets.token_urlsafe(24) if token is None else token
        self.cookie = f"paretonav-{port}"
        self.secret = self._derived("cookie")
        self.folder = "" if self.is_open else self._derived("folder")[:32]
        self.entry = self._derived("entry")[:32]
        self._once: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return not self.token

    def once(self) -> str:
        """A token that is good for one time.

        It is for opening the browser: commands and their arguments can be seen by all users of a machine.
        """
        self._once = secrets.token_urlsafe(24)
        return self._once

    def opens(self, token: str | None) -> bool:
        """Whether this is the token, or the one for one time, which it then has been."""
        if token is None or self.is_open:
            return False
        if self._once is not None and _same(token, self._once):
            self._once = None
            return True
        return _same(token, self.token)

    def inside(self, path: str) -> str | None:
        """A path as it is in the page's folder; None where it leads elsewhere."""
        if not self.folder:
            return path
        folder, slash, rest = path.removeprefix("/").partition("/")
        return f"/{rest}" if slash and _same(folder, self.folder) else None

    def is_entry(self, path: str | None) -> bool:
        """Whether this path of the folder is where the cookie is given: who knows it has shown the token."""
        return not self.is_open and path is not None and _same(path, f"/{self.entry}")

    def admits(self, cookies: Mapping[str, str]) -> bool:
        """Whether somebody with these cookies may come in."""
        return self.is_open or _same(cookies.get(self.cookie, ""), self.secret)

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), f"paretonav {purpose}".encode(), hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
