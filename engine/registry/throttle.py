"""Slowing down whoever guesses secrets: failures counted in memory, within bounds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from engine.mail import reply
from engine.mail.errors import TemporaryFailure

WINDOW = 15 * 60  # seconds
USERNAME_LIMIT = 20  # failures in a window
PEER_LIMIT = 100  # an organisation's clients may share one address
CAPACITY = 10_000  # names remembered at once


class TooManyAttemptsError(TemporaryFailure):
    """Signing in is refused for a while, whatever the secret."""

    def __init__(self) -> None:
        super().__init__(
            reply.AUTH_LATER.saying(
                "Too many failed attempts to sign in; wait a quarter of an hour"
            )
        )


@dataclass(slots=True)
class _Failures:
    since: float
    count: int = 0


class Throttle:
    """Failed attempts per user name and per peer address.

    A peer that has signed in with a user name is not shut out by what others do to
    that name: nobody can stop a member's server by failing in its name.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def check(self, username: str, peer: str) -> None:
        """Raise TooManyAttemptsError where the name or the peer has failed too often."""
        with self._lock:
            name_is_spent = self._count("username", username) >= USERNAME_LIMIT
            if name_is_spent and (username, peer) not in self._trusted:
                raise TooManyAttemptsError
            if peer and self._count("peer", peer) >= PEER_LIMIT:
                raise TooManyAttemptsError

    def failed(self, username: str, peer: str) -> None:
        with self._lock:
            self._add("username", username)
            if peer:
                self._add("peer", peer)

    def succeeded(self, username: str, peer: str) -> None:
        with self._lock:
            self._failures.pop(("username", username), None)
            self._trusted[username, peer] = None
            self._trusted.move_to_end((username, peer))
            if len(self._trusted) > CAPACITY:
                self._trusted.popitem(last=False)

    def _count(self, kind: str, name: str) -> int:
        found = self._failures.get((kind, name))
        if found is None or self._clock() - found.since > WINDOW:
            return 0
        return found.count

    def _add(self, kind: str, name: str) -> None:
        if not self._count(kind, name):
            self._failures[kind, name] = _Failures(since=self._clock())
        self._failures[kind, name].count += 1
        self._failures.move_to_end((kind, name))
        if len(self._failures) > CAPACITY:
            self._failures.popitem(last=False)
