"""Saves a mailbox's rules, and applies them to messages that are there already."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.db import transaction
from django.db.models import Max

from engine.audit.record import record
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import MailError
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.routing import routes
from engine.storage import content, content_keys, message_actions, rule_matching
from engine.storage.mailbox_delivery import summary_of
from engine.storage.models import Folder, Message, Rule
from engine.storage.rule_matching import Delivery

# Messages that a rule is tried on in one transaction.
CHUNK = 200
# Such transactions in one job, so that a large folder does not keep other jobs waiting.
CHUNKS_AT_ONCE = 5
# Messages that a rule is tried out on.
TRIED = 50


@transaction.atomic
def save(rule: Rule, *, by: Person) -> Rule:
    """Saves a rule; a new one comes last. Raises PolicyError.

    A change of the forwarding address is audited, because an intruder steals mail by
    forwarding it.
    """
    # Locks the mailbox's row, so that two requests cannot both pass the check of the number.
    Mailbox.objects.select_for_update().get(pk=rule.mailbox_id)
    before = Rule.objects.filter(pk=rule.pk).values_list("forward_to", flat=True)
    others = Rule.objects.filter(mailbox=rule.mailbox_id).exclude(pk=rule.pk)
    if others.count() >= Rule.MAX_RULES:
        raise PolicyError(f"A mailbox has at most {Rule.MAX_RULES} rules.")
    check_makes_sense(rule)
    if rule.pk is None:
        last: int | None = others.aggregate(last=Max("position"))["last"]
        rule.position = (last or 0) + 1
    _note_forwarding(rule, before.first() or "", rule.forward_to, by=by)
    rule.save()
    return rule


@transaction.atomic
def remove(rule: Rule, *, by: Person) -> None:
    """Deletes a rule. Its past effects stay."""
    _note_forwarding(rule, rule.forward_to, "", by=by)
    rule.delete()


def _note_forwarding(rule: Rule, before: str, after: str, *, by: Person) -> None:
    if before != after:
        record(
            "mailbox.forwarding_changed",
            rule.mailbox,
            organisation_key=rule.mailbox.organisation_id,
            detail={"rule": rule.name, "forward_to": [before, after]},
            by=by,
        )


@transaction.atomic
def swap(rule: Rule, *, earlier: bool) -> None:
    """Moves a rule one place earlier or later; the first or last stays where it is."""
    rows = list(Rule.objects.select_for_update().filter(mailbox=rule.mailbox_id))
    place = rows.index(rule)
    other = place - 1 if earlier else place + 1
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
    for position, row in enumerate(rows, 1):
        row.position = position
    Rule.objects.bulk_update(rows, ["position"])


def check_makes_sense(rule: Rule) -> None:
    """Raises PolicyError for a rule without conditions or effect, or that forwards mail
    out of the community."""
    looks = (
        rule.from_contains or rule.to_contains or rule.subject_contains,
        rule.has_attachments,
        rule.larger_than is not None,
    )
    if not any(looks):
        raise PolicyError("Choose which messages the rule applies to.")
    if not any((rule.folder_id, rule.marks_read, rule.flags, rule.forward_to)):
        raise PolicyError("Choose what happens to these messages.")
    if rule.folder is not None and not _takes(rule.folder, rule.mailbox_id):
        raise PolicyError("Choose a folder of this mailbox.")
    if rule.forward_to:
        _check_inside(rule)


def run_now(rule: Rule, folder: Folder) -> int:
    """Applies the rule to the messages in a folder; returns how many it changed.

    Nothing is forwarded: messages that arrived before the rule were meant for this
    mailbox alone.
    """
    return sum(_apply(rule, messages) for messages in _pieces(folder))


def newest(folder: Folder) -> list[Message]:
    """Returns the newest messages of a folder, at most TRIED, for `try_out`."""
    rows = Message.objects.filter(folder=folder).select_related("content", "mailbox")
    return list(rows.defer("content__body").order_by("-pk")[:TRIED])


def try_out(rule: Rule, messages: list[Message]) -> list[Message]:
    """Returns those of the messages that the rule applies to. Changes nothing."""
    content_keys.load(messages)
    return [message for message in messages if _matches(rule, message)]


def run_slice(rule: Rule, folder: Folder, *, after: int) -> int | None:
    """Applies the rule to the next messages of a large folder, by id, after `after`.

    Returns the id to continue after; None when the folder is done. Safe to run twice.
    """
    for messages in islice(_pieces(folder, after), CHUNKS_AT_ONCE):
        _apply(rule, messages)
        after = messages[-1].pk
    left = Message.objects.filter(folder=folder, pk__gt=after)
    return after if left.exists() else None


def _takes(folder: Folder, mailbox_id: int) -> bool:
    return folder.mailbox_id == mailbox_id and folder.takes_messages


def _check_inside(rule: Rule) -> None:
    try:
        route = routes.current().resolve(Address.parse(rule.forward_to))
    except (MailError, InvalidAddressError) as refusal:
        raise PolicyError(
            "Enter an existing address in the community. Mail is not forwarded to "
            "other places."
        ) from refusal
    if route.mailbox_id == rule.mailbox_id:
        raise PolicyError("This mailbox cannot forward to itself.")


@transaction.atomic
def _apply(rule: Rule, messages: list[Message]) -> int:
    chosen = [message for message in messages if _matches(rule, message)]
    if rule.marks_read:
        message_actions.mark_read(chosen, is_read=True)
    if rule.flags:
        message_actions.flag(chosen, is_flagged=True)
    if rule.folder is not None:
        message_actions.move(chosen, rule.folder)
    return len(chosen)


def _matches(rule: Rule, message: Message) -> bool:
    header = content.header(message)
    summary = summary_of(header)
    addressed = rule_matching.addressees(header) if rule.to_contains else ""
    delivery = Delivery(
        message.mailbox_id,
        message.content_id,
        message.size,
        message.envelope_sender,
        summary,
        header,
        message.has_attachments,
    )
    return rule_matching.matches(rule, delivery, addressed)


def _pieces(folder: Folder, after: int = 0) -> Iterator[list[Message]]:
    rows = Message.objects.filter(folder=folder).select_related("content", "mailbox")
    # Without the bodies, which conditions do not look at: up to 64 KiB for each message.
    rows = rows.defer("content__body").order_by("pk")
    while piece := list(rows.filter(pk__gt=after)[:CHUNK]):
        content_keys.load(piece)
        yield piece
        after = piece[-1].pk
