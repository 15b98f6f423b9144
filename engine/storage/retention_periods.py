"""When what lies in Deleted and Junk goes for good."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from engine.registry.models import Organisation
from engine.storage.models import Folder, FolderRole, Retention


def of(organisation: Organisation) -> Retention:
    """What the organisation has set, or what holds for everybody."""
    found = Retention.objects.filter(organisation=organisation).first()
    return found or Retention(organisation=organisation)


def days(folder: Folder) -> int | None:
    """After how many days a message in this folder goes; None where it stays."""
    if not folder.is_waste:
        return None
    kept = Retention.objects.filter(organisation__mailboxes=folder.mailbox_id).first()
    return _days(folder, kept)


def expiry(folder: Folder, now: datetime) -> datetime | None:
    """When a message that comes into the folder now goes for good."""
    kept_days = days(folder)
    return None if kept_days is None else now + timedelta(days=kept_days)


def expiries(folders: Collection[Folder], now: datetime) -> dict[int, datetime]:
    """The same for many folders of any mailboxes, by folder id. At most one query.

    Folders in which messages stay are left out.
    """
    waste = [folder for folder in folders if folder.is_waste]
    if not waste:
        return {}
    rows = Retention.objects.filter(
        organisation__mailboxes__in={folder.mailbox_id for folder in waste}
    )
    kept = {
        mailbox_id: Retention(deleted_days=deleted_days, junk_days=junk_days)
        for mailbox_id, deleted_days, junk_days in rows.values_list(
            "organisation__mailboxes", "deleted_days", "junk_days"
        )
    }
    return {
        folder.pk: now + timedelta(days=_days(folder, kept.get(folder.mailbox_id)))
        for folder in waste
    }


def _days(folder: Folder, kept: Retention | None) -> int:
    kept = kept or Retention()
    return kept.deleted_days if folder.role == FolderRole.TRASH else kept.junk_days
