"""A stopped sender gets a 4yz reply, on a session that was open before, too."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from engine.registry.actions import sending_stops
from engine.registry.models import Connection, Person, SendingStop
from engine.routing import routes
from engine.storage.models import Message
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_rates import ONE, SIGN_IN

STOPPED = """\
c: MAIL FROM:<{sender}>
s: 450 4.7.1 Mail * is stopped for now by an operator of this service; nothing is lost*
"""


async def lift_all() -> None:
    for one in [one async for one in SendingStop.objects.all()]:
        await sync_to_async(sending_stops.lift)(one, reason="Over", by=None)


async def test_an_open_session_of_a_person_is_stopped_and_goes_on(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    values = {"sender": bob.address, "credential": app_password, "host": "laptop"}
    talk = await server.begin("submission")

    await asyncio.to_thread(talk.say, SIGN_IN + ONE, **values)
    await sync_to_async(sending_stops.stop)(bob, reason="Spam", by=None)
    await routes.refresh()
    await asyncio.to_thread(talk.say, STOPPED, **values)
    await lift_all()
    await routes.refresh()
    await asyncio.to_thread(talk.run, ONE, **values)

    assert await Message.objects.acount() == 2


@pytest.mark.parametrize("stopped", ["connection", "organisation", "address"])
async def test_a_server_is_asked_to_try_again(
    server: Server,
    alice: Person,
    firm_connection: Connection,
    credential: str,
    stopped: str,
) -> None:
    sender = "jane@firm.example"
    values = {"sender": sender, "credential": credential, "host": "mail.firm.example"}
    if stopped == "address":
        stop = sync_to_async(sending_stops.stop_address)
        await stop(sender, reason="Spam", by=None)
        values["sender"] = "jane+detail@firm.example"
    else:
        subject = (
            firm_connection if stopped == "connection" else firm_connection.organisation
        )
        await sync_to_async(sending_stops.stop)(subject, reason="Spam", by=None)

    await server.say("receive", SIGN_IN + STOPPED, **values)
    await lift_all()
    await server.say("receive", SIGN_IN + ONE, **values)

    assert await Message.objects.acount() == 1


async def test_other_senders_of_the_server_go_on(
    server: Server, alice: Person, firm_connection: Connection, credential: str
) -> None:
    stop = sync_to_async(sending_stops.stop_address)
    await stop("jane@firm.example", reason="Spam", by=None)

    await server.say(
        "receive",
        SIGN_IN + ONE,
        host="mail.firm.example",
        credential=credential,
        sender="john@firm.example",
    )

    assert await Message.objects.acount() == 1


async def test_a_stopped_author_is_seen_in_the_header(
    server: Server, alice: Person, firm_connection: Connection, credential: str
) -> None:
    stop = sync_to_async(sending_stops.stop_address)
    await stop("jane@firm.example", reason="Spam", by=None)
    from_jane = ONE.replace("c: From: {sender}", "c: From: jane@firm.example").replace(
        "s: 250 2.0.0 *", "s: 450 4.7.1 *stopped for now*"
    )

    await server.say(
        "receive",
        SIGN_IN + from_jane,
        host="mail.firm.example",
        credential=credential,
        sender="john@firm.example",
    )

    assert await Message.objects.acount() == 0
