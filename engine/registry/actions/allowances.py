from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from engine.audit.record import record
from engine.registry import senders
from engine.registry.actor import Actor
from engine.registry.errors import PolicyError
from engine.registry.models import Allowance, SenderKind
from engine.registry.verbs import verb

# So many times the usual rate is no brake any more, and stays a number people can read.
MOST = 1000


@verb
def give(
    kind: SenderKind,
    subject_id: int,
    *,
    factor: int,
    reason: str,
    until: datetime | None = None,
    by: Actor | None,
) -> Allowance:
    """Let a sender send so many times the usual rates, in place of an earlier allowance.

    Raises PolicyError for a factor or an end that makes no sense, without a reason, and
    where the sender does not exist.
    """
    if not 2 <= factor <= MOST:
        raise PolicyError(f"Enter a number between 2 and {MOST}.")
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if until is not None and until <= timezone.now():
        raise PolicyError("The end must be in the future.")
    found = senders.find(kind, subject_id)
    if found is None:
        raise PolicyError("This sender does not exist any more.")
    allowance, _ = Allowance.objects.update_or_create(
        kind=kind,
        subject_id=subject_id,
        defaults={"factor": factor, "reason": reason.strip(), "until": until},
    )
    _record("allowance.given", allowance, by=by)
    return allowance


@verb
def end(allowance: Allowance, *, by: Actor | None) -> None:
    """Have the usual rates hold for the sender again."""
    _record("allowance.ended", allowance, by=by)
    allowance.delete()


def _record(event: str, allowance: Allowance, *, by: Actor | None) -> None:
    found = senders.find(SenderKind(allowance.kind), allowance.subject_id)
    record(
        event,
        allowance,
        organisation_key=(found and senders.organisation_of(found)) or "",
        detail={
            "kind": allowance.kind,
            "sender": str(found or allowance.subject_id),
            "times": allowance.factor,
            "until": allowance.until.isoformat() if allowance.until else "",
            "reason": allowance.reason,
        },
        by=by,
    )
