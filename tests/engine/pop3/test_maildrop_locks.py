"""The leases on maildrops: renewed while their host lives, free soon after it died."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import Error, InterfaceError, OperationalError
from django.db.models.functions import Now

from engine.pop3 import maildrop_lock
from engine.pop3.maildrop_lock import LeaseRenewal, MaildropLease
from engine.registry.models import Mailbox, Person
from engine.storage.models import MaildropLock
from tests.engine.pop3.conftest import Server
from tests.engine.pop3.test_dialogues import sign_in
from tests.peers.haproxy import CHECK_SECONDS

in_thread = sync_to_async


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maildrop_lock, "RENEW_SECONDS", 0.05)


@pytest_asyncio.fixture
async def renewal(_soon: None) -> AsyncIterator[LeaseRenewal]:
    found = LeaseRenewal()
    yield found
    await found.close()


def run_out() -> None:
    """Lets every lease end now, as if it had not been renewed in time."""
    MaildropLock.objects.update(held_until=Now() - timedelta(seconds=1))


def held() -> int:
    return MaildropLock.objects.filter(held_until__gt=Now()).count()


async def until_held(count: int) -> None:
    async with asyncio.timeout(20):
        while await in_thread(held)() < count:
            await asyncio.sleep(0.02)


async def test_a_dead_host_s_maildrop_is_free_when_balancers_notice(
    reader: Person,
) -> None:
    assert await in_thread(MaildropLease(reader.mailbox.pk).acquire)()

    late = MaildropLock.objects.filter(
        held_until__gt=Now() + timedelta(seconds=CHECK_SECONDS)
    )

    assert not await late.aexists()


async def test_all_sessions_are_renewed(
    renewal: LeaseRenewal, reader: Person, listing: Mailbox
) -> None:
    leases = [MaildropLease(reader.mailbox.pk), MaildropLease(listing.pk)]
    for lease in leases:
        assert await in_thread(lease.acquire)()
        renewal.add(lease)

    await in_thread(run_out)()

    await until_held(2)
    assert not await in_thread(MaildropLease(listing.pk).acquire)()


async def test_a_lock_that_another_session_took_is_left_to_it(
    renewal: LeaseRenewal, reader: Person
) -> None:
    lost, other = MaildropLease(reader.mailbox.pk), MaildropLease(reader.mailbox.pk)
    assert await in_thread(lost.acquire)()
    await in_thread(run_out)()
    assert await in_thread(other.acquire)()

    assert not await in_thread(lost.renew)()
    assert await in_thread(other.renew)()


async def test_slow_bodies_do_not_stop_the_renewal(
    _soon: None, server: Server, reader: Person
) -> None:
    client = await asyncio.to_thread(sign_in, server)
    go_on = threading.Event()
    waiting = [asyncio.create_task(server.state.threads.run(go_on.wait)) for _ in "ab"]
    try:
        await in_thread(run_out)()

        await until_held(1)
    finally:
        go_on.set()
        await asyncio.gather(*waiting)
        await asyncio.to_thread(client.quit)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
async def test_the_renewal_survives_an_outage_of_the_database(
    renewal: LeaseRenewal,
    reader: Person,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Error],
) -> None:
    renew, failures = maildrop_lock.renew, iter("abc")

    def fail_thrice(leases: Collection[MaildropLease]) -> int:
        if next(failures, None):
            raise error("the server closed the connection")
        return renew(leases)

    monkeypatch.setattr(maildrop_lock, "renew", fail_thrice)
    lease = MaildropLease(reader.mailbox.pk)
    assert await in_thread(lease.acquire)()
    renewal.add(lease)
    await in_thread(run_out)()

    await until_held(1)


async def test_a_session_that_ended_is_not_renewed(
    renewal: LeaseRenewal, reader: Person
) -> None:
    lease = MaildropLease(reader.mailbox.pk)
    assert await in_thread(lease.acquire)()
    renewal.add(lease)
    await in_thread(run_out)()
    await until_held(1)

    renewal.discard(lease)
    await in_thread(lease.release)()
    await asyncio.sleep(0.2)

    assert not await in_thread(held)()
