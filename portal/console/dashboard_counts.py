"""The counts behind the tiles of the console's home page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.incidents import rescans
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import StaffRole
from engine.trace.models import Event, EventKind
from onboarding.connecting.models import Watch
from onboarding.models import Application
from onboarding.status import Status
from portal.account_admin import approvals
from portal.console.operations.health_checks import renewal_deadline
from portal.emergency_access.models import EmergencyAccess
from portal.emergency_access.models import Status as AccessStatus
from portal.guides.models import Feedback
from portal.helpdesk.models import Ticket

LONG_WAIT = timedelta(hours=2)  # queued mail then deserves an operator's attention


def recipients(status: RecipientStatus) -> Callable[[], int]:
    """Counts recipients in a status."""
    return Recipient.objects.filter(status=status).count


def applications(status: Status) -> Callable[[], int]:
    """Counts applications in a status."""
    return Application.objects.filter(status=status).count


def queued_for_hours() -> int:
    """Counts recipients that have been queued for longer than LONG_WAIT."""
    since = timezone.now() - LONG_WAIT
    return Recipient.objects.filter(
        status=RecipientStatus.QUEUED, message__accepted_at__lte=since
    ).count()


def certificates_ending() -> int:
    """Counts members whose certificate ends soon."""
    return Watch.objects.filter(certificate_ends_at__lte=renewal_deadline()).count()


def pending_approvals() -> int:
    """Counts changes to accounts that wait for a second person."""
    return len(approvals.pending())


def emergency_accesses() -> int:
    """Counts requests for emergency access that wait, and accesses that are open.

    Leaves out the mailboxes of staff, who would learn from it too early.
    """
    unfinished = (AccessStatus.WAITING, AccessStatus.OPEN)
    return (
        EmergencyAccess.objects.filter(status__in=unfinished)
        .exclude(holder__in=StaffRole.objects.values("person"))
        .count()
    )


def late_tickets() -> int:
    """Counts tickets that are late or due soon."""
    return Ticket.objects.breaching(timezone.now()).count()


def failed_today() -> int:
    """Counts recipients that failed in the last 24 hours."""
    since = timezone.now() - timedelta(days=1)
    return Event.objects.filter(kind=EventKind.FAILED, at__gte=since).count()


def quarantined_this_week() -> int:
    """Counts messages quarantined in the last seven days."""
    since = timezone.now() - timedelta(days=7)
    return QuarantinedMessage.objects.filter(at__gte=since).count()


def comments_this_week() -> int:
    """Counts comments on guides in the last seven days."""
    since = timezone.now() - timedelta(days=7)
    return Feedback.objects.filter(at__gte=since).exclude(comment="").count()


def newer_signatures() -> int:
    """Returns 1 where a re-scan may find what none has found yet, else 0."""
    return int(bool(rescans.newer_signatures()))
