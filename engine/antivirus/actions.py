"""What an operator may do to what is in quarantine. It is released to nobody."""

from __future__ import annotations

from django.db import transaction

from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.audit.record import record
from engine.registry.models import Person


@transaction.atomic
def delete(message: QuarantinedMessage, *, reason: str, by: Person) -> None:
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
