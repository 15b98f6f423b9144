"""An organisation with Exim, set up with the values of its welcome letter."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Iterator

import pytest

from engine.registry.models import Connection, Person
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.engine.whole.conftest import SECRET
from tests.peers.engine import Engine
from tests.peers.exim import Exim
from tests.peers.process import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

JANE = "jane@firm.example"
BOB = "bob@northfield.secure.example"


def letter(sender: str, recipient: str) -> str:
    return (
        f"From: <{sender}>\nTo: <{recipient}>\nMessage-ID: <1@{sender}>\n"
        "Subject: The bundle\n\nGood morning\n.dotted\n"
    )


@pytest.fixture
def exim(
    authority: Authority, firm_with_credential: Connection, engine: Engine
) -> Iterator[Exim]:
    own = authority.issue("mail.firm.example")
    with Exim(
        "firm.example",
        "jane",
        cert_file=own.cert_file,
        key_file=own.key_file,
        gate_host="localhost",
        gate_port=engine.ports["smtp"],
        username="firm",
        password=SECRET,
        ca_file=authority.ca_file,
    ) as server:
        firm_with_credential.next_hop_port = server.port
        firm_with_credential.next_hop_tls_name = "mail.firm.example"
        firm_with_credential.save()
        yield server


def test_mail_goes_both_ways_between_an_exim_and_a_hosted_member(
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
    exim: Exim,
) -> None:
    exim.send(letter(JANE, BOB).encode(), sender=JANE, recipients=[BOB])
    wait_until(Message.objects.exists, f"mail from Exim\n{exim.log()}")

    received = Message.objects.get()
    assert received.from_address == "jane@firm.example.secure.example"
    assert received.subject == "The bundle"

    with bobs_client(engine) as client:
        client.sendmail(BOB, received.from_address, letter(BOB, received.from_address))

    [kept] = exim.wait_for_messages()
    assert b"From: <bob@northfield.secure.example>" in kept
    assert b"for jane@firm.example" in kept
    assert kept.endswith(b"\n\nGood morning\n.dotted\n")
    assert "X=TLS1.3" in exim.log()
    # K: by BDAT, because CHUNKING is offered.
    assert re.search(rf"=> {BOB} .* K C=\"250 2.0.0 Kept as ", exim.log())
