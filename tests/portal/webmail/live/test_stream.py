"""Event streams: who hears what, and until when."""

from __future__ import annotations

import asyncio
from asyncio import to_thread

import pytest

from engine.registry.actions import organisations, sessions
from engine.registry.actions import people as people_actions
from engine.registry.models import Grant, Mailbox, Person
from engine.storage import message_actions
from portal.sessions.models import WebSession
from portal.webmail.live import hub as hubs
from tests import factories
from tests.portal.webmail.conftest import store_message
from tests.portal.webmail.live.conftest import PATIENCE, SessionOf, Web


async def test_all_browsers_hear_of_mail_and_flags(
    web: Web, bob: Person, session_of: SessionOf
) -> None:
    streams = [
        await web.listen(await to_thread(session_of, bob)),
        await web.listen(await to_thread(session_of, bob)),
    ]
    key = str(bob.mailbox.pk)
    before = [await one.numbers() for one in streams]

    message = await to_thread(store_message, bob.mailbox)
    arrived = [await one.numbers() for one in streams]
    await to_thread(message_actions.flag, [message], is_flagged=True)
    flagged = [await one.numbers() for one in streams]

    assert all(one.status == 200 for one in streams)
    assert b"text/event-stream" in streams[0].head
    assert b"X-Accel-Buffering: no" in streams[0].head
    seen = [before, arrived, flagged]
    assert all(list(found) == [key] for look in seen for found in look if found)
    assert len({look[0][key] for look in seen if look[0]}) == 3
    assert all(look[0] == look[1] for look in seen)


async def test_members_hear_of_a_group_mailbox_and_others_do_not(
    web: Web,
    alice: Person,
    bob: Person,
    charlie: Person,
    team: Mailbox,
    session_of: SessionOf,
) -> None:
    await to_thread(factories.make_grant, team, bob, can_read=True)
    await to_thread(factories.make_grant, team, alice, can_send=True)
    member = await web.listen(await to_thread(session_of, bob))
    others = [
        await web.listen(await to_thread(session_of, alice, second_factor=True)),
        await web.listen(await to_thread(session_of, charlie, second_factor=True)),
    ]
    first = await member.numbers()
    firsts = [await one.numbers() for one in others]

    await to_thread(store_message, team)
    heard = await member.numbers()
    for person in (alice, charlie):
        await to_thread(store_message, person.mailbox)
    own = [await one.numbers() for one in others]

    key = str(team.pk)
    assert first and heard
    assert set(first) == {key, str(bob.mailbox.pk)}
    assert set(heard) == {key}
    keys = [{str(person.mailbox.pk)} for person in (alice, charlie)]
    assert [set(found or {}) for found in (*firsts, *own)] == keys * 2


def _withdraw(bob: Person, team: Mailbox, alice: Person) -> None:
    Grant.objects.get(person=bob, mailbox=team).delete()


def _sign_out(bob: Person, team: Mailbox, alice: Person) -> None:
    WebSession.objects.all().delete()


def _end_sessions(bob: Person, team: Mailbox, alice: Person) -> None:
    sessions.end_sessions(bob, by=alice)


def _suspend(bob: Person, team: Mailbox, alice: Person) -> None:
    people_actions.suspend(bob, reason="Left", by=alice)


def _suspend_all(bob: Person, team: Mailbox, alice: Person) -> None:
    organisations.suspend(bob.organisation, reason="Fees", by=alice)


@pytest.mark.parametrize(
    "change", [_withdraw, _sign_out, _end_sessions, _suspend, _suspend_all]
)
async def test_a_stream_ends_with_what_opened_it(
    web: Web,
    alice: Person,
    bob: Person,
    team: Mailbox,
    session_of: SessionOf,
    change: object,
) -> None:
    await to_thread(factories.make_grant, team, bob, can_read=True)
    session = await to_thread(session_of, bob)
    stream = await web.listen(session)
    assert await stream.numbers()

    await to_thread(change, bob, team, alice)  # type: ignore[arg-type]
    await to_thread(store_message, team)
    last = await stream.last()
    again = await web.listen(session)

    assert last == {}
    if change is _withdraw:
        assert set(await again.numbers() or {}) == {str(bob.mailbox.pk)}
    else:
        assert again.status in (302, 403)


async def test_who_may_not_use_mail_hears_nothing(
    web: Web, olive: Person, alice: Person, session_of: SessionOf
) -> None:
    staff = await web.listen(await to_thread(session_of, olive, second_factor=True))
    by_password = await web.listen(await to_thread(session_of, alice))
    stranger = await web.listen("none")

    assert staff.status == 403
    assert by_password.status == stranger.status == 302


async def test_streams_of_a_person_and_of_a_process_are_limited(
    web: Web, bob: Person, session_of: SessionOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "STREAMS_PER_PERSON", 2)
    session = await to_thread(session_of, bob)
    two = [await web.listen(session) for _ in range(2)]

    third = await web.listen(session)
    two[0].writer.close()
    async with asyncio.timeout(PATIENCE):
        while (again := await web.listen(session)).status == 503:
            again.writer.close()
            await asyncio.sleep(0.05)
    monkeypatch.setattr(hubs, "SHARE", 0)
    none = await web.listen(session)

    assert [one.status for one in two] == [200, 200]
    assert third.status == none.status == 503
    assert b"Retry-After: 60" in third.head
    assert again.status == 200


async def test_streams_end_when_the_process_stops(
    web: Web, bob: Person, session_of: SessionOf
) -> None:
    stream = await web.listen(await to_thread(session_of, bob))
    await stream.numbers()

    web.stop.set()
    async with asyncio.timeout(PATIENCE):
        rest = await stream.reader.read()
        await web.running

    assert rest.endswith(b"0\r\n\r\n")
