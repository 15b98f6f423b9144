"""curl, as a person or a script runs it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def curl(url: str, *arguments: str) -> Answer:
    """Requests a URL. Raises CalledProcessError if the server sends no response."""
    command = ["curl", "-s", "-D", "/dev/stderr", "-w", "\n%{http_code}", *arguments]
    done = subprocess.run(
        [*command, url], capture_output=True, check=True, timeout=SECONDS
    )
    body, _, status = done.stdout.rpartition(b"\n")
    lines = done.stderr.decode("latin-1").splitlines()
    said = [line.partition(":") for line in lines if ":" in line]
    headers = {name.strip().lower(): value.strip() for name, _, value in said}
    return Answer(int(status), headers, body)


class Caller:
    """A client of the API with a bearer token."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base
        self._token = token

    def __call__(
        self, method: str, path: str, data: object = None, *arguments: str
    ) -> Answer:
        said = ["-X", method, "-H", f"Authorization: Bearer {self._token}"]
        if data is not None:
            said += ["-H", "Content-Type: application/json", "-d", json.dumps(data)]
        return curl(f"{self._base}{path}", *said, *arguments)
