"""The counts on the console's home: what waits for whom, and where to see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.permissions import Permission, Visitor
from engine.trace.models import Event, EventKind
from onboarding.models import Application
from portal.console import outbox
from portal.console.access import held_as_staff


@dataclass(frozen=True, slots=True)
class Tile:
    """A count of something, for those who may see the list behind it."""

    label: str
    permission: Permission
    count: Callable[[], int]
    url_name: str
    query: str = ""
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A tile with its number. `is_alarming` when it should be nought and is not."""

    label: str
    number: int
    href: str
    is_alarming: bool


def _waiting(status: RecipientStatus) -> Callable[[], int]:
    return Recipient.objects.filter(status=status).count


def _failed_today() -> int:
    since = timezone.now() - timedelta(days=1)
    return Event.objects.filter(kind=EventKind.FAILED, at__gte=since).count()


def _quarantined_this_week() -> int:
    since = timezone.now() - timedelta(days=7)
    return QuarantinedMessage.objects.filter(at__gte=since).count()


TILES = (
    Tile(
        "Applications to decide",
        Permission.VIEW_APPLICATIONS,
        lambda: Application.objects.waiting().count(),
        "vetting:index",
        "?status=submitted",
    ),
    Tile(
        "Recipients waiting for delivery",
        Permission.VIEW_QUEUE,
        _waiting(RecipientStatus.QUEUED),
        "console:queue",
        "?status=queued",
    ),
    Tile(
        "Recipients held",
        Permission.VIEW_QUEUE,
        _waiting(RecipientStatus.HELD),
        "console:queue",
        "?status=held",
        is_alarm=True,
    ),
    Tile(
        "Failed in the last 24 hours",
        Permission.TRACE_MESSAGES,
        _failed_today,
        "console:trace",
        "?kind=failed",
        is_alarm=True,
    ),
    Tile(
        "Infected messages in the last 7 days",
        Permission.VIEW_QUARANTINE,
        _quarantined_this_week,
        "console:quarantine",
        is_alarm=True,
    ),
    Tile(
        "Notices in the outbox", Permission.VIEW_OUTBOX, outbox.count, "console:outbox"
    ),
)


def tiles_for(person: Visitor) -> list[Counted]:
    held = held_as_staff(person)
    return [_counted(tile) for tile in TILES if tile.permission in held]


def _counted(tile: Tile) -> Counted:
    number = tile.count()
    href = reverse(tile.url_name) + tile.query
    return Counted(tile.label, number, href, tile.is_alarm and number > 0)
