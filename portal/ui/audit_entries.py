"""What was done in the organisation, in words, and as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from engine.audit.models import Entry
from engine.registry.models import Organisation
from portal.ui import date_formats
from portal.ui.spreadsheets import BYTE_ORDER_MARK, EchoFile, safe_cell

HEADINGS = ("When", "Who", "What", "About", "Details")
CHUNK = 500
LISTS = ("scopes", "events")  # never what was before and what is after
LABELS = {
    "is_read": "Read",
    "is_flagged": "Flagged",
    "is_ex_directory": "Kept out of the directory",
    "is_published": "Shown in the directory",
    "mfa_required": "Second factor for everybody",
    "can_read": "May read",
    "can_write": "May move and delete",
    "can_send": "May send as the team",
}
VALUES = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery codes",
}
SAID_OTHERWISE = {
    "api_key.added": "API key made",
    "api_key.revoked": "API key revoked",
    "mailbox.granted": "Rights to a group mailbox given",
    "mailbox.revoked": "Rights to a group mailbox taken away",
    "mailbox.sent_from": "Message sent as a group mailbox",
    "people_file.started": "People added from a file",
    "people_file.resumed": "Adding people from a file went on",
    "api_key.agreed": "API key may open people's own mailboxes",
    "person.address_change_requested": "Another everyday address asked for",
    "person.address_change_refused": "Change of everyday address refused",
    "person.address_change_confirmed": "Change of everyday address agreed to",
    "person.address_changed": "Everyday address changed",
    "person.address_changed_by_owner": "Everyday address changed by its owner",
    "person.address_set": "Everyday address set before the first sign-in",
    "person.mail_opened": "Mailbox opened after a recovery",
    "person.mail_shut": "Mailbox shut after a recovery",
    "person.recovered": "First sign-in after a recovery",
    "person.second_factor_reset_refused": "Reset of the second factor refused",
    "person.second_factor_reset_requested": "Reset of the second factor asked for",
    "retention.set": "Time that deleted mail is kept changed",
}


def entries(organisation: Organisation, sought: str) -> QuerySet[Entry]:
    """The organisation's own entries; by what was done, about whom, or by whom."""
    rows = Entry.objects.filter(organisation_key=str(organisation.pk))
    for word in sought.split():
        rows = rows.filter(
            Q(event__icontains=word)
            | Q(subject_name__icontains=word)
            | Q(by_name__icontains=word)
        )
    return rows


def words(event: str) -> str:
    """`list.member_added` as people say it: “List member added”."""
    if event in SAID_OTHERWISE:
        return SAID_OTHERWISE[event]
    about, _, done = event.partition(".")
    # “Password set” about somebody says enough without “Person”.
    said = done if about == "person" and "_" in done else f"{about} {done}"
    return said.replace("_", " ").capitalize()


def details(entry: Entry) -> list[tuple[str, str]]:
    """What changed, as label and value: before and after where both are known."""
    return [
        (LABELS.get(name) or name.replace("_", " ").capitalize(), _told(name, value))
        for name, value in entry.detail.items()
    ]


def as_csv(rows: QuerySet[Entry]) -> Iterator[str]:
    """The entries as lines of a CSV file that runs no formula anywhere.

    Everything is quoted: a spreadsheet that parts cells at semicolons makes no cell of
    its own inside another.
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


def _told(name: str, value: Any) -> str:
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
    """A moment in words; nothing where it is something else."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    return date_formats.worded(moment) if moment.tzinfo else ""
