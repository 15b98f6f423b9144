"""Reads what a delivery needs to know of mailboxes, with one query for any number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from engine.database import bulk_rows, statements
from engine.registry.models import Mailbox
from engine.storage.models import Folder, FolderRole, Message, OutOfOffice, Rule

# Only whether there are any rules, and conversations assigned to a member: most mailboxes
# have none, and need no second query. The
# out-of-office settings are those of OutOfOffice.objects.on_at().
FIND = f"""
    SELECT folder.mailbox_id, folder.id, mailbox.quota_bytes - mailbox.used_bytes,
        EXISTS (SELECT 1 FROM {Rule._meta.db_table} AS rule
                WHERE rule.mailbox_id = folder.mailbox_id),
        EXISTS (SELECT 1 FROM {OutOfOffice._meta.db_table} AS away
                WHERE away.mailbox_id = folder.mailbox_id AND away.is_on
                  AND away.starts_at <= %s
                  AND (away.ends_at IS NULL OR away.ends_at > %s)),
        mailbox.address, mailbox.organisation_id,
        EXISTS (SELECT 1 FROM {Message._meta.db_table} AS message
                WHERE message.mailbox_id = folder.mailbox_id
                  AND message.assigned_to > 0)
    FROM {Folder._meta.db_table} AS folder
    JOIN {Mailbox._meta.db_table} AS mailbox ON mailbox.id = folder.mailbox_id
    WHERE folder.role = '{FolderRole.INBOX}' AND folder.mailbox_id {{among_ids}}
"""  # noqa: S608


@dataclass(slots=True)
class Inbox:
    """A mailbox's inbox. `room` is in octets, and a delivery takes its size off it."""

    folder_id: int
    room: int
    has_rules: bool
    is_away: bool
    address: str
    organisation_id: int
    has_assignments: bool


def find(mailbox_ids: Collection[int], now: datetime) -> dict[int, Inbox]:
    """Returns inboxes by mailbox id, of those mailboxes that have one."""
    sql = FIND.format(among_ids=bulk_rows.AMONG[connection.vendor])
    moment = connection.ops.adapt_datetimefield_value(now)
    found = statements.fetch(sql, [moment, moment, bulk_rows.members(mailbox_ids)])
    return {mailbox_id: Inbox(*rest) for mailbox_id, *rest in found}
