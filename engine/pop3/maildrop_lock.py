"""One session a maildrop (RFC 1939 §4), whatever process or host it runs in."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from engine.storage.models import MaildropLock

# A host that dies frees its maildrops after so long; one that lives renews in time.
LEASE_SECONDS = 60
RENEW_SECONDS = 20
_LEASE = timedelta(seconds=LEASE_SECONDS)


class Lease:
    """The right to a maildrop, held in the database by the database's own clock.

    A cache that all processes share would do, and every session would end with it.
    """

    def __init__(self, mailbox_id: int) -> None:
        self._mailbox_id = mailbox_id
        self._token = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Take it, or return False where another session has it."""
        if self._take():
            return True
        # An ended lease, if there was no row: of two who make one, one takes it.
        MaildropLock.objects.bulk_create(
            [MaildropLock(mailbox_id=self._mailbox_id, held_until=Now() - _LEASE)],
            ignore_conflicts=True,
        )
        return self._take()

    def renew(self) -> bool:
        """Keep it; False where it ran out and another session has taken it since."""
        return bool(self._mine().update(held_until=Now() + _LEASE))

    def release(self) -> None:
        """Let others have it, where it is still held."""
        self._mine().update(held_until=Now(), token="")

    def _take(self) -> bool:
        row = MaildropLock.objects.filter(mailbox_id=self._mailbox_id)
        free = row.filter(held_until__lte=Now())
        return bool(free.update(token=self._token, held_until=Now() + _LEASE))

    def _mine(self) -> QuerySet[MaildropLock]:
        return MaildropLock.objects.filter(
            mailbox_id=self._mailbox_id, token=self._token
        )
