"""Audit entries for readers: in words, and as a CSV file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from engine.audit.models import Entry
from engine.registry.models import Organisation
from portal.ui import date_formats
from portal.ui.spreadsheets import BYTE_ORDER_MARK, EchoFile, safe_cell

HEADINGS = ("When", "Who", "What", "About", "Details")
CHUNK = 500  # rows fetched at a time
LISTS = (
    "scopes",
    "events",
    "messages",
)  # two values here are a list, not before and after
LABELS = {
    "is_read": "Read",
    "is_flagged": "Flagged",
    "is_ex_directory": "Kept out of the directory",
    "is_published": "Shown in the directory",
    "mfa_required": "Second factor for everyone",
    "indexes_mail": "Search index of its mail",
    "allows_web_push": "Notifications in browsers",
    "requires_classification": "A classification on each message",
    "can_read": "May read",
    "can_write": "May move and delete",
    "can_send": "May send as the team",
}
VALUES = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery codes",
}
EVENT_LABELS = {
    "api_key.added": "API key made",
    "api_key.revoked": "API key revoked",
    "mailbox.opened": "Mailbox opened by another than its holder",
    "audit.exported": "History downloaded",
    "quarantine.viewed": "Message in quarantine looked at",
    "emergency_access.requested": "Emergency access to a mailbox requested",
    "emergency_access.approved": "Emergency access approved",
    "emergency_access.opened": "Mailbox opened by emergency access",
    "emergency_access.read": "Read under emergency access",
    "emergency_access.ended": "Emergency access ended",
    "emergency_access.refused": "Emergency access refused",
    "emergency_access.withdrawn": "Request for emergency access withdrawn",
    "emergency_access.lapsed": "Request for emergency access lapsed",
    "delivered.searched": "Delivered mail searched",
    "sending.stopped": "Sending stopped by an operator",
    "sending.resumed": "Stop on sending lifted by an operator",
    "rescan.started": "Re-scan of delivered mail started",
    "rescan.stopped": "Re-scan of delivered mail stopped",
    "rescan.done": "Re-scan of delivered mail done",
    "withdrawal.asked": "Withdrawal of delivered mail asked for",
    "withdrawal.agreed": "Withdrawal, or putting back, approved",
    "withdrawal.refused": "Withdrawal, or putting back, refused",
    "withdrawal.lapsed": "Withdrawal, or putting back, not approved in time",
    "withdrawal.put_back_asked": "Putting withdrawn mail back asked for",
    "withdrawal.done": "Withdrawal, or putting back, done",
    "mailbox.message_assigned": "Messages of a group mailbox assigned",
    "mailbox.note_added": "Internal note added in a group mailbox",
    "mailbox.note_removed": "Internal note of a group mailbox deleted",
    "mailbox.message_put_back": "Withdrawn messages put back into a mailbox",
    "mailbox.message_withdrawn": "Messages withdrawn from a mailbox",
    "message.recalled": "Message recalled by its sender",
    "organisation.administrator_named": "Administrator named by staff, as none was left",
    "mailbox.granted": "Rights to a group mailbox given",
    "mailbox.revoked": "Rights to a group mailbox removed",
    "mailbox.sent_from": "Message sent as a group mailbox",
    "people_file.started": "People added from a file",
    "people_file.resumed": "Adding people from a file continued",
    "api_key.signed_in": "API key used",
    "api_key.refused": "API key refused",
    "person.signed_in": "Signed in",
    "person.signed_out": "Signed out",
    "person.sign_in_failed": "Failed to sign in",
    "person.program_signed_in": "Mail program signed in",
    "person.program_sign_in_failed": "Mail program failed to sign in",
    "api_key.agreed": "API key may open people's own mailboxes",
    "person.address_change_requested": "New everyday address requested",
    "person.address_change_refused": "Change of everyday address refused",
    "person.address_change_confirmed": "Change of everyday address confirmed by a "
    "second person",
    "person.address_changed": "Everyday address changed",
    "person.address_changed_by_owner": "Everyday address changed by its owner",
    "person.address_set": "Everyday address set before the first sign-in",
    "person.mail_opened": "Mailbox unlocked after a recovery",
    "person.mail_shut": "Mailbox locked after a recovery",
    "person.recovered": "First sign-in after a recovery",
    "person.second_factor_reset_refused": "Reset of the second factor refused",
    "person.second_factor_reset_requested": "Reset of the second factor requested",
    "retention.set": "Retention of deleted mail changed",
}


def of_organisation(organisation: Organisation, text: str) -> QuerySet[Entry]:
    """Returns an organisation's entries that contain every word of `text`.

    Words are looked for in the event, its subject and the person who acted.
    """
    return containing(Entry.objects.filter(organisation_key=str(organisation.pk)), text)


def containing(rows: QuerySet[Entry], text: str) -> QuerySet[Entry]:
    """Narrows the entries to those that contain every word of `text`."""
    return rows.filter(Entry.found_by(text))


def event_label(event: str) -> str:
    """Puts an event code in words: `list.member_added` is “List member added”."""
    if event in EVENT_LABELS:
        return EVENT_LABELS[event]
    about, _, done = event.partition(".")
    # “Password set” is clear without “Person”.
    label = done if about == "person" and "_" in done else f"{about} {done}"
    return label.replace("_", " ").capitalize()


def details(entry: Entry) -> list[tuple[str, str]]:
    """Returns what changed, as label and value: before → after where both are known."""
    return [
        (LABELS.get(name) or name.replace("_", " ").capitalize(), _value(name, value))
        for name, value in entry.detail.items()
    ]


def as_csv(rows: QuerySet[Entry]) -> Iterator[str]:
    """Streams the entries as CSV in which no spreadsheet finds a formula.

    Every cell is quoted: a spreadsheet that splits at semicolons would otherwise begin a
    new cell, and perhaps a formula, inside a text.
    """
    writer = csv.writer(EchoFile(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow(HEADINGS)
    for entry in rows.order_by("-pk").iterator(CHUNK):
        cells = (
            entry.at.isoformat(timespec="seconds"),
            entry.by_name,
            entry.event,
            entry.subject_name,
            json.dumps(entry.detail, sort_keys=True, ensure_ascii=False)
            if entry.detail
            else "",
        )
        yield writer.writerow([safe_cell(cell) for cell in cells])


def _value(name: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and name not in LISTS:
        before, after = (_plain(part) for part in value)
        return f"{before} → {after}"
    return _plain(value)


def _plain(value: Any) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case None | "" | []:
            return "nothing"
        case list():
            return ", ".join(map(_plain, value))
        case _:
            return VALUES.get(str(value)) or _moment(str(value)) or str(value)


def _moment(value: str) -> str:
    """Formats an ISO moment; empty for other text."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    return date_formats.format_datetime(moment) if moment.tzinfo else ""
