"""A next hop's address, and the SMTP commands with parameters that are sent to it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hop:
    """A server to connect to, and the name that its certificate must have."""

    host: str
    port: int
    tls_name: str
    username: str = ""
    password: str = field(default="", repr=False)
    is_ours: bool = False
    """Configured by the operator, not by a member, so that a private address is allowed."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Command:
    """The path of MAIL or RCPT, with its ESMTP parameters."""

    path: str
    parameters: tuple[str, ...] = ()

    def encode(self, verb: str) -> bytes:
        """Returns the command line; `verb` is MAIL FROM or RCPT TO."""
        words = [f"{verb}:<{self.path}>", *self.parameters]
        return " ".join(words).encode()
