"""POP3 sessions that are open when their owner is signed out elsewhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from engine.pop3 import session
from engine.registry.actions import mailboxes, organisations, people, sessions
from engine.registry.models import AppPassword, Mailbox, Person
from engine.routing import routes
from engine.storage.models import Message
from tests.dialogue import Dialogue
from tests.engine.pop3 import sample_messages
from tests.engine.pop3.conftest import Server
from tests.engine.pop3.test_dialogues import SIGN_IN

SIGNED_OUT = "s: -ERR [[]SYS/PERM] Your sign-in is no longer valid*\nclosed\n"
ENDS = {
    "app password revoked": lambda bob: people.revoke_app_password(
        AppPassword.objects.get(), by=bob
    ),
    "signed out everywhere": lambda bob: sessions.end_sessions(bob, by=bob),
    "signed out, app passwords kept": lambda bob: sessions.end_sessions(
        bob, keeps_app_passwords=True, by=bob
    ),
    "suspended": lambda bob: people.suspend(bob, reason="left", by=None),
    "organisation suspended and resumed": lambda bob: (
        organisations.suspend(bob.organisation, reason="fees", by=None),
        organisations.resume(bob.organisation, by=None),
    ),
    "organisation suspended": lambda bob: organisations.suspend(
        bob.organisation, reason="fees", by=None
    ),
}


async def signed_in(server: Server, sign_in: str = SIGN_IN) -> Dialogue:
    await routes.refresh()
    dialogue = Dialogue(server.pop3, server.context)
    await asyncio.to_thread(dialogue.say, sign_in)
    return dialogue


@pytest.mark.parametrize("how", ENDS)
async def test_it_ends_at_its_next_command(
    server: Server, reader: Person, how: str
) -> None:
    dialogue = await signed_in(server)

    await sync_to_async(ENDS[how])(reader)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, f"c: NOOP\n{SIGNED_OUT}")


async def test_what_it_had_marked_as_deleted_stays(
    server: Server, reader: Person
) -> None:
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    dialogue = await signed_in(server)
    await asyncio.to_thread(dialogue.say, "c: DELE 1\ns: +OK\n")

    await sync_to_async(sessions.end_sessions)(reader, by=reader)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, f"c: QUIT\n{SIGNED_OUT}")
    assert await Message.objects.acount() == 1


async def test_the_mailbox_is_free_for_the_next_sign_in(
    server: Server, reader: Person
) -> None:
    dialogue = await signed_in(server)
    await sync_to_async(sessions.end_sessions)(
        reader, keeps_app_passwords=True, by=reader
    )
    await routes.refresh()
    await asyncio.to_thread(dialogue.run, f"c: NOOP\n{SIGNED_OUT}")

    again = await signed_in(server)
    await asyncio.to_thread(again.run, "c: QUIT\ns: +OK *\n")


async def test_a_right_that_is_taken_ends_the_session_in_that_mailbox(
    server: Server, reader: Person, listing: Mailbox
) -> None:
    dialogue = await signed_in(server, SIGN_IN.replace(reader.address, listing.address))

    await sync_to_async(mailboxes.revoke)(listing, reader, by=None)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, f"c: STAT\n{SIGNED_OUT}")


async def test_a_change_elsewhere_ends_no_session(
    server: Server, reader: Person, charlie: Person
) -> None:
    dialogue = await signed_in(server)

    await sync_to_async(sessions.end_sessions)(charlie, by=None)
    await routes.refresh()

    await asyncio.to_thread(dialogue.run, "c: NOOP\ns: +OK\n")


async def test_an_app_password_that_expires_ends_the_session_within_a_minute(
    server: Server, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogue = await signed_in(server)
    before = timezone.now() - timedelta(seconds=1)
    # Time alone ends it: no verb runs, and the registry does not change.
    await AppPassword.objects.aupdate(expires_at=before)
    await asyncio.to_thread(dialogue.say, "c: NOOP\ns: +OK\n")

    monkeypatch.setattr(session, "RECHECK_SECONDS", 0.0)

    await asyncio.to_thread(dialogue.run, f"c: NOOP\n{SIGNED_OUT}")
