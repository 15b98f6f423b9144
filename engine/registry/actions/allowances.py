"""Actions on allowances: senders that may exceed the usual sending rates."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from engine.registry import senders
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, Allowance, SenderKind
from engine.registry.verbs import record_action, verb

# At a thousand times the usual rate nothing is limited any more; larger factors would
# only be typing errors.
MAX_FACTOR = 1000


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
    """Lets a sender send `factor` times the usual rates; replaces an earlier allowance.

    Raises PolicyError if the factor is outside 2 to MAX_FACTOR, the end is past, the
    reason is empty, or the sender does not exist.
    """
    if not 2 <= factor <= MAX_FACTOR:
        raise PolicyError(f"Enter a number between 2 and {MAX_FACTOR}.")
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if until is not None and until <= timezone.now():
        raise PolicyError("The end must be in the future.")
    found = senders.find(kind, subject_id)
    if found is None:
        raise PolicyError("This sender no longer exists.")
    allowance, _ = Allowance.objects.update_or_create(
        kind=kind,
        subject_id=subject_id,
        defaults={"factor": factor, "reason": reason.strip(), "until": until},
    )
    _record("allowance.given", allowance, by=by)
    return allowance


@verb
def end(allowance: Allowance, *, by: Actor | None) -> None:
    """Ends an allowance: the usual rates apply to the sender again."""
    _record("allowance.ended", allowance, by=by)
    allowance.delete()


def _record(event: str, allowance: Allowance, *, by: Actor | None) -> None:
    found = senders.find(SenderKind(allowance.kind), allowance.subject_id)
    detail = {
        "kind": allowance.kind,
        "sender": str(found or allowance.subject_id),
        "times": allowance.factor,
        "until": allowance.until.isoformat() if allowance.until else "",
    }
    record_action(
        event,
        allowance,
        detail,
        organisation_key=(found and senders.organisation_of(found)) or "",
        reason=allowance.reason,
        by=by,
    )
