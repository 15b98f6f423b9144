"""What a mailbox makes by itself of a message that arrives: its rules, its absence.

This runs inside the transaction that delivers, so it asks the database a fixed number
of questions however many messages come at once, and sends nothing: what is to be sent
is written down as an errand or a job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.jobs import schedules
from engine.mail.header import HeaderBlock
from engine.mail.message import Summary
from engine.storage import retention_periods
from engine.storage.inbox_state import Inbox
from engine.storage.models import Errand, ErrandKind, Rule


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one mailbox: which content, and what a list shows of it.

    `header` is that of the content: the caller has it in memory, so that rules
    ask the database for none of it.
    """

    mailbox_id: int
    content_id: int
    size: int
    envelope_sender: str
    summary: Summary
    header: bytes


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a message is put and how, and what is to be sent because of it."""

    folder_id: int
    is_read: bool = False
    is_flagged: bool = False
    expires_at: datetime | None = None
    forwards: tuple[str, ...] = ()
    answers: bool = False


def filings(
    deliveries: Sequence[Delivery], inboxes: Mapping[int, Inbox], now: datetime
) -> list[Filing]:
    """What becomes of each delivery, by the rules of its mailbox.

    Two queries at most, however many deliveries, mailboxes and rules there are.
    """
    rules = _Rules.of([pk for pk, inbox in inboxes.items() if inbox.has_rules], now)
    return [
        _filed(delivery, inboxes[delivery.mailbox_id], rules) for delivery in deliveries
    ]


def write_errands(filed: Sequence[Filing], message_ids: Sequence[int]) -> None:
    """Write down what is to be sent, in the caller's transaction."""
    errands = [
        Errand(kind=ErrandKind.FORWARD, message_id=message_id, target=target)
        for filing, message_id in zip(filed, message_ids, strict=True)
        for target in filing.forwards
    ]
    errands += [
        Errand(kind=ErrandKind.ANSWER, message_id=message_id)
        for filing, message_id in zip(filed, message_ids, strict=True)
        if filing.answers
    ]
    if errands:
        Errand.objects.bulk_create(errands)


def collect_by(schedule: str, address: Callable[[], str]) -> None:
    """Have a schedule run as soon as mail arrives for an address, besides by the clock.

    For a package above this one whose job reads that mailbox. Called from an AppConfig's
    ready(); doing it again changes nothing.
    """
    _collectors[schedule] = address


def start_collecting(addresses: Collection[str]) -> None:
    """Start what reads the mailboxes of these addresses, with the caller's transaction."""
    for schedule, address in _collectors.items():
        if address() in addresses:
            schedules.start_now(schedule)


def matches(rule: Rule, delivery: Delivery, addressed: str) -> bool:
    """Whether every condition that the rule gives holds.

    `addressed` is the text of To and Cc.
    """
    summary = delivery.summary
    sender = f"{summary.from_name} {summary.from_address}"
    return (
        _holds(rule.from_contains, sender)
        and _holds(rule.subject_contains, summary.subject)
        and (not rule.to_contains or _holds(rule.to_contains, addressed))
        and (not rule.has_attachments or summary.has_attachments)
        and (rule.larger_than is None or delivery.size > rule.larger_than)
    )


_collectors: dict[str, Callable[[], str]] = {}


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
            theirs = Rule.objects.filter(mailbox_id__in=mailbox_ids)
            for rule in theirs.select_related("folder").order_by("position", "id"):
                found[rule.mailbox_id].append(rule)
        every = (rule.folder for rules in found.values() for rule in rules)
        folders = [folder for folder in every if folder is not None]
        return cls(found, retention_periods.expiries(folders, now))

    def addressed(self, delivery: Delivery) -> str:
        """The text of To and Cc, read once for all who get the same content."""
        if delivery.content_id not in self._addressed:
            self._addressed[delivery.content_id] = addressees(delivery.header)
        return self._addressed[delivery.content_id]


def _filed(delivery: Delivery, inbox: Inbox, known: _Rules) -> Filing:
    answers = inbox.is_away and bool(delivery.envelope_sender)
    filing = Filing(inbox.folder_id, answers=answers)
    rules = known.by_mailbox.get(delivery.mailbox_id, ())
    looks = any(rule.to_contains for rule in rules)
    addressed = known.addressed(delivery) if looks else ""
    for rule in rules:
        if matches(rule, delivery, addressed):
            filing = _by(rule, filing, delivery, known.expiries)
            if rule.stops:
                break
    return filing


def _by(
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
    # A notice without a sender is never sent on: it may be about what was sent on.
    if rule.forward_to and delivery.envelope_sender:
        filing = replace(filing, forwards=(*filing.forwards, rule.forward_to))
    return filing


def _holds(wanted: str, text: str) -> bool:
    return wanted.casefold() in text.casefold()


def addressees(header: bytes) -> str:
    """The text of To and Cc."""
    block = HeaderBlock.salvage(header)
    return " ".join(field.text for name in ("To", "Cc") for field in block.all(name))
