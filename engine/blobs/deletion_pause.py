"""Pauses the deletion of blobs while a backup copies what its snapshot refers to.

What would have been deleted meanwhile is left to the sweep of orphans, which pauses too.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error, connection
from django.db.models.functions import Now

from engine.blobs.models import DeletionPause
from engine.database import clock

# A backup that dies holds deletions up for no longer. Renewed four times in it.
LEASE = timedelta(minutes=2)


class PauseLostError(Exception):
    """The lease expired before its holder was done: something may have been deleted."""


def is_on() -> bool:
    """Whether blobs must not be deleted now. One query, by the database's clock.

    Ask after the transaction that deleted the blob's row is committed: a backup that
    pauses later takes its snapshot later, and does not see the row.
    """
    return DeletionPause.objects.filter(until__gt=Now()).exists()


class Pause:
    """A pause that a thread renews until it is over."""

    def __init__(self) -> None:
        self._holder = f"{socket.gethostname()[:60]} {secrets.token_hex(8)}"
        self._over = threading.Event()
        self._is_lost = False
        self._thread = threading.Thread(target=self._keep, name="deletion pause")

    def begin(self) -> None:
        """Takes the lease, and starts to renew it."""
        now = clock.now()
        DeletionPause.objects.filter(until__lte=now).delete()
        DeletionPause.objects.create(holder=self._holder, until=now + LEASE)
        self._thread.start()

    def end(self) -> None:
        """Gives the lease up."""
        self._over.set()
        self._thread.join()
        DeletionPause.objects.filter(holder=self._holder).delete()

    def check(self) -> None:
        """Raises PauseLostError if the lease has not been held all the time."""
        if self._is_lost or not self._renew():
            raise PauseLostError("Blobs may have been deleted while they were copied.")

    def _keep(self) -> None:
        try:
            while not self._over.wait(LEASE.total_seconds() / 4):
                try:
                    self._is_lost |= not self._renew()
                except Error:
                    # The next attempt, or the check at the end, finds out whether the
                    # lease has expired meanwhile.
                    connection.close()
        finally:
            connection.close()

    def _renew(self) -> bool:
        now = clock.now()
        held = DeletionPause.objects.filter(holder=self._holder, until__gt=now)
        return bool(held.update(until=now + LEASE))


@contextmanager
def held() -> Iterator[Pause]:
    """Pauses deletions in its block. Raises django.db.Error."""
    pause = Pause()
    pause.begin()
    try:
        yield pause
    finally:
        pause.end()
