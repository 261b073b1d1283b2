"""The cockpit's page beside 500 strangers: connections that ask for nothing, and how long the owner waits meanwhile.

One half of them says nothing at all, the other half of a request; they come from a process of their own. The owner
opens the page with the token and loads it, again and again, while they come and once they are all there.
"""

from __future__ import annotations

import http.client
import platform
import statistics
import subprocess
import sys
import time
from urllib.parse import urljoin

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server
from report import write

STRANGERS, VISITS = 500, 50
_HOLD = """
import socket, sys
wires = []
for i in range(int(sys.argv[2])):
    wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
    wire.sendall(b"GET / HTTP/1.1\\r\\nHost" if i % 2 else b"")
    wires.append(wire)
print(len(wires), flush=True)
sys.stdin.readline()
"""


def visit(server: Server) -> float:
    """Seconds to open the page with the token and to load the page and its view."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    path, cookie, status = "/" + server.url.split("/", 3)[3], "", 303
    while status == 303:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.read()
        status, cookie = answer.status, (answer.getheader("set-cookie") or cookie).split(";")[0]
        path = urljoin(path, answer.getheader("location") or "")
    for name in ("host.js", "cockpit.js", "cockpit.css"):
        connection.request("GET", urljoin(path, name), headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        status = max(status, answer.status)
    connection.close()
    if status != 200:
        raise RuntimeError(f"the owner's page was answered with {status}")
    return time.perf_counter() - began


def main() -> None:
    controller = Controller(pn.Navigator(pn.problems.quadratic(n=10, m=3)))
    with Server(controller) as server:
        rows = [("nobody", [visit(server) for _ in range(VISITS)])]
        command = [sys.executable, "-c", _HOLD, str(server.port), str(STRANGERS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as strangers:
            coming = [visit(server) for _ in range(VISITS)]
            if strangers.stdout is None or strangers.stdout.readline().strip() != str(STRANGERS):
                raise RuntimeError("the strangers could not all connect")
            rows += [
                (f"{STRANGERS} who come", coming),
                (f"{STRANGERS} who are there", [visit(server) for _ in range(VISITS)]),
            ]
            strangers.communicate("\n")
    controller.close()
    write(
        "strangers",
        "The cockpit's page beside connections that ask for nothing",
        [
            {"beside": beside, "median, s": statistics.median(taken), "longest, s": max(taken)}
            for beside, taken in rows
        ],
        f"Opening the page with its token and loading it with its view, {VISITS} times. "
        f"Machine: {platform.machine()}, {platform.system()}.",
    )


if __name__ == "__main__":
    main()
