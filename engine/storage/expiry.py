"""When what lies in Deleted and Junk goes for good."""

from __future__ import annotations

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
    kept = kept or Retention()
    return kept.deleted_days if folder.role == FolderRole.TRASH else kept.junk_days


def expiry(folder: Folder, now: datetime) -> datetime | None:
    """When a message that comes into the folder now goes for good."""
    kept_days = days(folder)
    return None if kept_days is None else now + timedelta(days=kept_days)
