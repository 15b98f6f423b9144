"""A member's Postfix whose OpenDKIM signs, and what we find out about its mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.mail.header import HeaderBlock
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection, Person, UnprovenMail
from engine.storage import content
from engine.storage.models import Message
from portal.demo.certificates import Authority
from portal.demo.dns_server import NameServer
from tests.engine.whole.conftest import SECRET
from tests.peers.dkim_signer import DkimSigner
from tests.peers.engine import Engine
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until
from tests.signing import Signer, rsa_key

pytestmark = pytest.mark.slow

FIRM = Signer("firm.example", rsa_key())
BOB = "bob@northfield.secure.example"
LETTER = (
    "From: Jane <jane@firm.example>\nTo: bob@northfield.secure.example\n"
    "Date: Mon, 30 Nov 2026 10:00:00 +0000\nMessage-ID: <{subject}@firm.example>\n"
    "Subject: {subject}\n\nGood  morning \n.dotted\n\n\n"
)
# Postfix changes this subject after the milter has signed it.
CHECKS = "/^Subject: altered/ REPLACE Subject: Altered by a gateway\n"


@pytest.fixture
def postfix(
    transactional_db: None,
    authority: Authority,
    firm_with_credential: Connection,
    bob: Person,
    name_server: NameServer,
) -> Iterator[Postfix]:
    """The firm's Postfix, which signs and relays through a gate that holds the rest."""
    firm_with_credential.unproven_mail = UnprovenMail.HOLD
    firm_with_credential.save()
    own = authority.issue("mail.firm.example")
    FIRM.publish(name_server)
    name_server.add_text("firm.example", "v=spf1 a:localhost.firm.example -all")
    name_server.add("localhost.firm.example", "A", "127.0.0.1")
    name_server.add_text("_dmarc.firm.example", "v=DMARC1; p=reject")
    with Engine(authority, POSTERN_CLAMD="off") as engine, DkimSigner(FIRM) as signer:
        options = {"non_smtpd_milters": signer.milter, "smtpd_milters": signer.milter}
        server = Postfix(
            "firm.example",
            cert_file=own.cert_file,
            key_file=own.key_file,
            options=options,
        )
        checks = server.folder / "checks"
        checks.write_text(CHECKS)
        checks.chmod(0o644)
        server._settings["smtp_header_checks"] = f"regexp:{checks}"
        server.relay_through(
            "localhost",
            engine.ports["smtp"],
            username="firm",
            password=SECRET,
            ca_file=authority.ca_file,
        )
        with server:
            yield server


def test_what_opendkim_signs_is_proved_and_what_is_altered_after_it_is_not(
    postfix: Postfix,
) -> None:
    for subject in ("whole", "altered"):
        letter = LETTER.format(subject=subject).encode()
        postfix.send(letter, sender="jane@firm.example", recipients=[BOB])
    wait_until(lambda: Recipient.objects.count() == 2, "both messages")

    [kept] = Message.objects.select_related("content")
    header = HeaderBlock.parse(content.header(kept))
    assert kept.subject == "whole"
    assert header.fields[0].text.split("; ")[1:] == [
        "spf=pass smtp.mailfrom=firm.example",
        "dkim=pass header.d=firm.example header.s=selector1 header.a=rsa-sha256",
        "dmarc=pass header.from=firm.example policy.dmarc=reject",
        "arc=none",
    ]
    held = Recipient.objects.select_related("message__content").get(hold="unproven")
    assert held.status == RecipientStatus.HELD
    stored = HeaderBlock.parse(content.header(held.message))
    assert 'dkim=fail reason="the header was changed"' in stored.fields[0].text
    assert stored.text("Subject") == "Altered by a gateway"
