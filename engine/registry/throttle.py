"""Limits guessing of secrets in the mail protocols: failures counted in memory, bounded."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from engine.mail import smtp_replies
from engine.mail.errors import TemporaryFailure
from engine.registry.networks import network_of

WINDOW = 15 * 60  # seconds
USERNAME_LIMIT = 20  # failures in a window
PEER_LIMIT = 100  # an organisation's clients may share one address
CAPACITY = 10_000  # names remembered at once

WasKnown = Callable[[str], bool]


class TooManyAttemptsError(TemporaryFailure):
    """Signing in is refused for a while, whatever the secret."""

    def __init__(self, seconds: float) -> None:
        minutes = max(1, ceil(seconds / 60))
        wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(
            smtp_replies.AUTH_LATER.saying(
                f"Too many failed attempts to sign in; wait {wait} and try again"
            )
        )


@dataclass(slots=True)
class _Failures:
    since: float
    count: int = 0


@dataclass(slots=True)
class Attempt:
    """Counts as failed until it is said to have succeeded."""

    has_succeeded: bool = False

    def succeeded(self) -> None:
        self.has_succeeded = True


def never(network: str) -> bool:
    """Answers for a name of which the database knows no network."""
    return False


class Throttle:
    """Failed attempts per user name, per peer, and per known pair of name and network.

    A network from which somebody has signed in with a name has a count of its own for
    that name. Strangers fail against the name's and the peer's counts, which such a
    network is not held to: nobody stops a member's server, or a person's mail program,
    by failing in its name or beside it. Attempts that are refused are not counted, so
    the wait that is told is the true one.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], None] = OrderedDict()

    @contextmanager
    def attempt(
        self, username: str, peer: str, *, was_known: WasKnown = never
    ) -> Iterator[Attempt]:
        """Count an attempt as failed before its secret is looked at.

        So a thousand that are made at once count as a thousand. One that succeeds, or
        ends in an error of ours, is taken off again. Raises as `check` does.
        """
        self.check(username, peer, was_known=was_known)
        with self._lock:
            self.check(username, peer)
            keys = self.failed(username, peer)
        made = Attempt()
        try:
            yield made
        except BaseException:
            self._withdraw(keys)
            raise
        if made.has_succeeded:
            self._withdraw(keys)
            self.succeeded(username, peer)

    def check(self, username: str, peer: str, *, was_known: WasKnown = never) -> None:
        """Raise TooManyAttemptsError where too many have failed.

        `was_known` is asked, with the network, only where it would make a difference
        and memory does not say: after a restart, or in another process.
        """
        pair = (username, network_of(peer))
        is_worth_asking = pair[1] and pair not in self._trusted
        must_wait = is_worth_asking and self._strangers_wait(username, peer)
        if must_wait and was_known(pair[1]):
            self._trust(pair)
        with self._lock:
            wait = (
                self._wait(("pair", *pair), USERNAME_LIMIT)
                if pair in self._trusted
                else self._wait_of_strangers(username, peer)
            )
        if wait:
            raise TooManyAttemptsError(wait)

    def failed(self, username: str, peer: str) -> list[tuple[str, ...]]:
        """Count a failure; returns what it was counted under."""
        pair = (username, network_of(peer))
        with self._lock:
            keys: list[tuple[str, ...]] = [("pair", *pair)]
            if pair not in self._trusted:
                peers = [("peer", _peer_of(peer))] if peer else []
                keys = [("username", username), *peers]
            for key in keys:
                self._add(*key)
        return keys

    def _withdraw(self, keys: list[tuple[str, ...]]) -> None:
        with self._lock:
            for key in keys:
                found = self._failures.get(key)
                if found is not None and found.count:
                    found.count -= 1

    def succeeded(self, username: str, peer: str) -> None:
        pair = (username, network_of(peer))
        with self._lock:
            self._failures.pop(("pair", *pair), None)
        if pair[1]:
            self._trust(pair)

    def _trust(self, pair: tuple[str, str]) -> None:
        with self._lock:
            self._trusted[pair] = None
            self._trusted.move_to_end(pair)
            if len(self._trusted) > CAPACITY:
                self._trusted.popitem(last=False)

    def _strangers_wait(self, username: str, peer: str) -> bool:
        with self._lock:
            return bool(self._wait_of_strangers(username, peer))

    def _wait_of_strangers(self, username: str, peer: str) -> float:
        wait = self._wait(("username", username), USERNAME_LIMIT)
        if peer:
            wait = max(wait, self._wait(("peer", _peer_of(peer)), PEER_LIMIT))
        return wait

    def _wait(self, key: tuple[str, ...], limit: int) -> float:
        """Seconds until a count is forgotten that has reached its limit; 0 below it."""
        found = self._failures.get(key)
        if found is None or found.count < limit:
            return 0.0
        return max(0.0, found.since + WINDOW - self._clock())

    def _add(self, *key: str) -> None:
        found = self._failures.get(key)
        if found is None or self._clock() - found.since > WINDOW:
            self._failures[key] = found = _Failures(since=self._clock())
        found.count += 1
        self._failures.move_to_end(key)
        if len(self._failures) > CAPACITY:
            self._failures.popitem(last=False)


def _peer_of(peer: str) -> str:
    """One customer: an IPv4 address, or the IPv6 network that one is given."""
    return network_of(peer) if ":" in peer else peer
