"""The mail about a request for emergency access, at each of its steps.

It goes to everyday addresses too, so it names neither subjects nor correspondents.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from engine.email_backend import notice
from engine.mail.address import InvalidAddressError
from engine.mail.errors import MailError
from engine.registry.models import Mailbox, Person
from portal.emergency_access import approvers
from portal.emergency_access.models import Approval, EmergencyAccess

READINGS_NAMED = 200  # in one mail; the page has them all
APPROVERS_ASKED = 50


class Step(StrEnum):
    """The steps that mail is sent about. The values are in queued jobs."""

    ASKED = "asked"
    OPENED = "opened"
    CLOSED = "closed"  # without having been opened
    ENDED = "ended"


SUBJECTS = {
    Step.ASKED: "emergency access to approve",
    Step.OPENED: "emergency access to a mailbox",
    Step.CLOSED: "emergency access not given",
    Step.ENDED: "report on emergency access",
}


def send(access: EmergencyAccess, step: Step) -> None:
    """Sends the mail about a step to everybody it concerns, once to each.

    Raises what refused the first of them, after all have been tried: the job then runs
    again, and sends to the others only.
    """
    readings = list(access.readings.all()[: READINGS_NAMED + 1])
    context = {
        "access": access,
        "approvals": list(access.approvals.all()),
        "readings": readings[:READINGS_NAMED],
        "is_cut": len(readings) > READINGS_NAMED,
        "link": _link(access),
        "community_name": settings.POSTERN.community_name,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
    refusals: list[Exception] = []
    for person in _concerned(access, step):
        body = render_to_string(
            f"emergency_access/emails/{step}.txt",
            {**context, "person": person, "is_holder": person.pk == access.holder_id},
        )
        for address in _addresses(person):
            try:
                notice(
                    f"{settings.POSTERN.community_name}: {SUBJECTS[step]}",
                    body,
                    person=person,
                    to=address,
                    what=f"emergency access {access.pk} {step} {person.pk}",
                ).send()
            except (MailError, InvalidAddressError) as refusal:
                refusals.append(refusal)
    if refusals:
        raise refusals[0]


def _concerned(access: EmergencyAccess, step: Step) -> list[Person]:
    if step is Step.ASKED:
        return list(approvers.everybody(access)[:APPROVERS_ASKED])
    people = [access.requested_by, *(one.person for one in _approvals(access))]
    if step is Step.OPENED:
        people = [access.requested_by]
    if step in (Step.OPENED, Step.ENDED) and access.told_at is not None:
        people.append(access.holder)
    return _once(people)


def _approvals(access: EmergencyAccess) -> QuerySet[Approval]:
    return access.approvals.select_related("person")


def _once(people: Iterable[Person | None]) -> list[Person]:
    return list({one.pk: one for one in people if one is not None}.values())


def _addresses(person: Person) -> list[str]:
    """Returns the everyday address, and that of the person's mailbox here."""
    mailbox = Mailbox.objects.filter(owner=person).first()
    found = [person.notice_address, mailbox.address if mailbox else ""]
    return list(dict.fromkeys(address for address in found if address))


def _link(access: EmergencyAccess) -> str:
    # Never from a request, whose Host header its sender can choose.
    path = reverse("emergency_access:show", args=[access.pk])
    return urljoin(settings.POSTERN.site_url, path)
