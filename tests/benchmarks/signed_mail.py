"""A message that its sender's domain has signed, and the zone that answers for the domain."""

from __future__ import annotations

from pathlib import Path

from portal.demo.dns_server import NameServer
from tests.benchmarks.load import OCTETS, SENDER
from tests.signing import Signer, rsa_key

DOMAIN = SENDER.partition("@")[2]
LINE = "At ten in court two, with the bundle that the clerk has asked for today.\n"
# Without a Message-ID, so that the same octets are a new message each time.
HEADER = (
    f"From: Jane Miller <{SENDER}>\nTo: user@court.example\nSubject: Papers\n"
    "Date: Mon, 30 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=us-ascii\n\n"
)


def zone() -> NameServer:
    """Returns a name server that answers what a verifier asks about the domain."""
    names = NameServer(ttl=3600)
    names.add_text(DOMAIN, "v=spf1 ip4:127.0.0.1 -all")
    names.add_text(f"_dmarc.{DOMAIN}", "v=DMARC1; p=reject")
    Signer(DOMAIN, rsa_key()).publish(names)
    return names


def write(folder: Path) -> Path:
    """Writes the message as smtp-source wants it: lines end with LF alone."""
    text = HEADER + LINE * (OCTETS // len(LINE))
    signed = Signer(DOMAIN, rsa_key()).sign(text.replace("\n", "\r\n").encode())
    file = folder / "signed.eml"
    file.write_bytes(signed.replace(b"\r\n", b"\n"))
    return file
