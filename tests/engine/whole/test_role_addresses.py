"""Real mail servers write to postmaster@ and abuse@, and a person reads it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

import pytest
from django.conf import settings

from engine.registry.models import Connection, Person
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests import factories
from tests.engine.whole.conftest import SECRET
from tests.peers.engine import Engine
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

LETTER = (
    b"From: Jane <jane@firm.example>\nSubject: Mail of yours\n\nIt does not arrive.\n"
)


@pytest.mark.parametrize("name", ["postmaster", "Abuse"])
def test_a_server_reaches_administrators_and_the_helpdesk(
    authority: Authority,
    firm_with_credential: Connection,
    alice: Person,
    bob: Person,
    engine: Engine,
    name: str,
) -> None:
    community = settings.POSTERN.community_domain
    operator = factories.make_organisation(name="Service desk")
    factories.make_domain(operator, community)
    helpdesk = factories.make_group_mailbox(settings.POSTERN.helpdesk_address, operator)
    wait_until(lambda: _is_taken(engine, authority, f"{name}@{community}"), "routes")

    said = _swaks(engine, authority, f"{name}@northfield.secure.example")

    assert said.code == 0, said.transcript
    wait_until(lambda: Message.objects.count() == 2, "the messages")
    inboxes = Message.objects.values_list("mailbox_id", flat=True)
    assert sorted(inboxes) == sorted([alice.mailbox.pk, helpdesk.pk])


def _is_taken(engine: Engine, authority: Authority, recipient: str) -> bool:
    return _swaks(engine, authority, recipient).code == 0


def _swaks(engine: Engine, authority: Authority, recipient: str):
    return swaks(
        engine.ports["smtp"],
        *tls_options(authority.ca_file),
        *login_options("firm", SECRET),
        sender="jane@firm.example",
        recipient=recipient,
        message=LETTER,
    )


def test_a_postfix_without_a_postmaster_leaves_it_to_an_administrator(
    authority: Authority,
    firm_with_credential: Connection,
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
) -> None:
    own = authority.issue("mail.firm.example", "localhost")
    jane = factories.make_person(
        "jane@firm.example.secure.example", firm_with_credential.organisation
    )
    factories.make_administrator(jane)
    with Postfix(
        "firm.example", "jane", cert_file=own.cert_file, key_file=own.key_file
    ) as server:
        firm_with_credential.next_hop_host = "localhost"
        firm_with_credential.next_hop_port = server.port
        firm_with_credential.save()
        with bobs_client(engine) as client:
            wait_until(lambda: client.noop()[0] == 250, "the engine")
            client.sendmail(
                bob.address,
                "postmaster@firm.example",
                f"From: {bob.address}\r\nSubject: Trouble\r\n\r\nHello\r\n",
            )
        [got] = server.wait_for_messages("jane")

        assert b"X-Loop: postmaster@firm.example.secure.example" in got
        assert b"Return-Path: <postmaster-bounces@firm.example.secure.example>" in got
        assert "User unknown in virtual mailbox table" in server.log()
    assert not Message.objects.exists()
