"""The identity of this process: its kind, host and process id."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass, field

HOST_LENGTH = 60
_NOT_A_HOST = re.compile(r"[^A-Za-z0-9.-]")


def host() -> str:
    """Returns the name of this host, safe in file names and in labels of metrics."""
    return _NOT_A_HOST.sub("-", socket.gethostname())[:HOST_LENGTH] or "host"


@dataclass(frozen=True, slots=True)
class Identity:
    """A process of the service on a host. `kind` is engine, web or worker."""

    kind: str
    host: str = field(default_factory=host)
    pid: int = field(default_factory=os.getpid)

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"
