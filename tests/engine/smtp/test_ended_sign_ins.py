"""Submission sessions that are open when their owner is signed out elsewhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from engine.registry.actions import connections, organisations, people, sessions
from engine.registry.models import AppPassword, ConnectionCredential, Person
from engine.routing import routes
from engine.smtp import bound_session
from engine.storage.models import Message
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_session import MAIL, SIGN_IN

ENDS = {
    "signed out everywhere": lambda bob: sessions.end_sessions(bob, by=bob),
    "signed out, app passwords kept": lambda bob: sessions.end_sessions(
        bob, keeps_app_passwords=True, by=bob
    ),
    "suspended": lambda bob: people.suspend(bob, reason="left", by=None),
    "password ended": lambda bob: people.end_password(bob, by=None),
    "organisation suspended and resumed": lambda bob: (
        organisations.suspend(bob.organisation, reason="fees", by=None),
        organisations.resume(bob.organisation, by=None),
    ),
    "organisation suspended": lambda bob: organisations.suspend(
        bob.organisation, reason="fees", by=None
    ),
    "suspended and resumed": lambda bob: (
        people.suspend(bob, reason="lost", by=None),
        people.resume(bob, by=None),
    ),
}


async def ended(how: str, bob: Person) -> None:
    await sync_to_async(ENDS[how])(bob)
    await routes.refresh()


@pytest.mark.parametrize("how", ENDS)
async def test_it_ends_at_its_next_command(
    server: Server, bob: Person, app_password: str, how: str
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(dialogue.say, SIGN_IN, credential=app_password)

    await ended(how, bob)

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 421 4.7.0 *\nclosed\n")


@pytest.mark.parametrize(
    "command", ["EHLO me", "RSET", "VRFY bob", "HELP", "AUTH PLAIN"]
)
async def test_whatever_that_command_is(
    server: Server, bob: Person, app_password: str, command: str
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(dialogue.say, SIGN_IN, credential=app_password)

    await ended("signed out everywhere", bob)

    await asyncio.to_thread(dialogue.run, f"c: {command}\ns: 421 4.7.0 *\nclosed\n")


async def test_a_message_that_is_half_sent_is_not_taken(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(
        dialogue.say,
        SIGN_IN + MAIL + f"c: RCPT TO:<{alice.address}>\ns: 250 *\n"
        "c: DATA\ns: 354 *\nc: From: <{sender}>\nc:\n",
        credential=app_password,
        sender=bob.address,
    )

    await ended("signed out everywhere", bob)

    await asyncio.to_thread(dialogue.run, "c: Words.\nc: .\ns: 421 4.7.0 *\nclosed\n")
    assert await Message.objects.acount() == 0


async def test_one_that_got_250_is_kept(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(
        dialogue.say,
        SIGN_IN + MAIL + f"c: RCPT TO:<{alice.address}>\ns: 250 *\n"
        "c: DATA\ns: 354 *\nc: From: <{sender}>\nc:\nc: Words.\nc: .\ns: 250 *\n",
        credential=app_password,
        sender=bob.address,
    )

    await ended("signed out everywhere", bob)

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 421 4.7.0 *\nclosed\n")
    assert await Message.objects.acount() == 1


async def test_the_program_signs_in_again_with_the_app_password_that_was_kept(
    server: Server, bob: Person, app_password: str
) -> None:
    await ended("signed out, app passwords kept", bob)

    await server.say(
        "submission", SIGN_IN + "c: QUIT\ns: 221 *\n", credential=app_password
    )


@pytest.mark.parametrize("ends_app_passwords", [True, False])
async def test_after_its_organisation_is_resumed_a_program_signs_in_unless_that_ended(
    server: Server, bob: Person, app_password: str, ends_app_passwords: bool
) -> None:
    def suspend_and_resume() -> None:
        organisations.suspend(
            bob.organisation,
            reason="break-in",
            ends_app_passwords=ends_app_passwords,
            by=None,
        )
        organisations.resume(bob.organisation, by=None)

    await sync_to_async(suspend_and_resume)()
    await routes.refresh()

    again = SIGN_IN + "c: QUIT\ns: 221 *\n"
    if ends_app_passwords:
        again = SIGN_IN.replace("s: 235", "s: 535") + "c: QUIT\ns: 221 *\n"
        assert "s: 535" in again
    await server.say("submission", again, credential=app_password)


async def test_an_app_password_that_expires_ends_the_session_within_a_minute(
    server: Server,
    bob: Person,
    app_password: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dialogue = await server.begin("submission")
    await asyncio.to_thread(dialogue.say, SIGN_IN, credential=app_password)
    before = timezone.now() - timedelta(seconds=1)
    # Time alone ends it: no verb runs, and the registry does not change.
    await AppPassword.objects.aupdate(expires_at=before)
    await asyncio.to_thread(dialogue.say, "c: NOOP\ns: 250 *\n")

    monkeypatch.setattr(bound_session, "RECHECK_SECONDS", 0.0)

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 421 4.7.0 *\nclosed\n")


async def test_a_servers_session_ends_with_its_credential(
    server: Server, credential: str
) -> None:
    dialogue = await server.begin("receive")
    await asyncio.to_thread(dialogue.say, SIGN_IN, credential=credential)
    row = await ConnectionCredential.objects.select_related(
        "connection__organisation"
    ).aget()
    await sync_to_async(connections.revoke_credential)(row, by=None)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 421 4.7.0 *\nclosed\n")
