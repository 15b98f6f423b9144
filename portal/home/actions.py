"""What staff do about notices to everybody."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.errors import PolicyError
from engine.registry.models import Actor
from portal.home.models import NoticeKind, ServiceNotice


@transaction.atomic
def publish(
    *,
    kind: NoticeKind,
    title: str,
    text: str,
    begins_at: datetime,
    ends_at: datetime | None,
    by: Actor,
) -> ServiceNotice:
    """Show the words on the public pages, from then until then."""
    if ends_at is not None and ends_at <= begins_at:
        raise PolicyError("It must end after it begins.")
    notice = ServiceNotice.objects.create(
        kind=kind, title=title, text=text, begins_at=begins_at, ends_at=ends_at
    )
    record("service_notice.published", notice, detail={"kind": str(kind)}, by=by)
    return notice


@transaction.atomic
def end(notice: ServiceNotice, *, by: Actor) -> None:
    """Take it down now; one that has ended stays as it is."""
    now = timezone.now()
    if not ServiceNotice.objects.unended(now).filter(pk=notice.pk).update(ends_at=now):
        return
    record("service_notice.ended", notice, by=by)
