"""Limits failed sign-ins, and refuses further attempts for a while.

Failures are counted by their source. A browser or network with which a person signed in
before has a count of its own: strangers who fail at an address lock out other strangers,
never its owner. All strangers share one count for each address, and one for each client
IP address and network, whatever addresses it tries.

An attempt is recorded before the password is checked, so that a thousand concurrent
attempts count as a thousand. A refused attempt is not counted, so that the waiting time
shown to the person stays true.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from engine.database import advisory_locks, clock
from engine.registry.credentials.sign_in_tally import SignInMethod, tally
from engine.registry.models import Person
from engine.registry.networks import network_of
from portal.sessions import known_browsers
from portal.sessions.models import SignIn
from portal.sessions.user_agents import browser_of

WINDOW = timedelta(minutes=15)
KNOWN_LIMIT = 10  # of one known browser or network, at one address
ADDRESS_LIMIT = 10  # of all strangers together, at one address
PEER_LIMIT = 30  # of one client IP address, at any addresses
NETWORK_LIMIT = 100
# How long a network counts as known after the last sign-in from it.
NETWORK_KNOWN = timedelta(days=90)


class TooManyAttemptsError(Exception):
    """Signing in is refused until `until`, even with the correct password."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many failed attempts to sign in.")
        self.until = until

    @property
    def seconds(self) -> int:
        """The seconds until then; at least one."""
        return max(1, ceil(self.until.timestamp() - clock.estimated_timestamp()))


@dataclass(frozen=True, slots=True)
class Source:
    """The source of an attempt.

    `peer` is the client's IP address. `device` names the person's known browser;
    `is_known` is also set for a known network.
    """

    address: str
    peer: str
    network: str
    browser: str
    device: str = ""
    is_known: bool = False

    def buckets(self) -> list[tuple[Q, int]]:
        """Returns the filters of failures that count against this source, with their limits."""
        if self.device:
            return [(Q(address=self.address, device=self.device), KNOWN_LIMIT)]
        if self.is_known:
            own = Q(address=self.address, network=self.network, device="")
            return [(own & Q(is_known=True), KNOWN_LIMIT)]
        strangers = Q(is_known=False)
        return [
            (strangers & Q(address=self.address), ADDRESS_LIMIT),
            (strangers & Q(peer=self.peer), PEER_LIMIT),
            (strangers & Q(network=self.network), NETWORK_LIMIT),
        ]

    def names(self) -> Iterator[str]:
        """Yields the names of its counts, which are locked while an attempt is counted."""
        yield f"sign-in at {self.address}"
        if not self.device and not self.is_known:
            yield from (f"sign-in from {self.peer}", f"sign-in from {self.network}")


def source_of(request: HttpRequest, address: str) -> Source:
    """Returns the source of a request to sign in with the address."""
    peer = request.META.get("REMOTE_ADDR", "")
    network = network_of(peer)
    browser = browser_of(request.META.get("HTTP_USER_AGENT", ""))
    # Only the compared columns: strangers can trigger this query often.
    found = Person.objects.filter(address=address).only("pk", "session_generation")
    person = found.first()
    if person is None:
        return Source(address, peer, network, browser)
    device = known_browsers.device_of(request, person)
    is_known = bool(device) or _is_network_known(person, network)
    return Source(address, peer, network, browser, device, is_known)


def begin(source: Source, *, is_code: bool = False) -> SignIn:
    """Records an attempt as failed; `withdraw` removes it after success.

    Raises TooManyAttemptsError after too many failures; then nothing is recorded.
    """
    # First without the lock: a client that is locked out costs no write.
    _check(source, clock.now())
    with transaction.atomic():
        # Concurrent attempts pass one by one, so that each counts the others.
        advisory_locks.hold(*source.names())
        now = clock.now()
        _check(source, now)
        return SignIn.objects.create(
            at=now,
            address=source.address[:254],
            peer=source.peer,
            network=source.network,
            browser=source.browser,
            device=source.device,
            is_known=source.is_known,
            is_code=is_code,
        )


@contextmanager
def counted(
    request: HttpRequest, person: Person, *, is_code: bool = False
) -> Iterator[None]:
    """Counts the attempt made inside, unless it succeeds. Raises TooManyAttemptsError.

    `is_code` marks an attempt at the second factor, after a correct password.
    """
    source = source_of(request, person.address)
    attempt = begin(source, is_code=is_code)
    try:
        yield
    except Exception:
        tally.failed(person.address, SignInMethod.CODE, peer=source.peer)
        raise
    withdraw(attempt)


def withdraw(attempt: SignIn) -> None:
    """Removes an attempt that succeeded."""
    attempt.delete()


def failures_at(address: str, *, within: timedelta = WINDOW) -> QuerySet[SignIn]:
    """Returns the recent failures at an address, the latest first."""
    since = clock.now() - within
    return SignIn.objects.filter(address=address, succeeded=False, at__gt=since)


def is_used_up(source: Source) -> bool:
    """Returns whether the failures at the address have reached the source's limit."""
    which, limit = source.buckets()[0]
    return _nth_failure(failures_at(source.address).filter(which), limit) is not None


def record_sign_in(request: HttpRequest, person: Person, device: str) -> None:
    """Records a successful sign-in with its source and browser."""
    peer = request.META.get("REMOTE_ADDR", "")
    SignIn.objects.create(
        address=person.address,
        person=person,
        succeeded=True,
        is_known=True,
        peer=peer,
        network=network_of(peer),
        browser=browser_of(request.META.get("HTTP_USER_AGENT", "")),
        device=device,
        generation=person.session_generation,
    )


def _check(source: Source, now: datetime) -> None:
    """Raises TooManyAttemptsError where one of the source's counts has reached its limit."""
    recent = SignIn.objects.filter(succeeded=False, at__gt=now - WINDOW)
    ends = [
        failed_at + WINDOW
        for which, limit in source.buckets()
        if (failed_at := _nth_failure(recent.filter(which), limit)) is not None
    ]
    if ends:
        raise TooManyAttemptsError(max(ends))


def _nth_failure(failures: QuerySet[SignIn], limit: int) -> datetime | None:
    """Returns the time of the failure that reached the limit; None if there are fewer."""
    times = failures.order_by("-at").values_list("at", flat=True)
    return next(iter(times[limit - 1 : limit]), None)


def _is_network_known(person: Person, network: str) -> bool:
    """Returns whether the person signed in from it since all their sessions were ended."""
    since = timezone.now() - NETWORK_KNOWN
    return bool(network) and (
        SignIn.objects.filter(
            person=person,
            succeeded=True,
            network=network,
            generation=person.session_generation,
            at__gt=since,
        ).exists()
    )
