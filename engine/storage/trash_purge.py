"""How long Deleted and Junk keep what lies in them, and letting it go."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from engine import slices
from engine.audit.record import record
from engine.registry.models import Organisation, Person
from engine.storage import message_actions, retention_periods
from engine.storage.models import Folder, FolderRole, Message, Retention

# Messages erased in one transaction.
CHUNK = 500


@transaction.atomic
def set_days(
    organisation: Organisation, *, deleted_days: int, junk_days: int, by: Person
) -> None:
    """Change how long an organisation's mailboxes keep what was thrown away.

    What lies there already moves with it.
    """
    before = retention_periods.of(organisation)
    after = Retention(
        organisation=organisation, deleted_days=deleted_days, junk_days=junk_days
    )
    after.full_clean(validate_unique=False)
    Retention.objects.update_or_create(
        organisation=organisation,
        defaults={"deleted_days": deleted_days, "junk_days": junk_days},
    )
    _shift(organisation, FolderRole.TRASH, deleted_days - before.deleted_days)
    _shift(organisation, FolderRole.JUNK, junk_days - before.junk_days)
    record(
        "retention.set",
        organisation,
        organisation_key=organisation.pk,
        detail={"deleted_days": deleted_days, "junk_days": junk_days},
        by=by,
    )


def sweep() -> int:
    """Erase what has lain its time; return how many messages that were.

    Each piece is a transaction of its own: a crash between two leaves nothing half done.
    """
    return slices.work(_erase_some)


def _erase_some() -> int:
    ids = list(_expired().values_list("pk", flat=True)[:CHUNK])
    message_actions.erase(ids)
    return len(ids)


def _expired() -> QuerySet[Message]:
    return Message.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")


def _shift(organisation: Organisation, role: FolderRole, by_days: int) -> None:
    if by_days:
        Message.objects.filter(
            expires_at__isnull=False,
            folder__in=Folder.objects.filter(
                mailbox__organisation=organisation, role=role
            ),
        ).update(expires_at=F("expires_at") + timedelta(days=by_days))
