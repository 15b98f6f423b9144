"""An organisation whose community domain is not its own with the suffix, end to end."""

from __future__ import annotations

import email
import smtplib
from collections.abc import Callable

import pytest

from engine.registry.actions import connections, domains
from engine.registry.credentials import generated_secrets
from engine.registry.models import AccountType, Person
from engine.storage import content
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests import factories
from tests.peers.engine import Engine
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until

LETTER = b"""\
From: Jane <jane@organisation.example>
To: bob@northfield.secure.example
Cc: ann@organisation.example
Disposition-Notification-To: Jane <jane@organisation.example>
Mail-Followup-To: jane@organisation.example, bob@northfield.secure.example
Subject: Papers
Message-ID: <1@organisation.example>

Good morning
"""


@pytest.mark.slow
@pytest.mark.any_database
def test_mail_both_ways_with_an_agreed_domain(
    authority: Authority,
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
) -> None:
    organisation = factories.make_organisation(account_type=AccountType.SMTP)
    pair = domains.add(
        organisation,
        member_domain="organisation.example",
        community_domain="org.secure.example",
        by=None,
    )
    domains.verify(pair, by=None)
    own = authority.issue("mail.organisation.example", "localhost")
    with Postfix(
        "organisation.example", "jane", cert_file=own.cert_file, key_file=own.key_file
    ) as server:
        connection = connections.add(
            organisation,
            proof="credential",
            next_hop_host="localhost",
            next_hop_port=server.port,
            by=None,
        )
        row, secret = connections.add_credential(connection, by=None)
        assert generated_secrets.digest(secret) == row.digest
        server.stop()
        server.relay_through(
            "localhost",
            engine.ports["smtp"],
            username=row.username,
            password=secret,
            ca_file=authority.ca_file,
        )
        server.start()

        server.send(
            LETTER, sender="jane@organisation.example", recipients=[bob.address]
        )
        wait_until(Message.objects.exists, "the message")
        raw = content.read(Message.objects.select_related("content").get())
        header = email.message_from_bytes(raw)
        with bobs_client(engine) as client:
            client.sendmail(
                bob.address,
                "jane@org.secure.example",
                f"From: {bob.address}\r\nTo: {header['From']}\r\n\r\nThanks\r\n",
            )
        [reply] = server.wait_for_messages("jane")

    assert header["From"] == "Jane <jane@org.secure.example>"
    assert header["Cc"] == "ann@org.secure.example"
    assert header["Disposition-Notification-To"] == "Jane <jane@org.secure.example>"
    assert header["Mail-Followup-To"].startswith("jane@org.secure.example, bob@")
    assert b"Delivered-To: jane@organisation.example" in reply
    assert b"To: Jane <jane@org.secure.example>" in reply
