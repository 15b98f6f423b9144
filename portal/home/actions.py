"""Publishes and ends service notices."""

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
    """Publishes a notice on the public pages from `begins_at` to `ends_at`.

    With ends_at=None it is shown until it is ended. Raises PolicyError.
    """
    if ends_at is not None and ends_at <= begins_at:
        raise PolicyError(
            "The notice must end after it begins. Change one of the dates."
        )
    notice = ServiceNotice.objects.create(
        kind=kind, title=title, text=text, begins_at=begins_at, ends_at=ends_at
    )
    record("service_notice.published", notice, detail={"kind": str(kind)}, by=by)
    return notice


@transaction.atomic
def end(notice: ServiceNotice, *, by: Actor) -> None:
    """Ends a notice now; one that has already ended stays as it is."""
    now = timezone.now()
    if not ServiceNotice.objects.unended(now).filter(pk=notice.pk).update(ends_at=now):
        return
    record("service_notice.ended", notice, by=by)
