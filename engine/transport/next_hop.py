"""What a conversation with a next hop is held about: where it leads, and its commands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a conversation leads, and the name its certificate must carry."""

    host: str
    port: int
    tls_name: str
    username: str = ""
    password: str = field(default="", repr=False)
    is_ours: bool = False
    """Named by the operator, not by a member: it may stand anywhere."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Command:
    """A path with its ESMTP parameters."""

    path: str
    parameters: tuple[str, ...] = ()

    def encode(self, verb: str) -> bytes:
        words = [f"{verb}:<{self.path}>", *self.parameters]
        return " ".join(words).encode()
