"""Pending approvals: changes to accounts that wait for a second person.

One person must not be able to take over another's account alone. The organisation's
pages and the console list the same approvals, and answer them by the same actions.
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
from portal.account_admin.approval_texts import TEXTS, Answer, ApprovalTexts, Kind
from portal.account_admin.models import FactorReset

LISTED = 200  # of each kind


@dataclass(frozen=True, slots=True)
class Approval:
    """A change that waits for a second person.

    `until` is when it takes effect, or expires, without an answer. `person` is None for
    API keys.
    """

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
        """The id of the row, for URLs."""
        return int(self.row.pk)

    @property
    def shut_hours(self) -> int:
        """How long a mailbox stays shut after the next sign-in."""
        return int(shut_duration().total_seconds() // 3600)

    @property
    def answers(self) -> list[Answer]:
        """The answers that this kind takes."""
        return [answer for answer in Answer if (self.kind, answer) in TEXTS]

    def texts(self, answer: Answer) -> ApprovalTexts:
        """Returns the wording, filled in. Raises Http404 for an answer it does not take."""
        found = TEXTS.get((self.kind, answer))
        if found is None:
            raise Http404
        known = {
            "name": self.name,
            "what": self.what,
            "new": self.new or "no address",
            "organisation": str(self.organisation or ""),
        }
        return ApprovalTexts(
            found.title.format(**known),
            found.text.format(**known),
            found.button,
            found.done.format(**known),
        )


def pending(organisation: Organisation | None = None) -> list[Approval]:
    """Returns what is pending, the oldest first; without an organisation, everywhere."""
    found = chain.from_iterable(
        _approvals(kind, _within(rows, kind, organisation)[:LISTED])
        for kind, rows in _rows().items()
    )
    return sorted(found, key=lambda approval: approval.asked_at)


def of_person(person: Person) -> list[Approval]:
    """Returns what is pending about one person's account."""
    found = chain.from_iterable(
        _approvals(kind, rows.filter(person=person))
        for kind, rows in _rows().items()
        if kind is not Kind.KEY
    )
    return list(found)


def find(kind: str, pk: int) -> Approval:
    """Returns a pending approval, by the parts of its URL. Raises Http404."""
    rows = {str(name): found for name, found in _rows().items()}.get(kind)
    if rows is None:
        raise Http404
    approval = next(_approvals(Kind(kind), rows.filter(pk=pk)), None)
    if approval is None:
        raise Http404
    return approval


def answer_named(text: str) -> Answer:
    """Returns the answer that a URL names. Raises Http404."""
    for answer in Answer:
        if answer.value == text:
            return answer
    raise Http404


def answer(approval: Approval, chosen: Answer, *, reason: str, by: Person) -> None:
    """Records the second person's answer. Raises PolicyError with the sentence to show."""
    match approval.row, chosen:
        case RecoveryAddressChange() as change, Answer.AGREE:
            recovery.confirm_address_change(change, reason=reason, by=by)
        case RecoveryAddressChange() as change, Answer.STOP:
            recovery.refuse_address_change(change, by=by)
        case FactorReset() as reset, Answer.AGREE:
            actions.agree_to_factor_reset(reset, by=by)
        case FactorReset() as reset, Answer.STOP:
            actions.stop_factor_reset(reset, by=by)
        case Recovery() as shut, Answer.AGREE:
            shut_mail.open_mail(shut.person, reason=reason, by=by)
        case ApiKey() as key, Answer.AGREE:
            api_keys.agree(key, reason=reason, by=by)
        case ApiKey() as key, Answer.STOP:
            api_keys.revoke(key, by=by)


def _rows() -> dict[Kind, QuerySet[Any]]:
    people = ("person__organisation", "requested_by")
    keys = ApiKey.objects.live().filter(agreed_at=None, organisation__isnull=False)
    return {
        Kind.ADDRESS: RecoveryAddressChange.objects.pending().select_related(*people),
        Kind.FACTOR: FactorReset.objects.waiting().select_related(*people),
        Kind.MAIL: Recovery.objects.shut(timezone.now())
        .select_related(people[0])
        .annotate(is_disowned=Exists(_disowned_reset_by_same_person())),
        Kind.KEY: keys.select_related("organisation", "made_by"),
    }


def _disowned_reset_by_same_person() -> QuerySet[FactorReset]:
    """Resets that the owner disowned, by the person who caused the recovery."""
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


def _approvals(kind: Kind, rows: QuerySet[Any]) -> Iterator[Approval]:
    for row in rows:
        match row:
            case ApiKey() if row.asks_for_mail:
                yield _key(row)
            case RecoveryAddressChange():
                yield _address_change(row)
            case FactorReset():
                asked_by = str(row.requested_by or "")
                what = "Reset of the second factor"
                yield _about(kind, row, what, asked_by, row.requested_at, row.reason)
            case Recovery():
                name, what = row.caused_by_name, _why_shut(row)
                yield _about(kind, row, what, name, row.began_at, "", row.shut_until)


def _why_shut(row: Recovery) -> str:
    what = f"Mailbox locked. {row.get_cause_display()}"
    if getattr(row, "is_disowned", False):
        return f"{what}. The owner reports that they did not ask for this"
    return what


def _about(
    kind: Kind,
    row: FactorReset | Recovery,
    what: str,
    asked_by: str,
    at: datetime,
    reason: str,
    until: datetime | None = None,
) -> Approval:
    person = row.person
    return Approval(
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


def _address_change(row: RecoveryAddressChange) -> Approval:
    return Approval(
        Kind.ADDRESS,
        row,
        row.person.organisation,
        row.person,
        row.person.name,
        f"New everyday address: {row.new or 'none'}",
        row.requested_by_name,
        row.requested_at,
        row.reason,
        row.effective_at,
        row.new,
    )


def _key(key: ApiKey) -> Approval:
    return Approval(
        Kind.KEY,
        key,
        key.organisation,
        None,
        key.name,
        "API key that asks to open people's own mailboxes",
        str(key.made_by or ""),
        key.created_at,
        "",
        key.expires_at,
    )
