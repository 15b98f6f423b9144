"""A sender over its rate gets a 4yz reply, and its next message is accepted later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from engine.queue.models import SendingCount
from engine.queue.sending_rates import rate_alerts, rate_limits
from engine.registry.actions import allowances
from engine.registry.models import Organisation, Person, SenderKind
from engine.storage.models import Message
from portal.configuration.sending_rates import Rates
from tests import factories
from tests.engine.smtp.conftest import Server

SIGN_IN = """\
s: 220 *
c: EHLO {host}
s: 250 *
c: STARTTLS
s: 220 *
tls
c: EHLO {host}
s: 250 *
c: AUTH PLAIN {credential}
s: 235 2.7.0 *
"""
ONE = """\
c: MAIL FROM:<{sender}>
s: 250 *
c: RCPT TO:<alice@northfield.secure.example>
s: 250 *
c: DATA
s: 354 *
c: From: {sender}
c:
c: Good morning
c: .
s: 250 2.0.0 *
"""
WAIT = """\
c: MAIL FROM:<{sender}>
s: 450 4.7.1 * try again in * seconds, or ask the helpdesk for more
"""


@pytest.fixture(autouse=True)
def _reset_counts() -> Iterator[None]:
    rate_limits.meter.clear()
    yield
    rate_limits.meter.clear()


def limited(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    for name, limit in limits.items():
        few = Rates(minute=limit, hour=1000, day=1000)
        monkeypatch.setattr(settings.POSTERN, name, few)


async def test_a_person_is_asked_to_wait(
    server: Server, alice: Person, app_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, person_messages=2)

    await server.say(
        "submission",
        SIGN_IN + ONE * 2 + WAIT,
        host="laptop",
        sender="bob@northfield.secure.example",
        credential=app_password,
    )

    assert await Message.objects.acount() == 2
    await sync_to_async(rate_alerts.send_due_alerts)()
    row = await SendingCount.objects.aget(span="minute")
    assert (row.messages, row.deferred) == (2, 1)


async def test_a_connection_is_asked_to_wait_until_it_has_an_allowance(
    server: Server,
    alice: Person,
    firm: Organisation,
    credential: str,
    olive: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited(monkeypatch, connection_messages=1)
    said = {
        "host": "mail.firm.example",
        "sender": "jane@firm.example",
        "credential": credential,
    }

    await server.say("receive", SIGN_IN + ONE + WAIT, **said)
    await sync_to_async(allowances.give)(
        SenderKind.ORGANISATION, firm.pk, factor=3, reason="Mailing", by=olive
    )
    await server.say("receive", SIGN_IN + ONE * 2 + WAIT, **said)

    assert await Message.objects.acount() == 3


async def test_recipients_beyond_the_rate_are_deferred_one_by_one(
    server: Server, alice: Person, app_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, person_recipients=2)
    two = """\
c: MAIL FROM:<{sender}>
s: 250 *
c: RCPT TO:<alice@northfield.secure.example>
s: 250 *
c: RCPT TO:<bob@northfield.secure.example>
s: 452 4.5.3 *
c: RSET
s: 250 *
"""

    await server.say(
        "submission",
        SIGN_IN + ONE + two,
        host="laptop",
        sender="bob@northfield.secure.example",
        credential=app_password,
    )


async def test_a_list_is_written_to_only_so_often(
    server: Server, alice: Person, app_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, list_messages=1)
    await sync_to_async(factories.make_list)(
        "all@northfield.secure.example",
        alice.organisation,
        alice.address,
        "bob@northfield.secure.example",
    )
    to_list = ONE.replace("alice@", "all@")
    refused = (
        "\n".join(to_list.splitlines()[:3]) + "\ns: 450 4.7.1 People who write *\n"
    )

    await server.say(
        "submission",
        SIGN_IN + to_list + refused,
        host="laptop",
        sender="bob@northfield.secure.example",
        credential=app_password,
    )
    await sync_to_async(rate_limits.meter.share)()

    row = await SendingCount.objects.aget(span="minute", sender__startswith="list:")
    assert (row.messages, row.recipients) == (1, 2)
