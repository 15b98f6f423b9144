"""Locks a maildrop for one session (RFC 1939 §4), in any process on any host."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import Error
from django.db.models import QuerySet
from django.db.models.functions import Now

from engine.database.threads import DatabaseThreads
from engine.storage.models import MaildropLock

log = logging.getLogger(__name__)

# A host that dies has released its maildrops when load balancers notice, after 6 seconds,
# and its clients connect to another. Most sessions end before their first renewal.
LEASE_SECONDS = 5
RENEW_SECONDS = 1.5
_LEASE = timedelta(seconds=LEASE_SECONDS)
AT_ONCE = 500  # leases in one statement


class MaildropLease:
    """An exclusive lock on a maildrop that expires unless it is renewed.

    It is a row of the database and runs by the database's clock, which all hosts share.
    A shared cache would do too, but all sessions would end whenever the cache does. All
    methods read or write the database.
    """

    def __init__(self, mailbox_id: int) -> None:
        self.mailbox_id = mailbox_id
        self.token = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Takes the lock; returns False where another session holds it."""
        if self._take():
            return True
        # Perhaps the row is missing: insert an expired lease. Of two sessions that do so
        # at the same time, one inserts and one takes.
        MaildropLock.objects.bulk_create(
            [MaildropLock(mailbox_id=self.mailbox_id, held_until=Now() - _LEASE)],
            ignore_conflicts=True,
        )
        return self._take()

    def renew(self) -> bool:
        """Extends the lock; returns False where it expired and another session took it."""
        return bool(renew([self]))

    def release(self) -> None:
        """Releases the lock, if it is still held."""
        self._mine().update(held_until=Now(), token="")

    def _take(self) -> bool:
        # One UPDATE with the condition in it: two sessions cannot both find it free.
        row = MaildropLock.objects.filter(mailbox_id=self.mailbox_id)
        free = row.filter(held_until__lte=Now())
        return bool(free.update(token=self.token, held_until=Now() + _LEASE))

    def _mine(self) -> QuerySet[MaildropLock]:
        return MaildropLock.objects.filter(mailbox_id=self.mailbox_id, token=self.token)


def renew(leases: Collection[MaildropLease]) -> int:
    """Extends the locks that no other session has taken; returns how many. One statement."""
    rows = MaildropLock.objects.filter(
        mailbox_id__in=[one.mailbox_id for one in leases],
        token__in=[one.token for one in leases],
    )
    return rows.update(held_until=Now() + _LEASE)


class LeaseRenewal:
    """Renews the leases of all sessions of a process, together.

    In a thread of its own, because sessions may keep the others waiting for slow bodies.
    """

    def __init__(self) -> None:
        self._thread = DatabaseThreads("pop3-locks", count=1)
        self._leases: set[MaildropLease] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, lease: MaildropLease) -> None:
        """Renews this lease, too, from now on."""
        self._leases.add(lease)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def discard(self, lease: MaildropLease) -> None:
        """Renews this lease no longer; does nothing where it was not renewed."""
        self._leases.discard(lease)
        if not self._leases:
            self._stop()

    async def close(self) -> None:
        """Ends the renewals and their thread."""
        self._stop()
        await self._thread.close()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            leases = [*self._leases]
            try:
                for start in range(0, len(leases), AT_ONCE):
                    some = leases[start : start + AT_ONCE]
                    await self._thread.run(renew, some)
            except Error:
                # The next renewal may succeed; a session that deletes notices an expired
                # lock.
                log.exception("the locks of maildrops could not be renewed")
