"""Applies a mailbox's rules and out-of-office setting to messages that arrive.

This runs inside the transaction that delivers, which other sessions may wait for. So it
makes a fixed number of queries for any batch, and sends nothing: what is to be sent is
recorded as an `AutomaticMail`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.mail.header import HeaderBlock
from engine.mail.message import Summary
from engine.storage import retention_periods
from engine.storage.inbox_state import Inbox
from engine.storage.models import AutomaticMail, AutomaticMailKind, Rule


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one mailbox: its content, and what a list shows of it.

    `header` is the content's own. The caller has it in memory, so that rules need not
    read it from the database. `has_attachments` and `key` are the content's too; the key
    is empty where it is not encrypted. `reference` is the queue's. `requires_tls` holds
    for what the message triggers, too (RFC 8689 §6).
    """

    mailbox_id: int
    content_id: int
    size: int
    envelope_sender: str
    summary: Summary
    header: bytes
    has_attachments: bool
    key: bytes = field(default=b"", repr=False)
    reference: str = ""
    requires_tls: bool = False


@dataclass(frozen=True, slots=True)
class Filing:
    """The folder and flags that a message gets, and the mail that it triggers."""

    folder_id: int
    is_read: bool = False
    is_flagged: bool = False
    expires_at: datetime | None = None
    forwards: tuple[str, ...] = ()
    answers: bool = False
    requires_tls: bool = False


def filings(
    deliveries: Sequence[Delivery], inboxes: Mapping[int, Inbox], now: datetime
) -> list[Filing]:
    """Returns the filing of each delivery, by the rules of its mailbox.

    Two queries at most, whatever the number of deliveries, mailboxes and rules.
    """
    rules = _Rules.of([pk for pk, inbox in inboxes.items() if inbox.has_rules], now)
    return [
        _filing(delivery, inboxes[delivery.mailbox_id], rules)
        for delivery in deliveries
    ]


def record_automatic_mail(
    filings: Sequence[Filing], message_ids: Sequence[int]
) -> None:
    """Records the forwards and replies to send, in the caller's transaction."""
    pairs = list(zip(filings, message_ids, strict=True))
    forwards = [
        AutomaticMail(
            kind=AutomaticMailKind.FORWARD,
            message_id=message_id,
            target=target,
            requires_tls=filing.requires_tls,
        )
        for filing, message_id in pairs
        for target in filing.forwards
    ]
    replies = [
        AutomaticMail(
            kind=AutomaticMailKind.ANSWER,
            message_id=message_id,
            requires_tls=filing.requires_tls,
        )
        for filing, message_id in pairs
        if filing.answers
    ]
    if forwards or replies:
        AutomaticMail.objects.bulk_create(forwards + replies)


def matches(rule: Rule, delivery: Delivery, addressed: str) -> bool:
    """Returns whether every condition of the rule holds.

    `addressed` is the text of To and Cc.
    """
    summary = delivery.summary
    sender = f"{summary.from_name} {summary.from_address}"
    return (
        _contains(sender, rule.from_contains)
        and _contains(summary.subject, rule.subject_contains)
        and (not rule.to_contains or _contains(addressed, rule.to_contains))
        and (not rule.has_attachments or delivery.has_attachments)
        and (rule.larger_than is None or delivery.size > rule.larger_than)
    )


@dataclass(slots=True)
class _Rules:
    """The rules of the mailboxes that a batch is for, and what they look at."""

    by_mailbox: Mapping[int, Sequence[Rule]]
    expiries: Mapping[int, datetime]
    _addressed: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, mailbox_ids: Collection[int], now: datetime) -> _Rules:
        found: defaultdict[int, list[Rule]] = defaultdict(list)
        if mailbox_ids:
            rows = Rule.objects.filter(mailbox_id__in=mailbox_ids)
            for rule in rows.select_related("folder").order_by("position", "id"):
                found[rule.mailbox_id].append(rule)
        every = (rule.folder for rules in found.values() for rule in rules)
        folders = [folder for folder in every if folder is not None]
        return cls(found, retention_periods.expiries(folders, now))

    def addressed(self, delivery: Delivery) -> str:
        """Returns the text of To and Cc, parsed once for all who get the same content."""
        if delivery.content_id not in self._addressed:
            self._addressed[delivery.content_id] = addressees(delivery.header)
        return self._addressed[delivery.content_id]


def _filing(delivery: Delivery, inbox: Inbox, known: _Rules) -> Filing:
    answers = inbox.is_away and bool(delivery.envelope_sender)
    filing = Filing(
        inbox.folder_id, answers=answers, requires_tls=delivery.requires_tls
    )
    rules = known.by_mailbox.get(delivery.mailbox_id, ())
    # Parsing To and Cc costs more than all other conditions together.
    needs_addressees = any(rule.to_contains for rule in rules)
    addressed = known.addressed(delivery) if needs_addressees else ""
    for rule in rules:
        if matches(rule, delivery, addressed):
            filing = _apply(rule, filing, delivery, known.expiries)
            if rule.stops:
                break
    return filing


def _apply(
    rule: Rule, filing: Filing, delivery: Delivery, expiries: Mapping[int, datetime]
) -> Filing:
    filing = replace(
        filing,
        is_read=filing.is_read or rule.marks_read,
        is_flagged=filing.is_flagged or rule.flags,
    )
    if rule.folder is not None:
        filing = replace(
            filing,
            folder_id=rule.folder.pk,
            expires_at=expiries.get(rule.folder.pk),
        )
    # Mail with the null sender is never forwarded: it may be a DSN about a forward.
    if rule.forward_to and delivery.envelope_sender:
        filing = replace(filing, forwards=(*filing.forwards, rule.forward_to))
    return filing


def _contains(text: str, wanted: str) -> bool:
    return wanted.casefold() in text.casefold()


def addressees(header: bytes) -> str:
    """Returns the text of To and Cc."""
    block = HeaderBlock.salvage(header)
    return " ".join(field.text for name in ("To", "Cc") for field in block.all(name))
