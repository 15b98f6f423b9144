"""Takes delivered messages out of their mailboxes, and puts them back.

The row of a withdrawn message moves from the table of messages to that of `WithdrawnCopy`,
under the same id. So webmail, POP3 (also a session that is open), the API, rules, exports,
digests, counts and search cannot find it, and none of them has to leave it out. Its
content stays, and goes by the retention of `expiry`.

`engine.queue.mailbox_withdrawals` does this for any number of messages and notes it in
their traces; it is what other rooms call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine import calendar_days
from engine.audit import record as audit
from engine.audit.record import Actor
from engine.registry.models import Mailbox
from engine.storage import message_actions, quota, retention_periods, standard_folders
from engine.storage.models import (
    Folder,
    Message,
    MessageFacts,
    Retention,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.storage.organising.forgetting import forget
from engine.storage.search import index_table

# Kept at least this long, so that a withdrawal by mistake is noticed in time.
LEAST_DAYS = 30
_FACTS = tuple(field.attname for field in MessageFacts._meta.local_fields)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why and on whose behalf messages are withdrawn; `by=None` means the system itself.

    The mailbox's readers see the kind and the reason (300 characters). `occasion` (60 characters) is what the copies of one withdrawal have in common,
    such as `recall:` and a reference; WithdrawnCopy is indexed by it.
    """

    kind: WithdrawalKind
    by: Actor | None
    reason: str = ""
    occasion: str = ""


@transaction.atomic
def take_out(message_ids: Collection[int], cause: Cause) -> list[WithdrawnCopy]:
    """Withdraws messages, all in one transaction, and returns those that were there.

    What was erased or withdrawn before is left out, so a repetition changes nothing. A
    forward or automatic reply that has not been sent yet is not sent any more.
    """
    found = _locked(Message.objects.filter(pk__in=message_ids))
    if not found:
        return []
    now = timezone.now()
    kept_days = _kept_days({one.mailbox.organisation_id for one in found})
    copies = [
        WithdrawnCopy(
            **_facts(one),
            folder_id=one.folder_id,
            kind=cause.kind,
            reason=cause.reason,
            occasion=cause.occasion,
            by_key=cause.by.audit_key if cause.by else "",
            by_name=str(cause.by)[:320] if cause.by else "",
            withdrawn_at=now,
            expires_at=_expiry(one, kept_days[one.mailbox.organisation_id], now),
        )
        for one in found
    ]
    WithdrawnCopy.objects.bulk_create(copies)
    ids = [one.pk for one in found]
    Message.objects.filter(pk__in=ids).delete()
    index_table.forget(ids)
    quota.count_out((one.mailbox_id, one.size) for one in found)
    detail = {"kind": cause.kind, "reason": cause.reason, "occasion": cause.occasion}
    _audit("mailbox.message_withdrawn", copies, detail, by=cause.by)
    return copies


@transaction.atomic
def put_back(
    message_ids: Collection[int], *, by: Actor | None, reason: str = ""
) -> list[Message]:
    """Puts withdrawn messages back, all in one transaction; returns those that were.

    Each comes back under its id, as it was, into its folder; if that was deleted, into
    the inbox. In Deleted and Junk its time begins again.
    """
    copies = _locked(WithdrawnCopy.objects.filter(pk__in=message_ids))
    if not copies:
        return []
    folders = _folders(copies)
    expiries = retention_periods.expiries(list(folders.values()), timezone.now())
    messages = [
        Message(
            **_facts(copy),
            folder=folders[copy.pk],
            expires_at=expiries.get(folders[copy.pk].pk),
        )
        for copy in copies
    ]
    WithdrawnCopy.objects.filter(pk__in=[copy.pk for copy in copies]).delete()
    Message.objects.bulk_create(messages)
    quota.count_in((one.mailbox_id, one.size) for one in copies)
    _audit("mailbox.message_put_back", copies, {"reason": reason}, by=by)
    return messages


@transaction.atomic
def erase_expired(limit: int) -> int:
    """Erases withdrawn messages whose time is over, `limit` at most; returns how many."""
    over = WithdrawnCopy.objects.filter(expires_at__lte=timezone.now())
    copies = _locked(over.order_by("expires_at")[:limit])
    WithdrawnCopy.objects.filter(pk__in=[copy.pk for copy in copies]).delete()
    forget([copy.pk for copy in copies])
    message_actions.delete_unreferenced({copy.content_id for copy in copies})
    return len(copies)


def _locked(rows: Any) -> list[Any]:
    """Returns the rows, locked in the order of their ids, with their mailboxes."""
    ids = list(rows.values_list("pk", flat=True))
    again = rows.model.objects.filter(pk__in=ids).order_by("pk")
    locked = again.select_for_update(of=("self",)).select_related("mailbox")
    return list(locked)


def _facts(row: Message | WithdrawnCopy) -> dict[str, Any]:
    """Returns what a message keeps when its row moves."""
    facts = {name: getattr(row, name) for name in _FACTS}
    return facts | {
        "id": row.pk,
        "mailbox": row.mailbox,
        "content_id": row.content_id,
    }


def _kept_days(organisations: Collection[int]) -> dict[int, int]:
    rows = Retention.objects.filter(organisation__in=organisations)
    chosen = dict(rows.values_list("organisation", "deleted_days"))
    return {one: max(LEAST_DAYS, chosen.get(one, 0)) for one in organisations}


def _expiry(message: Message, kept_days: int, now: datetime) -> datetime:
    """Returns when a message that is withdrawn now goes for good: as from Deleted, or
    when it would have gone from its folder, but not within LEAST_DAYS."""
    own = calendar_days.later(now, days=kept_days)
    least = calendar_days.later(now, days=LEAST_DAYS)
    return max(least, min(own, message.expires_at)) if message.expires_at else own


def _folders(copies: Iterable[WithdrawnCopy]) -> dict[int, Folder]:
    rows = {copy.pk: copy for copy in copies}
    known = Folder.objects.in_bulk({copy.folder_id for copy in rows.values()})
    return {
        pk: known.get(copy.folder_id) or standard_folders.inbox(copy.mailbox)
        for pk, copy in rows.items()
    }


def _audit(
    event: str,
    copies: Iterable[WithdrawnCopy],
    detail: dict[str, Any],
    *,
    by: Actor | None,
) -> None:
    """Records an entry for each mailbox, with the ids of its messages."""
    by_mailbox: dict[Mailbox, list[int]] = {}
    for copy in copies:
        by_mailbox.setdefault(copy.mailbox, []).append(copy.pk)
    audit.append(
        [
            audit.compose(
                event,
                mailbox,
                organisation_key=mailbox.organisation_id,
                detail={"messages": ids, **detail},
                by=by,
            )
            for mailbox, ids in by_mailbox.items()
        ]
    )
