"""How many of each thing wait: what the tiles of the console's home count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.queue.models import Recipient, RecipientStatus
from engine.trace.models import Event, EventKind
from onboarding.connecting.models import Watch
from onboarding.models import Application
from onboarding.status import Status
from portal.account_admin.approvals import all_waiting
from portal.console.operations.health_checks import soon
from portal.guides.models import Feedback
from portal.helpdesk.models import Ticket

LONG = timedelta(hours=2)  # after which waiting mail is somebody's business


def waiting(status: RecipientStatus) -> Callable[[], int]:
    return Recipient.objects.filter(status=status).count


def applications(status: Status) -> Callable[[], int]:
    return Application.objects.filter(status=status).count


def waiting_long() -> int:
    since = timezone.now() - LONG
    return Recipient.objects.filter(
        status=RecipientStatus.QUEUED, message__accepted_at__lte=since
    ).count()


def ending() -> int:
    return Watch.objects.filter(certificate_ends_at__lte=soon()).count()


def second_person() -> int:
    return len(all_waiting())


def late_tickets() -> int:
    return Ticket.objects.breaching(timezone.now()).count()


def failed_today() -> int:
    since = timezone.now() - timedelta(days=1)
    return Event.objects.filter(kind=EventKind.FAILED, at__gte=since).count()


def quarantined_this_week() -> int:
    since = timezone.now() - timedelta(days=7)
    return QuarantinedMessage.objects.filter(at__gte=since).count()


def comments_this_week() -> int:
    since = timezone.now() - timedelta(days=7)
    return Feedback.objects.filter(at__gte=since).exclude(comment="").count()
