"""Locks a maildrop for one session (RFC 1939 §4), in any process on any host."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from engine.storage.models import MaildropLock

# A host that dies releases its maildrops soon after load balancers notice; one that lives
# renews in time. Most sessions end before their first renewal.
LEASE_SECONDS = 15
RENEW_SECONDS = 5
_LEASE = timedelta(seconds=LEASE_SECONDS)


class MaildropLease:
    """An exclusive lock on a maildrop that expires unless it is renewed.

    It is a row of the database and runs by the database's clock, which all hosts share.
    A shared cache would do too, but all sessions would end whenever the cache does. All
    methods read or write the database.
    """

    def __init__(self, mailbox_id: int) -> None:
        self._mailbox_id = mailbox_id
        self._token = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Takes the lock; returns False where another session holds it."""
        if self._take():
            return True
        # Perhaps the row is missing: insert an expired lease. Of two sessions that do so
        # at the same time, one inserts and one takes.
        MaildropLock.objects.bulk_create(
            [MaildropLock(mailbox_id=self._mailbox_id, held_until=Now() - _LEASE)],
            ignore_conflicts=True,
        )
        return self._take()

    def renew(self) -> bool:
        """Extends the lock; returns False where it expired and another session took it."""
        return bool(self._mine().update(held_until=Now() + _LEASE))

    def release(self) -> None:
        """Releases the lock, if it is still held."""
        self._mine().update(held_until=Now(), token="")

    def _take(self) -> bool:
        # One UPDATE with the condition in it: two sessions cannot both find it free.
        row = MaildropLock.objects.filter(mailbox_id=self._mailbox_id)
        free = row.filter(held_until__lte=Now())
        return bool(free.update(token=self._token, held_until=Now() + _LEASE))

    def _mine(self) -> QuerySet[MaildropLock]:
        return MaildropLock.objects.filter(
            mailbox_id=self._mailbox_id, token=self._token
        )
