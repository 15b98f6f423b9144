"""Drives a Mozilla program's user interface by its remote protocol, Marionette."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import Any

from tests.peers.process import PATIENCE, PeerError

# Elements may be inside shadow roots, which may also hold hidden copies.
FIND = """
function find(root, selector) {
  for (const one of root.querySelectorAll(selector))
    if (one.getBoundingClientRect().width > 0) return one;
  for (const one of root.querySelectorAll('*'))
    if (one.shadowRoot) {
      const inside = find(one.shadowRoot, selector);
      if (inside) return inside;
    }
  return null;
}
return find(document, arguments[0]);
"""
CHOOSE = """
const [list, value] = arguments;
list.value = value;
for (const kind of ['input', 'change', 'command'])
  list.dispatchEvent(new Event(kind, {bubbles: true}));
"""
CAN_BE_USED = "return !arguments[0].disabled;"


class Marionette:
    """One session in the program's own windows."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._read_buffer = b""
        self._number = 0
        self._read()
        self.send("WebDriver:NewSession", capabilities={})
        self.send("Marionette:SetContext", value="chrome")

    def close(self) -> None:
        self._socket.close()

    def send(self, command: str, **parameters: Any) -> Any:
        """Sends a command and returns its result. Raises PeerError."""
        self._number += 1
        said = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(said), said))
        _, _, error, answer = self._read()
        if error:
            raise PeerError(f"{command}: {error['message']}")
        return answer

    def _read(self) -> Any:
        while b":" not in self._read_buffer:
            self._receive()
        length, _, _ = self._read_buffer.partition(b":")
        end = len(length) + 1 + int(length)
        while len(self._read_buffer) < end:
            self._receive()
        said = self._read_buffer[len(length) + 1 : end]
        self._read_buffer = self._read_buffer[end:]
        return json.loads(said)

    def _receive(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise PeerError("the program has gone")
        self._read_buffer += chunk

    def run(self, script: str, *arguments: Any) -> Any:
        """Runs a script in the window and returns its result."""
        answer = self.send(
            "WebDriver:ExecuteScript",
            script=script,
            args=list(arguments),
            sandbox="system",
        )
        return answer["value"]

    def find(self, selector: str) -> dict[str, str]:
        """Waits for a visible element that matches, and returns the first."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(PeerError):
                found: dict[str, str] | None = self.run(FIND, selector)
                if found:
                    return found
            time.sleep(0.1)
        raise PeerError(f"nothing to be seen at {selector}")

    def click(self, selector: str) -> None:
        """Clicks the element once it is enabled."""
        deadline = time.monotonic() + PATIENCE
        while True:
            element = self.find(selector)
            try:
                if self.run(CAN_BE_USED, element):
                    self.send("WebDriver:ElementClick", id=_id(element))
                    return
            except PeerError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise PeerError(f"{selector} stays disabled")
            time.sleep(0.1)

    def type(self, selector: str, text: str) -> None:
        """Replaces the value of a field by typing."""
        element = self.find(selector)
        self.send("WebDriver:ElementClear", id=_id(element))
        self.send("WebDriver:ElementSendKeys", id=_id(element), text=text)

    def choose(self, selector: str, value: str) -> None:
        """Selects a value from a list."""
        self.run(CHOOSE, self.find(selector), value)

    def windows(self) -> list[str]:
        return list(self.send("WebDriver:GetWindowHandles"))

    def go_to(self, window: str) -> None:
        self.send("WebDriver:SwitchToWindow", handle=window, focus=True)


def _id(element: dict[str, str]) -> str:
    [found] = element.values()
    return found
