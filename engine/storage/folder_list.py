"""The folders of a mailbox with what waits in each, for the pages that list them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from engine.database import statements
from engine.storage.models import Folder

# One statement for the folders, the counts and what was withdrawn: each page of a mailbox
# begins with it, and to send a statement takes longer than these small ones run.
# BETWEEN has PostgreSQL use the index that begins with the folder: with = it expects many
# rows of each, and reads the whole table backwards to find that an empty folder has none.
_COLUMNS = ["id", "mailbox_id", "role", "name"]
_LISTED = """
    SELECT folder.id, folder.mailbox_id, folder.role, folder.name,
        CASE folder.role WHEN 'drafts'
        THEN (SELECT COUNT(*) FROM (
            SELECT 1 FROM storage_message
            WHERE folder_id BETWEEN folder.id AND folder.id
            LIMIT %s) AS counted)
        ELSE (SELECT COUNT(*) FROM (
            SELECT 1 FROM storage_message WHERE folder_id = folder.id AND NOT is_read
            LIMIT %s) AS counted)
        END,
        COALESCE((
            SELECT id FROM storage_message
            WHERE folder_id BETWEEN folder.id AND folder.id
            ORDER BY folder_id, id DESC LIMIT 1), 0),
        CASE WHEN folder.id = %s THEN (SELECT COUNT(*) FROM (
            SELECT 1 FROM storage_message
            WHERE folder_id BETWEEN folder.id AND folder.id
            LIMIT %s) AS counted)
        END,
        CASE WHEN folder.role = 'inbox' THEN EXISTS (
            SELECT 1 FROM storage_withdrawncopy
            WHERE mailbox_id = folder.mailbox_id AND withdrawn_at >= %s)
        END,
        EXISTS (
            SELECT 1 FROM storage_label WHERE mailbox_id = folder.mailbox_id),
        EXISTS (
            SELECT 1 FROM storage_reminder WHERE mailbox_id = folder.mailbox_id)
    FROM storage_folder folder WHERE folder.mailbox_id = {mailbox}
"""
_OF_MAILBOX = _LISTED.format(mailbox="%s")
_BESIDE = _LISTED.format(
    mailbox="(SELECT mailbox_id FROM storage_folder WHERE id = %s)"
)


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """A folder and how many of its messages are unread; in Drafts, how many there are.

    `newest` is the id of its newest message, 0 where it is empty. `total` is the number of
    messages of the folder whose page is open, else None. `has_withdrawn` is True for an
    Inbox whose mailbox lost messages since the time given. The last two are of the mailbox:
    most have neither, and so no query for them.
    """

    folder: Folder
    waiting: int
    newest: int
    total: int | None
    has_withdrawn: bool
    has_labels: bool
    has_reminders: bool


def of_mailbox(
    mailbox_id: int, *, limit: int, withdrawn_since: datetime, opened: int = 0
) -> list[ListedFolder]:
    """Lists the folders of a mailbox, in one statement.

    Counting stops at one more than the limit, so that a hundred thousand messages do not
    slow down a page.
    """
    return _rows(_OF_MAILBOX, opened, limit, withdrawn_since, mailbox_id)


def beside(
    folder_id: int, among: Collection[int], *, limit: int, withdrawn_since: datetime
) -> list[ListedFolder]:
    """Lists the folders of the mailbox that has this folder, as `of_mailbox` does.

    Empty if there is no such folder, or its mailbox is not `among` these.
    """
    rows = _rows(_BESIDE, folder_id, limit, withdrawn_since, folder_id)
    return [row for row in rows if row.folder.mailbox_id in among]


def _rows(
    statement: str, opened: int, limit: int, since: datetime, place: int
) -> list[ListedFolder]:
    most = limit + 1
    moment = connection.ops.adapt_datetimefield_value(since)
    found = statements.fetch(statement, [most, most, opened, most, moment, place])
    return [
        ListedFolder(
            Folder.from_db(connection.alias, _COLUMNS, row[:4]),
            *row[4:7],
            *map(bool, row[7:]),
        )
        for row in found
    ]
