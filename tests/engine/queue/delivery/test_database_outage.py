"""A relayed message is not sent again because the database was away meanwhile."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from engine.database import clock
from engine.queue.delivery import (
    claim,
    dispatcher,
    maintenance,
    outcome_recording,
    runner,
)
from engine.queue.delivery.database_outage import TRUCE_SECONDS, Outage
from engine.queue.delivery.runner import Runner
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import OrganisationStatus
from engine.transport.session_pool import Pool
from tests.engine.queue.conftest import JANE, OneConnection

pytestmark = pytest.mark.django_db


class InterruptedDatabase(OneConnection):
    """A database that is away from the first claim until the test brings it back."""

    is_away = False
    claims = True

    async def run(self, function, *args, **kwargs):
        if self.is_away:
            raise OperationalError("the connection is lost")
        found = await super().run(function, *args, **kwargs)
        if function is claim.claim and found and self.claims:
            self.is_away, self.claims = True, False
        return found

    async def run_elsewhere(self, function, *args):
        """Runs a function in the database while this process cannot reach it."""
        return await super().run(function, *args)


def start(database, stop):
    one = Runner(pool=Pool(down_seconds=0), database=database)
    return asyncio.create_task(one.run(stop))


def make_rows_due():
    """Ends every delay and lease now."""
    Recipient.objects.update(leased_until=clock.now(), next_attempt_at=clock.now())


async def wait_until(found):
    async with asyncio.timeout(10):
        while not found():
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    # Settling must be woken: its own interval is too long for these tests.
    monkeypatch.setattr(dispatcher, "RECORD_PAUSES", (30.0,))
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.1)


def test_runner_settles_what_it_holds_before_it_claims_again(
    queue, hop, firm_connection, bob
):
    reference = queue.send(bob.address, JANE)
    database = InterruptedDatabase()

    async def scenario():
        stop = asyncio.Event()
        running = start(database, stop)
        await wait_until(lambda: hop.received)
        await asyncio.sleep(0.5)
        await database.run_elsewhere(make_rows_due)
        database.is_away = False
        await asyncio.sleep(1.5)
        stop.set()
        await running

    asyncio.run(asyncio.wait_for(scenario(), 30))

    assert len(hop.received) == 1
    assert queue.status(reference) is RecipientStatus.RELAYED


def test_another_runner_leaves_the_holder_time_to_settle(
    queue, hop, firm_connection, bob
):
    reference = queue.send(bob.address, JANE)
    mine, other = InterruptedDatabase(), InterruptedDatabase()

    async def scenario():
        stop = asyncio.Event()
        other.claims = False
        runners = [start(mine, stop)]
        await wait_until(lambda: hop.received)
        runners.append(start(other, stop))
        await asyncio.sleep(0.5)
        other.is_away = True
        await asyncio.sleep(0.5)
        await mine.run_elsewhere(make_rows_due)
        other.is_away = False
        await asyncio.sleep(1)
        mine.is_away = False
        await asyncio.sleep(1)
        stop.set()
        await asyncio.gather(*runners)

    asyncio.run(asyncio.wait_for(scenario(), 30))

    assert len(hop.received) == 1
    assert queue.status(reference) is RecipientStatus.RELAYED


def test_what_a_runner_holds_is_renewed_and_not_claimed(
    queue, hop, firm_connection, bob
):
    """Whatever expired the lease: a machine that was suspended notices no outage."""
    queue.send(bob.address, JANE, "john@firm.example.secure.example")
    [parcel] = claim.claim("runner")
    held = [recipient.id for recipient in parcel.recipients]
    queue.make_all_due()
    firm_connection.organisation.status = OrganisationStatus.SUSPENDED
    firm_connection.organisation.save()

    assert claim.claim("runner", held=held) == []

    rows = Recipient.objects.all()
    assert {row.status for row in rows} == {RecipientStatus.QUEUED}
    assert {row.attempts for row in rows} == {1}
    assert all(row.leased_until > timezone.now() for row in rows)


def test_what_a_runner_has_settled_it_may_claim_again(queue, hop, firm_connection, bob):
    queue.send(bob.address, JANE)
    [parcel] = claim.claim("runner")
    held = [recipient.id for recipient in parcel.recipients]
    claim.release_leases("runner")
    queue.make_all_due()

    assert len(claim.claim("runner", held=held)) == 1


def test_leases_that_ended_before_the_outage_are_taken_over_during_the_truce(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE)
    claim.claim("runner that died")
    queue.make_all_due()
    now = clock.now()

    assert claim.claim("another", lease_cutoff=now - timedelta(minutes=1)) == []
    assert len(claim.claim("another", lease_cutoff=now)) == 1


def test_truce_ends_and_another_outage_within_it_moves_nothing():
    now = 1000.0
    outage = Outage(clock=lambda: now)
    assert outage.lease_cutoff() is None

    outage.begin()
    since = outage.lease_cutoff()
    outage.end()
    assert since is not None
    now += TRUCE_SECONDS / 2
    outage.begin()
    outage.end()
    assert outage.lease_cutoff() == since
    now += TRUCE_SECONDS
    assert outage.lease_cutoff() is None


@pytest.mark.parametrize("trouble", ["run_due", "notify_of_distrust"])
def test_leases_are_renewed_however_long_a_sweep_takes(monkeypatch, trouble):
    """One thread is reserved for them: slow statements may occupy all others."""
    renewed, over = threading.Event(), threading.Event()
    monkeypatch.setattr(runner, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(runner, "MAINTENANCE_SECONDS", 0.01)
    monkeypatch.setattr(maintenance, "run_due", lambda: None)
    monkeypatch.setattr(maintenance, trouble, lambda *_: over.wait(10))
    monkeypatch.setattr(claim, "claim", lambda *_, **__: over.wait(10) and [])
    monkeypatch.setattr(claim, "release_leases", lambda *_: None)
    monkeypatch.setattr(claim, "renew_leases", lambda *_: renewed.set())

    async def scenario():
        stop = asyncio.Event()
        running = asyncio.create_task(Runner().run(stop))
        await asyncio.sleep(0.5)
        found = renewed.is_set()
        stop.set()
        over.set()
        await running
        return found

    assert asyncio.run(asyncio.wait_for(scenario(), 30))


def test_outcome_that_cannot_be_written_in_full_is_not_a_silent_failure(
    queue, hop, firm_connection, bob, read, monkeypatch
):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"] * 2
    reference = queue.send(bob.address, JANE)
    monkeypatch.setattr(dispatcher, "RECORD_PAUSES", (0.0,))
    with monkeypatch.context() as patched:
        patched.setattr(outcome_recording, "_event", _break_down)
        queue.run()

    row = queue.recipient(reference)
    assert (row.status, row.leased_by) == (RecipientStatus.QUEUED, "")
    queue.make_all_due()
    queue.run()

    assert queue.status(reference) is RecipientStatus.FAILED
    assert len(queue.inbox(bob)) == 1


def _break_down(*_: object, **__: object) -> None:
    raise ValueError("out of order")
