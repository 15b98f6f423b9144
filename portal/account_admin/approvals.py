"""What waits for a second person: in one organisation, or in all of them.

The pages of organisations and the console show the same and run the same verbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from engine.registry.actions import api_keys, recovery, shut_mail
from engine.registry.credentials.account_recovery import shut_duration
from engine.registry.models import (
    ApiKey,
    Organisation,
    Person,
    Recovery,
    RecoveryAddressChange,
)
from portal.account_admin import actions
from portal.account_admin.approval_texts import WORDS, Act, Kind, Words
from portal.account_admin.models import FactorReset

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that waits for a second person, about any kind of account."""

    kind: Kind
    row: RecoveryAddressChange | FactorReset | Recovery | ApiKey
    organisation: Organisation | None
    person: Person | None
    name: str
    what: str
    asked_by: str
    asked_at: datetime
    reason: str
    until: datetime | None = None
    new: str = ""

    @property
    def pk(self) -> int:
        return int(self.row.pk)

    @property
    def shut_hours(self) -> int:
        """How long a mailbox stays shut after the next sign-in."""
        return int(shut_duration().total_seconds() // 3600)

    @property
    def acts(self) -> list[Act]:
        return [act for act in Act if (self.kind, act) in WORDS]

    def words(self, act: Act) -> Words:
        """Raises Http404 for an act that it does not take."""
        found = WORDS.get((self.kind, act))
        if found is None:
            raise Http404
        known = {
            "name": self.name,
            "what": self.what,
            "new": self.new or "no address",
            "organisation": str(self.organisation or ""),
        }
        return Words(
            found.title.format(**known),
            found.text.format(**known),
            found.button,
            found.done.format(**known),
        )


def all_waiting(organisation: Organisation | None = None) -> list[Wait]:
    """What waits, the oldest first; without an organisation, everywhere."""
    found = chain.from_iterable(
        _waits(kind, _within(rows, kind, organisation)[:MOST_SHOWN])
        for kind, rows in _rows().items()
    )
    return sorted(found, key=lambda wait: wait.asked_at)


def of_person(person: Person) -> list[Wait]:
    """What waits about one person's account."""
    found = chain.from_iterable(
        _waits(kind, rows.filter(person=person))
        for kind, rows in _rows().items()
        if kind is not Kind.KEY
    )
    return list(found)


def find(kind: str, pk: int) -> Wait:
    """Raises Http404 for what does not wait."""
    rows = {str(name): found for name, found in _rows().items()}.get(kind)
    if rows is None:
        raise Http404
    wait = next(_waits(Kind(kind), rows.filter(pk=pk)), None)
    if wait is None:
        raise Http404
    return wait


def act_of(text: str) -> Act:
    """Raises Http404 for an answer that there is not."""
    for act in Act:
        if act.value == text:
            return act
    raise Http404


def carry_out(wait: Wait, act: Act, *, reason: str, by: Person) -> None:
    """Run the verb behind the button. Raises PolicyError with the sentence to show."""
    match wait.row, act:
        case RecoveryAddressChange() as change, Act.AGREE:
            recovery.confirm_address_change(change, reason=reason, by=by)
        case RecoveryAddressChange() as change, Act.STOP:
            recovery.refuse_address_change(change, by=by)
        case FactorReset() as reset, Act.AGREE:
            actions.agree_to_factor_reset(reset, by=by)
        case FactorReset() as reset, Act.STOP:
            actions.stop_factor_reset(reset, by=by)
        case Recovery() as shut, Act.AGREE:
            shut_mail.open_mail(shut.person, reason=reason, by=by)
        case ApiKey() as key, Act.AGREE:
            api_keys.agree(key, reason=reason, by=by)
        case ApiKey() as key, Act.STOP:
            api_keys.revoke(key, by=by)


def _rows() -> dict[Kind, QuerySet[Any]]:
    people = ("person__organisation", "requested_by")
    keys = ApiKey.objects.live().filter(agreed_at=None, organisation__isnull=False)
    return {
        Kind.ADDRESS: RecoveryAddressChange.objects.pending().select_related(*people),
        Kind.FACTOR: FactorReset.objects.waiting().select_related(*people),
        Kind.MAIL: Recovery.objects.shut(timezone.now())
        .select_related(people[0])
        .annotate(is_disowned=Exists(_disowned_of_its_cause())),
        Kind.KEY: keys.select_related("organisation", "made_by"),
    }


def _disowned_of_its_cause() -> QuerySet[FactorReset]:
    """Resets by who caused a recovery, of which the owner says that they were not theirs."""
    cause = OuterRef("caused_by")
    return FactorReset.objects.filter(
        Q(requested_by=cause) | Q(agreed_by=cause),
        person=OuterRef("person"),
        disowned_at__isnull=False,
    )


def _within(
    rows: QuerySet[Any], kind: Kind, organisation: Organisation | None
) -> QuerySet[Any]:
    if organisation is None:
        return rows
    path = "organisation" if kind is Kind.KEY else "person__organisation"
    return rows.filter(**{path: organisation})


def _waits(kind: Kind, rows: QuerySet[Any]) -> Iterator[Wait]:
    for row in rows:
        match row:
            case ApiKey() if row.asks_for_mail:
                yield _key(row)
            case RecoveryAddressChange():
                yield _address(row)
            case FactorReset():
                asked_by = str(row.requested_by or "")
                what = "Reset of the second factor"
                yield _about(kind, row, what, asked_by, row.requested_at, row.reason)
            case Recovery():
                name, what = row.caused_by_name, _why_shut(row)
                yield _about(kind, row, what, name, row.began_at, "", row.shut_until)


def _why_shut(row: Recovery) -> str:
    what = f"Mailbox shut. {row.get_cause_display()}"
    if getattr(row, "is_disowned", False):
        return f"{what}. The owner says that this was not theirs"
    return what


def _about(
    kind: Kind,
    row: FactorReset | Recovery,
    what: str,
    asked_by: str,
    at: datetime,
    reason: str,
    until: datetime | None = None,
) -> Wait:
    person = row.person
    return Wait(
        kind,
        row,
        person.organisation,
        person,
        person.name,
        what,
        asked_by,
        at,
        reason,
        until,
    )


def _address(row: RecoveryAddressChange) -> Wait:
    return Wait(
        Kind.ADDRESS,
        row,
        row.person.organisation,
        row.person,
        row.person.name,
        f"Another everyday address: {row.new or 'none'}",
        row.requested_by_name,
        row.requested_at,
        row.reason,
        row.effective_at,
        row.new,
    )


def _key(key: ApiKey) -> Wait:
    return Wait(
        Kind.KEY,
        key,
        key.organisation,
        None,
        key.name,
        "API key that would open people's own mailboxes",
        str(key.made_by or ""),
        key.created_at,
        "",
        key.expires_at,
    )
