"""The leaves that an independent parser, postal-mime, finds in a message."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.corpus.observed import digest_of
from tests.corpus.writers import openssl
from tests.peers import node

READER = Path(__file__).with_name("postal_mime_reader.mjs")
TEXTS = ("text/plain", "text/html", "text/markdown")
OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")

# Node 20 reads windows-1252 as ISO-8859-1, whose controls no text has.
_AS_WINDOWS_1252 = {
    number: bytes([number]).decode("windows-1252", "replace")
    for number in range(0x80, 0xA0)
}
_UUENCODED = re.compile(
    r"^begin(?:-base64)? [0-7]{3,4} [^\n]+\n.*?^(?:end|====)$\n?", re.S | re.M
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that is no multipart.

    `digest` is that of its octets, whose line ends are LF unless it came in base64.
    `inside` holds what it contains: an attached message's leaves, or a signed entity's.
    """

    type: str
    charset: str
    name: str
    disposition: str
    digest: str
    text: str
    inside: tuple[Leaf, ...] = ()
    is_message: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether a reader expects to see it without a download."""
        return self.type in TEXTS and self.disposition != "attachment"


def leaves_of(messages: Sequence[bytes]) -> list[tuple[Leaf, ...]]:
    """Returns the leaves of each message, in order."""
    return [tuple(_leaves(found)) for found in _read(messages)]


def _read(messages: Sequence[bytes]) -> Any:
    return node.run(READER, [b64encode(raw).decode() for raw in messages])


def _leaves(found: list[dict[str, Any]]) -> Iterator[Leaf]:
    for one in found:
        yield from _with_uuencoded(_leaf(one))


def _leaf(one: dict[str, Any]) -> Leaf:
    inside = tuple(_leaves(one["leaves"]))
    is_message = bool(one["leaves"])
    if one["type"] in OPAQUE and (entity := openssl.opened(b64decode(one["octets"]))):
        inside = leaves_of([entity])[0]
    return Leaf(
        type=one["type"],
        charset=one["charset"],
        name=one["name"],
        disposition=one["disposition"],
        digest=one["digest"],
        text=one["text"].translate(_AS_WINDOWS_1252),
        inside=inside,
        is_message=is_message,
    )


def _with_uuencoded(leaf: Leaf) -> Iterator[Leaf]:
    """Yields a text without its uuencoded files, then those files."""
    found = list(_UUENCODED.finditer(leaf.text)) if leaf.is_shown else []
    yield replace(leaf, text=_UUENCODED.sub("", leaf.text)) if found else leaf
    for one in found:
        done = subprocess.run(
            ["uudecode", "-o", "/dev/stdout"],
            input=one[0].encode(),
            capture_output=True,
            check=True,
        )
        name = one[0].partition("\n")[0].split(" ", 2)[2]
        digest = digest_of(done.stdout)
        yield Leaf("application/octet-stream", "", name, "attachment", digest, "")
