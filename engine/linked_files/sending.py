"""The files of a draft: removed with it, and open to the recipients once it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.db import transaction

from engine import calendar_days
from engine.linked_files.models import LinkedFile
from engine.registry.models import Mailbox
from engine.storage import content, message_actions
from engine.storage.content_keys import Held

# The website's path of a file, before its secret; portal.webmail has the page.
PATH = "/files/"


def link_of(file: LinkedFile) -> str:
    """Returns the address of a file's page."""
    return urljoin(settings.POSTERN.site_url, f"{PATH}{file.secret}/")


def expiry(leaves_at: datetime) -> datetime:
    """Returns when the links of a message that leaves then expire."""
    return calendar_days.later(leaves_at, days=settings.POSTERN.linked_file_days)


def draft_expiry(file: LinkedFile) -> datetime:
    """Returns when a file ends that is not sent."""
    return expiry(file.added_at)


def mark_sent(
    file_ids: Collection[int],
    *,
    reference: str,
    expires_at: datetime,
    sender: Mailbox,
) -> int:
    """Opens files to the recipients of a message, in the caller's transaction.

    Returns how many; fewer than asked for where one was removed, or has ended, meanwhile.
    """
    live = LinkedFile.objects.live().filter(pk__in=file_ids, reference="")
    return live.update(reference=reference, expires_at=expires_at, sender=sender)


def take_back(reference: str, *, mailbox: Mailbox) -> None:
    """Makes the files of a message a draft's again, in the caller's transaction.

    `mailbox` is where the draft is saved.
    """
    LinkedFile.objects.live().filter(reference=reference).update(
        reference="", expires_at=None, sender=None, mailbox=mailbox
    )


def copy_all(mailbox: Mailbox, token: UUID, *, to: UUID) -> None:
    """Copies the files of one draft to another, in the caller's transaction.

    The stored octets are shared, so that a large file takes no time.
    """
    rows = LinkedFile.objects.of_draft(mailbox, token).select_related("content")
    for row in rows:
        if row.content is not None:
            holder = row.organisation_id
            shared = content.with_header(Held(row.content, holder), b"")
            row.pk, row.token, row.secret = None, to, new_secret()
            row.content = content.save(shared, holder=holder)
            row.save(force_insert=True)


def new_secret() -> str:
    """Returns what only a link holds."""
    return secrets.token_urlsafe(32)


@transaction.atomic
def remove(file_id: int, *, mailbox: Mailbox, token: UUID) -> bool:
    """Removes a file from a draft; returns whether it was there."""
    rows = LinkedFile.objects.of_draft(mailbox, token).filter(pk=file_id)
    return bool(delete(list(rows)))


@transaction.atomic
def remove_all(mailbox: Mailbox, token: UUID) -> None:
    """Removes every file from a draft."""
    delete(list(LinkedFile.objects.of_draft(mailbox, token)))


def delete(files: list[LinkedFile]) -> int:
    """Deletes drafts' rows and their content, in the caller's transaction.

    Returns how many: what was sent meanwhile stays.
    """
    ids = [one.pk for one in files]
    # Locked: sending waits, and then finds out that they are gone.
    drafts = LinkedFile.objects.select_for_update().filter(pk__in=ids, reference="")
    rows = list(drafts.order_by("pk"))
    LinkedFile.objects.filter(pk__in=[one.pk for one in rows]).delete()
    message_actions.delete_unreferenced(
        [one.content_id for one in rows if one.content_id]
    )
    return len(rows)
