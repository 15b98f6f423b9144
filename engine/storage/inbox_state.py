"""Reads what a delivery needs to know of mailboxes, with one query for any number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef

from engine.database import bulk_rows
from engine.storage.models import Folder, FolderRole, OutOfOffice, Rule


@dataclass(slots=True)
class Inbox:
    """A mailbox's inbox. `room` is in octets, and a delivery takes its size off it."""

    folder_id: int
    room: int
    has_rules: bool
    is_away: bool
    address: str


def find(mailbox_ids: Collection[int], now: datetime) -> dict[int, Inbox]:
    """Returns inboxes by mailbox id, of those mailboxes that have one."""
    own = OuterRef("mailbox_id")
    found = Folder.objects.filter(
        mailbox_id__in=bulk_rows.ids_subquery(mailbox_ids), role=FolderRole.INBOX
    )
    facts = found.order_by().values_list(
        "mailbox_id",
        "id",
        F("mailbox__quota_bytes") - F("mailbox__used_bytes"),
        # Only whether there are any: most mailboxes have no rules, and need no second query.
        Exists(Rule.objects.filter(mailbox_id=own)),
        Exists(OutOfOffice.objects.on_at(now).filter(mailbox_id=own)),
        "mailbox__address",
    )
    return {mailbox_id: Inbox(*rest) for mailbox_id, *rest in facts}
