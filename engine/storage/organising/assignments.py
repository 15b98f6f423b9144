"""Assigns conversations of a group mailbox to its members.

Each message names its assignee, so that a folder lists what is one person's by an index.
All messages of a conversation have the same one; what arrives in it later gets it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import signals

from engine.audit.record import lock_chain, record
from engine.registry.errors import PolicyError
from engine.registry.models import Grant, Mailbox, MailboxKind, Person
from engine.storage import mailbox_changes
from engine.storage.models import Message

# Members offered to assign to, and messages of one act with their conversations.
MEMBERS_LIMIT = 200
MESSAGES_LIMIT = 5000


def members(mailbox: Mailbox) -> list[Person]:
    """Returns the people who may read a group mailbox, by name."""
    rows = Person.objects.filter(grants__mailbox=mailbox, grants__can_read=True)
    return list(rows.filter(is_active=True).order_by("name", "pk")[:MEMBERS_LIMIT])


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
def end(person: Person, mailboxes: Collection[Mailbox]) -> None:
    """Leaves to nobody what a person has in mailboxes that they may not read any more."""
    ended = []
    for mailbox in mailboxes:
        folders = list(mailbox.folders.values_list("pk", flat=True))
        rows = Message.objects.filter(folder__in=folders, assigned_to=person.pk)
        if rows.update(assigned_to=0):
            ended.append(mailbox.pk)
    mailbox_changes.note(ended)


def _after_grant(instance: Grant, signal: object, **_: Any) -> None:
    if signal is signals.post_delete or not instance.can_read:
        end(instance.person, [instance.mailbox])


def _after_person(
    instance: Person, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    if not instance.is_active and (
        update_fields is None or "is_active" in update_fields
    ):
        end(instance, list(Mailbox.objects.filter(grants__person=instance)))


def follow_rights() -> None:
    """Ends assignments wherever a right to read ends, by whichever path that changed."""
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
