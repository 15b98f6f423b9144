"""A running service, and a member's own server that sends the corpus to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests import migrated
from tests.corpus.api_reader import ApiReader
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, Letter
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import PeerError, wait_until

# Seconds until the whole corpus has arrived on a slow machine.
PATIENCE = 600
# More calls of the API than the comparison makes in a minute.
CALLS = "100000"


@contextmanager
def running() -> Iterator[Postern]:
    """Starts the service without a virus scanner: it has tests of its own."""
    demo = migrated.prepared(migrated.DEMO)
    with Postern(
        demo, POSTERN_CLAMD="off", POSTERN_API_CALLS_A_MINUTE=CALLS
    ) as postern:
        yield postern


def send(postern: Postern, letters: Sequence[Letter]) -> dict[str, int]:
    """Sends the letters by the member's server, and waits until all have arrived.

    Returns the number of each stored message by its Message-ID.
    """
    with _members_server(postern) as server:
        for letter in letters:
            server.send(letter.raw, sender=letter.sender, recipients=[RECIPIENT])
        reader = ApiReader(postern)
        try:
            return _wait_for(reader, letters, server)
        finally:
            reader.close()


@contextmanager
def _members_server(postern: Postern) -> Iterator[Postfix]:
    """Starts the firm's Postfix, which changes nothing of what it relays."""
    connection = next(
        one["connection"]
        for one in postern.demo["organisations"]
        if one["member_domain"] == DOMAIN
    )
    server = Postfix(
        DOMAIN,
        SENDER.partition("@")[0],
        cert_file=Path(),
        key_file=Path(),
        options={
            "smtpd_tls_security_level": "none",
            "smtpd_tls_cert_file": "",
            "smtpd_tls_key_file": "",
            "smtp_line_length_limit": "0",
            "disable_mime_output_conversion": "yes",
        },
    )
    server.relay_through(
        "localhost",
        postern.ports["smtp"],
        username=connection["username"],
        password=connection["password"],
        ca_file=postern.ca_file,
    )
    with server:
        yield server


def _wait_for(
    reader: ApiReader, letters: Sequence[Letter], server: Postfix
) -> dict[str, int]:
    wanted = {letter.message_id: letter.name for letter in letters}
    found: dict[str, int] = {}

    def are_all_there() -> bool:
        found.update(reader.ids())
        return found.keys() >= wanted.keys()

    try:
        wait_until(are_all_there, "the corpus to arrive", PATIENCE)
    except PeerError as error:
        missing = [name for key, name in wanted.items() if key not in found]
        log = [line for line in server.log().splitlines() if "status=" in line]
        refused = [line for line in log if "status=sent" not in line]
        raise PeerError("\n".join([str(error), *missing, *refused[:20]])) from error
    return found
