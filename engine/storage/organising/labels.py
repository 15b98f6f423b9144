"""Labels of a mailbox. Not audited, because they are its holder's own order."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage import mailbox_changes
from engine.storage.models import Label, LabelColour, Message, MessageLabel


def of_mailbox(mailbox: Mailbox) -> list[Label]:
    """Returns the labels of a mailbox by name."""
    return list(Label.objects.filter(mailbox=mailbox)[: Label.MAX_LABELS])


@transaction.atomic
def save(label: Label, *, name: str, colour: str) -> Label:
    """Adds or changes a label. Raises PolicyError with the sentence to show."""
    # Locks the mailbox's row, so that two requests cannot both pass the checks below.
    Mailbox.objects.select_for_update().get(pk=label.mailbox_id)
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise PolicyError("Enter a name for the label.")
    if len(name) > Label.MAX_NAME:
        raise PolicyError(f"Enter a name of at most {Label.MAX_NAME} characters.")
    others = list(Label.objects.filter(mailbox=label.mailbox_id).exclude(pk=label.pk))
    if len(others) >= Label.MAX_LABELS:
        raise PolicyError(f"A mailbox has at most {Label.MAX_LABELS} labels.")
    if name.casefold() in {other.name.casefold() for other in others}:
        raise PolicyError(f"A label called {name} already exists.")
    label.name, label.colour = name, LabelColour(colour)
    label.save()
    mailbox_changes.note([label.mailbox_id])
    return label


def remove(label: Label) -> None:
    """Deletes a label, and takes it off its messages."""
    label.delete()
    mailbox_changes.note([label.mailbox_id])


def put_on(label: Label, messages: Collection[Message]) -> None:
    """Gives messages of the label's mailbox the label."""
    MessageLabel.objects.bulk_create(
        [
            MessageLabel(label=label, message=message)
            for message in messages
            if message.mailbox_id == label.mailbox_id
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    mailbox_changes.note([label.mailbox_id])


def take_off(label: Label, messages: Collection[Message]) -> None:
    """Takes the label off messages."""
    ids = [message.pk for message in messages]
    MessageLabel.objects.filter(label=label, message__in=ids).delete()
    mailbox_changes.note([label.mailbox_id])


@transaction.atomic
def set_on(message: Message, wanted: Collection[int | None]) -> None:
    """Gives a message those labels of its mailbox whose ids are wanted, and no others."""
    # Locked, so that none of them is deleted between this and its use.
    labels = Label.objects.select_for_update().filter(mailbox=message.mailbox_id)
    known = {label.pk for label in labels}
    rows = MessageLabel.objects.filter(message=message, label__in=known)
    present = set(rows.values_list("label_id", flat=True))
    added = known.intersection(wanted) - present
    removed = present.difference(wanted)
    if removed:
        rows.filter(label__in=removed).delete()
    if added:
        MessageLabel.objects.bulk_create(
            [MessageLabel(label_id=pk, message=message) for pk in sorted(added)],
            ignore_conflicts=True,
        )
    if added or removed:
        mailbox_changes.note([message.mailbox_id])


def of_messages(
    labels: Collection[Label], messages: Collection[Message]
) -> dict[int, list[Label]]:
    """Returns which of the labels each message has, by its id. One query at most."""
    if not labels or not messages:
        return {}
    by_id = {label.pk: label for label in labels}
    ids = [message.pk for message in messages]
    rows = MessageLabel.objects.filter(message__in=ids, label__in=by_id)
    found: dict[int, list[Label]] = {}
    for message_id, label_id in rows.values_list("message_id", "label_id"):
        found.setdefault(message_id, []).append(by_id[label_id])
    for some in found.values():
        some.sort(key=lambda label: label.name.casefold())
    return found


def names_of(messages: Collection[Message]) -> dict[int, list[str]]:
    """Returns the names of each message's labels, by its id. One query; none for none."""
    if not messages:
        return {}
    ids = [message.pk for message in messages]
    rows = MessageLabel.objects.filter(message__in=ids).order_by("label__name")
    found: dict[int, list[str]] = {}
    for message_id, name in rows.values_list("message_id", "label__name"):
        found.setdefault(message_id, []).append(name)
    return found


def messages_with(label: Label, *, before: int | None, limit: int) -> list[Message]:
    """Returns the newest messages with a label, those with ids below `before`.

    From all folders, at the cost of its index however many messages the mailbox has.
    """
    # Joined before the limit: a withdrawn message has its labels, and is in no list.
    rows = MessageLabel.objects.filter(label=label, message__mailbox=label.mailbox_id)
    if before is not None:
        rows = rows.filter(message__lt=before)
    ids = rows.order_by("-message_id").values_list("message_id", flat=True)[:limit]
    found = Message.objects.filter(pk__in=list(ids))
    return list(found.select_related("folder", "mailbox").order_by("-pk"))
