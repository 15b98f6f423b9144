"""Reads delivery reports (RFC 3464, RFC 6533) and receipts (RFC 8098) in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.mail import advice
from engine.mail.dates import parse_date
from engine.mail.dsn_fields import Action, untyped
from engine.mail.header import HeaderBlock
from engine.mail.mime import charset

MAX_RECIPIENTS = 200  # of one report
_MAX_OCTETS = 1024 * 1024
_MAX_VALUE = 2000  # characters

_EMPTY_LINES = re.compile(rb"(?:\r?\n[ \t]*){2,}")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_RECEIPT = b"disposition-notification"

# What happened, by action (RFC 3464 §2.3.3): for the report, and for a recipient.
_HEADLINES = {
    Action.FAILED: "A message could not be delivered",
    Action.DELAYED: "A message is delayed",
    Action.DELIVERED: "A message was delivered",
    Action.RELAYED: "A message was passed on",
    Action.EXPANDED: "A message was sent on to the members of a list",
}
_OUTCOMES = {
    Action.FAILED: "Could not be delivered, and will not be tried again",
    Action.DELAYED: "Not delivered yet; the server is still trying",
    Action.DELIVERED: "Delivered",
    Action.RELAYED: "Passed on to a server that sends no reports; whether it arrived "
    "is not known",
    Action.EXPANDED: "Accepted for a list and sent on to its members",
}
_UNKNOWN = "The report does not say what happened"
_NO_ADVICE = "The server's reply says why. Ask the recipient another way."
_DELAYED_ADVICE = "You do not need to do anything yet."
# The worst first: the report's headline is the first of them that happened.
_ORDER = tuple(_HEADLINES)
_ACTIONS = frozenset(Action)

# RFC 8098 §3.2.6, and two of its predecessors.
_DISPOSITIONS = {
    "displayed": "Displayed",
    "deleted": "Deleted without being displayed",
    "dispatched": "Printed, filed or sent on without being displayed",
    "processed": "Handled by a program without being displayed",
    "denied": "The recipient does not want to say",
    "failed": "Could not be handled by the recipient's program",
}


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What a report says about one recipient.

    `address` is the one that the sender wrote, `final_address` the one that it led to.
    `outcome` says what happened and `advice` what to do; `diagnostic` is the reply of
    the server that decided, as it is.
    """

    address: str
    final_address: str
    action: Action | None
    status: str
    diagnostic: str
    remote_host: str
    at: datetime | None
    retry_until: datetime | None

    @property
    def outcome(self) -> str:
        """What happened, in words."""
        return _OUTCOMES[self.action] if self.action else _UNKNOWN

    @property
    def advice(self) -> str:
        """What to do, in words; empty where nothing is to be done."""
        if self.action not in (Action.FAILED, Action.DELAYED, None):
            return ""
        found = advice.of_reply(self.status) or advice.of_reply(self.diagnostic)
        if found or self.action is None:
            return found
        return _NO_ADVICE if self.action is Action.FAILED else _DELAYED_ADVICE

    @property
    def is_problem(self) -> bool:
        """Whether the message did not arrive, as far as the report says."""
        return self.action in (Action.FAILED, Action.DELAYED)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report of a server. `more_recipients` counts those that are not listed."""

    reporter: str
    arrived_at: datetime | None
    recipients: tuple[ReportedRecipient, ...]
    more_recipients: int = 0

    @property
    def headline(self) -> str:
        """What happened to the message, in words: the worst that happened."""
        actions = {one.action for one in self.recipients}
        worst = next((action for action in _ORDER if action in actions), None)
        return _HEADLINES[worst] if worst else "A server reports about a message"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of a recipient's program. Displayed does not mean understood."""

    recipient: str
    message_id: str
    disposition: str
    is_automatic_action: bool
    is_sent_automatically: bool
    program: str
    error: str

    @property
    def outcome(self) -> str:
        """What happened to the message, in words."""
        return _DISPOSITIONS.get(
            self.disposition, "The receipt does not say what happened"
        )

    @property
    def how(self) -> str:
        """Who caused that, and the receipt, in words."""
        action = "by a rule or a program" if self.is_automatic_action else "by a person"
        sent = "without asking" if self.is_sent_automatically else "with their consent"
        return f"This happened {action}. The receipt was sent {sent}."


def read(data: bytes, content_type: str = "") -> DeliveryReport | Receipt | None:
    """Returns what a report part says; None where it says nothing. Never raises.

    Without a type that tells, the fields decide which of the two it is.
    """
    data = data[:_MAX_OCTETS]
    groups = [
        fields
        for group in _EMPTY_LINES.split(data.strip())
        if (fields := HeaderBlock.salvage(group)).fields
    ]
    is_receipt = content_type.endswith(_RECEIPT.decode()) or (
        not content_type.endswith("delivery-status")
        and any(group.get("Disposition") for group in groups)
    )
    return _receipt(groups) if is_receipt else _delivery_report(groups)


def _delivery_report(groups: list[HeaderBlock]) -> DeliveryReport | None:
    # Some programs leave out the empty line behind the fields about the message.
    about = [group for group in groups if _is_recipient(group)]
    if not about:
        return None
    first = groups[0]
    return DeliveryReport(
        reporter=_value(first, "Reporting-MTA"),
        arrived_at=parse_date(first.text("Arrival-Date")),
        recipients=tuple(map(_recipient, about[:MAX_RECIPIENTS])),
        more_recipients=max(0, len(about) - MAX_RECIPIENTS),
    )


def _is_recipient(group: HeaderBlock) -> bool:
    return bool(group.get("Final-Recipient") or group.get("Original-Recipient"))


def _recipient(fields: HeaderBlock) -> ReportedRecipient:
    original = _address(fields, "Original-Recipient")
    final = _address(fields, "Final-Recipient")
    diagnostic = _value(fields, "Diagnostic-Code")
    status = _STATUS.search(fields.text("Status")) or _STATUS.search(diagnostic)
    action = fields.text("Action").strip().lower().split(" ")[0]
    return ReportedRecipient(
        address=original or final,
        final_address=final or original,
        action=Action(action) if action in _ACTIONS else None,
        status=status[0] if status else "",
        diagnostic=diagnostic,
        remote_host=_value(fields, "Remote-MTA"),
        at=parse_date(fields.text("Last-Attempt-Date")),
        retry_until=parse_date(fields.text("Will-Retry-Until")),
    )


def _receipt(groups: Iterable[HeaderBlock]) -> Receipt | None:
    fields = HeaderBlock(tuple(field for group in groups for field in group.fields))
    mode, _, kind = fields.text("Disposition").lower().partition(";")
    if not mode:
        return None
    disposition = (kind or mode).partition("/")[0].strip()
    return Receipt(
        recipient=_address(fields, "Original-Recipient")
        or _address(fields, "Final-Recipient"),
        message_id=fields.text("Original-Message-ID").strip()[:_MAX_VALUE],
        disposition=disposition,
        is_automatic_action="automatic-action" in mode,
        is_sent_automatically="mdn-sent-automatically" in mode,
        program=_text(fields, "Reporting-UA"),
        error=_text(fields, "Error") or _text(fields, "Failure"),
    )


def _address(fields: HeaderBlock, name: str) -> str:
    return _value(fields, name).strip("<> ")


def _value(fields: HeaderBlock, name: str) -> str:
    """Returns a value that has its type in front, such as "dns; mail.firm.example"."""
    return _on_one_line(untyped(fields.text(name)[:_MAX_VALUE]))


def _text(fields: HeaderBlock, name: str) -> str:
    return _on_one_line(fields.text(name)[:_MAX_VALUE])


def _on_one_line(text: str) -> str:
    return " ".join(charset.on_one_line(text).split())
