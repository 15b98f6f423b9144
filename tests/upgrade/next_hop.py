"""The next hop of a drill, with certificates that the engines trust."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from portal.demo.certificates import Authority
from tests.next_hop import NextHop
from tests.peers.process import open_folder, remove_folder


@dataclass(frozen=True)
class Trust:
    """A certificate authority, and the settings by which an engine uses it."""

    ca_file: str
    environment: dict[str, str]


@contextmanager
def next_hop() -> Iterator[tuple[Trust, NextHop]]:
    """Starts a next hop, on the same port each time that it is started again."""
    folder = open_folder()
    authority = Authority(folder)
    own = authority.issue("localhost", "127.0.0.1")
    theirs = authority.issue("mail.harbour.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(theirs.cert_file, theirs.key_file)
    hop = NextHop(context=context)
    hop.start()
    settings = {
        "POSTERN_TLS_CERT_FILE": str(own.cert_file),
        "POSTERN_TLS_KEY_FILE": str(own.key_file),
        "POSTERN_TLS_CA_FILE": str(authority.ca_file),
    }
    try:
        yield Trust(str(authority.ca_file), settings), hop
    finally:
        hop.stop()
        remove_folder(folder)
