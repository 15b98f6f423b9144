"""Assigns conversations of a group mailbox to its members.

Each message names its assignee, so that a folder lists what is one person's by an index.
All messages of a conversation have the same one; what arrives in it later gets it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, signals

from engine.audit.record import lock_chain, record
from engine.database.prepared_queries import PreparedQuery
from engine.jobs import queue as jobs
from engine.registry.errors import PolicyError
from engine.registry.models import Grant, Mailbox, MailboxKind, Person
from engine.storage import mailbox_changes
from engine.storage.models import Folder, Message

# Members offered to assign to, and messages of one act with their conversations.
MEMBERS_LIMIT = 200
MESSAGES_LIMIT = 5000
JOB = "engine.storage.tasks.end_assignments"

_MEMBERS = PreparedQuery(
    lambda mailbox: Person.objects.filter(
        grants__mailbox=mailbox, grants__can_read=True, is_active=True
    ).order_by("name", "pk")[:MEMBERS_LIMIT]
)


def members(mailbox: Mailbox) -> list[Person]:
    """Returns the people who may read a group mailbox, by name."""
    return _MEMBERS(mailbox.pk)


@transaction.atomic
def assign(
    mailbox: Mailbox, messages: Collection[Message], *, to: Person | None, by: Person
) -> int:
    """Assigns the conversations of messages; with `to=None` to nobody.

    Returns how many messages changed. Raises PolicyError.
    """
    if mailbox.kind != MailboxKind.GROUP:
        raise PolicyError("Only messages of a group mailbox are assigned.")
    if to is not None and to not in members(mailbox):
        raise PolicyError(
            f"{to.name} may not read this mailbox. Choose another member."
        )
    lock_chain()  # before every other lock, as actions of the registry do
    assignee = to.pk if to else 0
    folders = list(mailbox.folders.values_list("pk", flat=True))
    # By folder and conversation, of which the table has an index.
    rows = Message.objects.filter(
        folder__in=folders, thread__in={one.thread for one in messages}
    ).exclude(assigned_to=assignee)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:MESSAGES_LIMIT])
    if not ids:
        return 0
    Message.objects.filter(pk__in=ids).update(assigned_to=assignee)
    mailbox_changes.note([mailbox.pk])
    record(
        "mailbox.message_assigned",
        mailbox,
        organisation_key=mailbox.organisation_id,
        detail={"messages": ids[:100], "to": to.address if to else ""},
        by=by,
    )
    return len(ids)


@transaction.atomic
def end_slice(person_id: int, mailbox_id: int) -> bool:
    """Leaves to nobody what a person has in a mailbox that they may not read any more.

    At most MESSAGES_LIMIT messages; returns whether there may be more. Idempotent.
    """
    may_read = Grant.objects.filter(
        mailbox=mailbox_id, person=person_id, can_read=True, person__is_active=True
    )
    if may_read.exists():  # it was given back
        return False
    folders = list(
        Folder.objects.filter(mailbox=mailbox_id).values_list("pk", flat=True)
    )
    rows = Message.objects.filter(folder__in=folders, assigned_to=person_id)
    ids = list(rows.order_by().values_list("pk", flat=True)[:MESSAGES_LIMIT])
    if ids:
        Message.objects.filter(pk__in=ids).update(assigned_to=0)
        mailbox_changes.note([mailbox_id])
    return len(ids) == MESSAGES_LIMIT


def _end(person: Person, mailboxes: QuerySet[Mailbox]) -> None:
    """Queues the end of a person's assignments, in the caller's transaction.

    That locks the audit trail, so it must not wait for any number of messages.
    """
    theirs = Message.objects.filter(
        folder__mailbox=OuterRef("pk"), assigned_to=person.pk
    )
    for mailbox_id in mailboxes.filter(Exists(theirs)).values_list("pk", flat=True):
        jobs.add(JOB, person.pk, mailbox_id)


def _after_grant(instance: Grant, signal: object, **_: Any) -> None:
    if signal is signals.post_delete or not instance.can_read:
        _end(instance.person, Mailbox.objects.filter(pk=instance.mailbox_id))


def _after_person(
    instance: Person, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    if not instance.is_active and (
        update_fields is None or "is_active" in update_fields
    ):
        _end(instance, Mailbox.objects.filter(grants__person=instance))


def follow_rights() -> None:
    """Ends assignments wherever a right to read ends, by whichever path that changed.

    Jobs do, so that a right ends without delay.
    """
    signals.post_save.connect(_after_grant, sender=Grant)
    signals.post_delete.connect(_after_grant, sender=Grant)
    signals.post_save.connect(_after_person, sender=Person)


def of_conversations(
    conversations: Iterable[tuple[int, int]],
) -> dict[tuple[int, int], int]:
    """Returns the assignee of each conversation that has one.

    A conversation is the id of a mailbox and the number of a thread. One query; none for
    none.
    """
    wanted = set(conversations)
    if not wanted:
        return {}
    rows = Message.objects.filter(
        mailbox__in={mailbox for mailbox, _ in wanted},
        thread__in={thread for _, thread in wanted},
        assigned_to__gt=0,
    )
    found = rows.order_by("pk").values_list("mailbox_id", "thread", "assigned_to")
    return {(mailbox, thread): assignee for mailbox, thread, assignee in found}
