"""What becomes of what is in quarantine. It is released to nobody."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engine import slices
from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.audit.record import record
from engine.registry.models import Actor


@transaction.atomic
def delete(message: QuarantinedMessage, *, reason: str, by: Actor | None) -> None:
    """Destroy the copy for good; the audit trail keeps what it was."""
    path = quarantine.folder() / message.path
    detail = {
        "reference": message.reference,
        "signature": message.signature,
        "digest": message.digest,
        "reason": reason,
    }
    record(
        "quarantine.deleted",
        message,
        organisation_key=message.organisation_id or "",
        detail=detail,
        by=by,
    )
    message.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def let_go() -> int:
    """Destroy what has been here for as long as the community keeps it."""
    days = settings.POSTERN.quarantine_days
    before = timezone.now() - timedelta(days=days)
    gone = list(QuarantinedMessage.objects.filter(at__lt=before).order_by("pk"))
    reason = f"Kept for {days} days"
    try:
        return slices.for_each(gone, partial(delete, reason=reason, by=None))
    finally:
        quarantine.sweep()
