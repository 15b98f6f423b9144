from __future__ import annotations

import time

import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_started
from django.db import connection

from engine.database.threads import DatabaseThreads

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite has no server that can go"
    ),
]


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def terminate(pid: int) -> None:
    """Ends another connection on the server, and waits until it is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        while True:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
            if cursor.fetchone() is None:
                return
            time.sleep(0.01)


async def test_a_thread_whose_connection_was_ended_works_on() -> None:
    threads = DatabaseThreads("test", count=1)
    first = await threads.run(backend_pid)
    await sync_to_async(terminate)(first)

    second = await threads.run(backend_pid)

    assert second != first
    assert await threads.run(backend_pid) == second  # one that lives is kept
    await threads.close()


async def test_a_page_begins_with_a_connection_that_lives() -> None:
    threads = DatabaseThreads("test", count=1)
    first = await sync_to_async(backend_pid)()
    await threads.run(terminate, first)

    def serve() -> int:
        request_started.send(sender=None)
        return backend_pid()

    assert await sync_to_async(serve)() != first
    await threads.close()
