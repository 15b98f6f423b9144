"""Throttles guessing of secrets over SMTP and POP3, by counting failures in memory.

The first failures slow the next attempts down, and too many end them for a while.
"""

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
CAPACITY = 10_000  # names remembered at once: bounds the memory a guesser can fill

# Seconds until the next attempt after one failure; twice as long after each further one.
# The longest is less than `Limits.least_patience`, or a crowded port would drop the client
# while we make it wait.
FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0

WasKnown = Callable[[str], bool]


class TooManyAttemptsError(TemporaryFailure):
    """Sign-in is refused until the window ends, whatever the secret."""

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
    """The attempts counted since a moment, those among them that are over, and until when
    the next one is held back."""

    since: float
    count: int = 0
    over: int = 0
    held_until: float = 0.0


@dataclass(slots=True)
class Attempt:
    """An attempt to sign in, counted as failed until `succeeded` is called."""

    has_succeeded: bool = False

    def succeeded(self) -> None:
        """Marks the attempt as successful."""
        self.has_succeeded = True


def never_known(network: str) -> bool:
    """Answers that a name has not signed in from the network before."""
    return False


class Throttle:
    """Counts failures per user name, per peer, and per known pair of name and network.

    A network from which a name has signed in before has a count of its own for that
    name. Failures from other networks count against the name and against the peer, and
    these counts do not bind a known network: otherwise anyone could lock out a member's
    server, or a person's mail client, by failing in its name. Refused attempts are not
    counted, so the wait that the reply states is the true one.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    @contextmanager
    def attempt(
        self, username: str, peer: str, *, was_known: WasKnown = never_known
    ) -> Iterator[Attempt]:
        """Counts an attempt as failed before its secret is looked at.

        Counting afterwards would let a thousand concurrent attempts through before the
        first of them failed. An attempt that succeeds, or ends in an error of ours, is
        taken off the count again. Raises TooManyAttemptsError as `check` does.
        """
        try:
            self.check(username, peer, was_known=was_known)
            with self._lock:
                self.check(username, peer)
                keys = self.failed(username, peer)
        except TooManyAttemptsError:
            # Not counted, but as slow: each may cost the query of `was_known`.
            self._hold_back(self._keys(username, peer))
            raise
        made = Attempt()
        try:
            yield made
        except BaseException:
            self._withdraw(keys)
            raise
        if made.has_succeeded:
            self._withdraw(keys)
            self.succeeded(username, peer)
        else:
            self._hold_back(keys)

    def delay(self, username: str, peer: str) -> float:
        """Returns the seconds to wait before the next attempt, LONGEST_DELAY at most.

        For a right secret too, or the time would tell it from a wrong one. Counted from
        the last failure, so that an attempt some seconds later need not wait; and by the
        same counts as attempts are, so that no stranger slows a known network down.
        """
        with self._lock:
            found = (self._failures.get(key) for key in self._keys(username, peer))
            latest = max((one.held_until for one in found if one), default=0.0)
            return max(0.0, latest - self._clock())

    def check(
        self, username: str, peer: str, *, was_known: WasKnown = never_known
    ) -> None:
        """Raises TooManyAttemptsError if too many attempts have failed.

        `was_known` says whether the name has signed in from a network before. It costs a
        query, so it is called only when the answer decides and memory does not have it:
        after a restart, or in another process.
        """
        pair = (username, network_of(peer))
        is_worth_asking = pair[1] and pair not in self._known
        must_wait = is_worth_asking and self._must_strangers_wait(username, peer)
        if must_wait and was_known(pair[1]):
            self._remember(pair)
        with self._lock:
            wait = (
                self._wait(("pair", *pair), USERNAME_LIMIT)
                if pair in self._known
                else self._strangers_wait(username, peer)
            )
        if wait:
            raise TooManyAttemptsError(wait)

    def failed(self, username: str, peer: str) -> list[tuple[str, ...]]:
        """Counts a failure, and returns the keys under which it was counted."""
        with self._lock:
            keys = self._keys(username, peer)
            for key in keys:
                self._add(*key)
        return keys

    def succeeded(self, username: str, peer: str) -> None:
        """Clears the failures of the name from this network, and remembers the network."""
        pair = (username, network_of(peer))
        with self._lock:
            self._failures.pop(("pair", *pair), None)
        if pair[1]:
            self._remember(pair)

    def _keys(self, username: str, peer: str) -> list[tuple[str, ...]]:
        """The keys under which a client's failures count."""
        pair = (username, network_of(peer))
        if pair in self._known:
            return [("pair", *pair)]
        peers = [("peer", _peer_key(peer))] if peer else []
        return [("username", username), *peers]

    def _hold_back(self, keys: list[tuple[str, ...]]) -> None:
        """Makes the next attempts wait, because one has failed."""
        with self._lock:
            for key in keys:
                found = self._failures.get(key)
                if found is not None:
                    found.over += 1
                    # Attempts that are still being checked do not count: a hundred right
                    # ones at once from one address must not slow each other down.
                    doublings = min(found.over - 1, 10)
                    seconds = min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)
                    found.held_until = self._clock() + seconds

    def _withdraw(self, keys: list[tuple[str, ...]]) -> None:
        with self._lock:
            for key in keys:
                found = self._failures.get(key)
                if found is not None and found.count:
                    found.count -= 1

    def _remember(self, pair: tuple[str, str]) -> None:
        with self._lock:
            self._known[pair] = None
            self._known.move_to_end(pair)
            if len(self._known) > CAPACITY:
                self._known.popitem(last=False)

    def _must_strangers_wait(self, username: str, peer: str) -> bool:
        with self._lock:
            return bool(self._strangers_wait(username, peer))

    def _strangers_wait(self, username: str, peer: str) -> float:
        """Seconds that a client from an unknown network must wait."""
        wait = self._wait(("username", username), USERNAME_LIMIT)
        if peer:
            wait = max(wait, self._wait(("peer", _peer_key(peer)), PEER_LIMIT))
        return wait

    def _wait(self, key: tuple[str, ...], limit: int) -> float:
        """Seconds until a count that has reached its limit expires; 0 below the limit."""
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


def _peer_key(peer: str) -> str:
    """One customer: an IPv4 address, or the IPv6 network that a provider assigns."""
    return network_of(peer) if ":" in peer else peer
