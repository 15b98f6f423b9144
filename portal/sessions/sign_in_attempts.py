"""How often signing in may fail, and for how long it is then refused.

Failures are counted by where they come from. A browser or a network with which a person
signed in before has a count of its own, which nobody else can use up: strangers who fail
at an address shut out other strangers, never its owner. Everybody else shares one count
for each address, and one for each peer and network whatever address it tries.

An attempt is written down before it is judged, so that a thousand made at once count as
a thousand. While it is refused nothing is counted: the wait that is shown is the true one.
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

from engine import clock, locks
from engine.registry.models import Person
from engine.registry.networks import network_of
from portal.sessions import known_browsers
from portal.sessions.models import SignIn
from portal.sessions.user_agents import browser_of

WINDOW = timedelta(minutes=15)
KNOWN_LIMIT = 10  # of one browser, or of one network, at one address
ADDRESS_LIMIT = 10  # of all strangers together, at one address
PEER_LIMIT = 30  # of one peer, at whatever addresses
NETWORK_LIMIT = 100
# A network counts as known for so long after the last sign-in from it.
NETWORK_KNOWN = timedelta(days=90)


class TooManyAttemptsError(Exception):
    """Signing in is refused until `until`, whatever the secret."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many failed attempts to sign in.")
        self.until = until

    @property
    def seconds(self) -> int:
        """How long it is until then; at least one."""
        return max(1, ceil(self.until.timestamp() - clock.held()))


@dataclass(frozen=True, slots=True)
class Source:
    """Where an attempt comes from, and as whose known browser or network, if any."""

    address: str
    peer: str
    network: str
    browser: str
    device: str = ""
    is_known: bool = False

    def buckets(self) -> list[tuple[Q, int]]:
        """Which failures count against it, and how many of them there may be."""
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
        """What its counts go by: who shares one of them may not count at once."""
        yield f"sign-in at {self.address}"
        if not self.device and not self.is_known:
            yield from (f"sign-in from {self.peer}", f"sign-in from {self.network}")


def source_of(request: HttpRequest, address: str) -> Source:
    """Where a request to sign in as the address comes from."""
    peer = request.META.get("REMOTE_ADDR", "")
    network = network_of(peer)
    browser = browser_of(request.META.get("HTTP_USER_AGENT", ""))
    # Strangers may ask for this often: of the row, what is compared.
    found = Person.objects.filter(address=address).only("pk", "session_generation")
    person = found.first()
    if person is None:
        return Source(address, peer, network, browser)
    device = known_browsers.device_of(request, person)
    is_known = bool(device) or _is_network_known(person, network)
    return Source(address, peer, network, browser, device, is_known)


def begin(source: Source, *, is_code: bool = False) -> SignIn:
    """Write an attempt down as failed, until `withdraw` says otherwise.

    Raises TooManyAttemptsError where too many failed before it; it then counts for none.
    """
    # A client that is locked out already costs no write, however often it tries.
    _check(source, clock.now())
    with transaction.atomic():
        # Those that come at the same moment pass one by one, and each sees the others.
        locks.hold(*source.names())
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
    """Count what is tried inside, unless it succeeds. Raises TooManyAttemptsError.

    `is_code` says that the password was right just before.
    """
    attempt = begin(source_of(request, person.address), is_code=is_code)
    yield
    withdraw(attempt)


def withdraw(attempt: SignIn) -> None:
    """The secret was right: this one counts for nothing."""
    attempt.delete()


def failures_at(address: str, *, within: timedelta = WINDOW) -> QuerySet[SignIn]:
    """What failed at an address lately, the latest first."""
    since = clock.now() - within
    return SignIn.objects.filter(address=address, succeeded=False, at__gt=since)


def is_used_up(source: Source) -> bool:
    """True where the failures at its own address have reached the source's limit."""
    which, limit = source.buckets()[0]
    return _nth_failure(failures_at(source.address).filter(which), limit) is not None


def note_sign_in(request: HttpRequest, person: Person, device: str) -> None:
    """Write down who has got in, from where and with what."""
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
    """Raise TooManyAttemptsError where one of the source's counts is used up."""
    recent = SignIn.objects.filter(succeeded=False, at__gt=now - WINDOW)
    ends = [
        failed_at + WINDOW
        for which, limit in source.buckets()
        if (failed_at := _nth_failure(recent.filter(which), limit)) is not None
    ]
    if ends:
        raise TooManyAttemptsError(max(ends))


def _nth_failure(failures: QuerySet[SignIn], limit: int) -> datetime | None:
    """When the failure happened that was the limit; None where there are fewer."""
    times = failures.order_by("-at").values_list("at", flat=True)
    return next(iter(times[limit - 1 : limit]), None)


def _is_network_known(person: Person, network: str) -> bool:
    """Whether the person signed in from it since their sessions were last ended."""
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
