"""Concurrent runners, each with its own database connections."""

from __future__ import annotations

import asyncio

import pytest
from django.db import connection

from engine.database.threads import DatabaseThreads
from engine.queue.delivery import claim
from engine.queue.delivery.runner import Runner
from engine.queue.models import Recipient, RecipientStatus
from tests.engine.queue.conftest import JANE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_two_runners_deliver_each_message_once(queue, hop, firm_connection, bob):
    references = [queue.send(bob.address, JANE) for _ in range(30)]
    connection.close()

    async def scenario():
        stop = asyncio.Event()
        runners = [Runner() for _ in range(2)]
        running = [asyncio.create_task(runner.run(stop)) for runner in runners]
        while len(hop.received) < len(references):
            await asyncio.sleep(0.02)
        stop.set()
        await asyncio.gather(*running)

    asyncio.run(asyncio.wait_for(scenario(), 20))

    assert len(hop.received) == 30
    statuses = set(Recipient.objects.values_list("status", flat=True))
    assert statuses == {RecipientStatus.RELAYED}


def test_runner_stops_when_told_and_gives_back_what_it_holds(
    queue, hop, firm_connection, bob
):
    queue.send(bob.address, JANE)
    connection.close()

    async def scenario():
        stop = asyncio.Event()
        runner = Runner()
        database = DatabaseThreads("queue", count=1)
        await database.run(claim.claim, runner.name)
        await database.close()
        stop.set()
        await runner.run(stop)

    asyncio.run(asyncio.wait_for(scenario(), 20))

    assert Recipient.objects.get().leased_by == ""


def test_runner_is_woken_by_what_was_accepted(queue, hop, firm_connection, bob):
    connection.close()

    async def scenario():
        stop = asyncio.Event()
        runner = Runner()
        running = asyncio.create_task(runner.run(stop))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(send)
        runner.wake()
        while not hop.received:
            await asyncio.sleep(0.01)
        stop.set()
        await running

    def send():
        queue.send(bob.address, JANE)
        connection.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))

    assert len(hop.received) == 1
