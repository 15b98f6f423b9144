"""Counts for an organisation's overview, and hints about what needs attention."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from engine.registry.models import (
    ListMember,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
)
from engine.registry.models.distribution_list import FAILURES_TO_FLAG
from onboarding.connecting.models import Watch
from portal.account_admin import approvals
from portal.account_admin.policies import without_second_factor
from portal.emergency_access import policies as emergency_policies
from portal.ui.date_formats import format_datetime


@dataclass(frozen=True, slots=True)
class Count:
    """A number with its label and the list behind it."""

    number: int
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that an administrator should look at, with a link."""

    text: str
    href: str
    link: str


def counts(organisation: Organisation) -> list[Count]:
    """Returns the numbers of people, group mailboxes and lists."""
    pk = organisation.pk
    found = {
        "people": organisation.people.count(),
        "mailboxes": organisation.mailboxes.filter(owner=None).count(),
        "lists": organisation.distribution_lists.count(),
    }
    words = {
        "people": ("person", "people"),
        "mailboxes": ("group mailbox", "group mailboxes"),
        "lists": ("distribution list", "distribution lists"),
    }
    return [
        Count(
            number, words[name][number != 1], reverse(f"organisation:{name}", args=[pk])
        )
        for name, number in found.items()
    ]


def hints(organisation: Organisation, by: Person) -> list[Hint]:
    """Returns the hints for this administrator, the most urgent first."""
    checks = (
        _failing_connection,
        _pending_approvals,
        _administrators,
        _second_factors,
        _returned_mail,
        _suspended,
    )
    found = [_emergency_access(by), *(check(organisation) for check in checks)]
    return [hint for hint in found if hint]


def _emergency_access(by: Person) -> Hint | None:
    count = len(emergency_policies.to_approve(by))
    if not count:
        return None
    return Hint(
        f"{count} requests for emergency access to a mailbox wait for your approval."
        if count > 1
        else "A request for emergency access to a mailbox waits for your approval.",
        reverse("emergency_access:index"),
        "Decide on it",
    )


def _failing_connection(organisation: Organisation) -> Hint | None:
    watch = (
        Watch.objects.filter(
            connection__organisation=organisation, connection__is_active=True
        )
        .exclude(fault="")
        .select_related("connection")
        .order_by("failing_since", "pk")
        .first()
    )
    if watch is None:
        return None
    since = format_datetime(watch.failing_since or watch.looked_at)
    return Hint(
        f"The daily check of “{watch.connection.name}” has failed since {since}. "
        f"{watch.fault}",
        reverse("organisation:connection", args=[organisation.pk, watch.connection_id]),
        "See the connection and test it",
    )


def _pending_approvals(organisation: Organisation) -> Hint | None:
    count = len(approvals.pending(organisation))
    if not count:
        return None
    return Hint(
        f"{count} changes to accounts wait for a second person."
        if count > 1
        else "A change to an account waits for a second person.",
        reverse("organisation:recovery", args=[organisation.pk]),
        "See pending changes",
    )


def _administrators(organisation: Organisation) -> Hint | None:
    roles = OrganisationRole.objects.filter(
        organisation=organisation, role=RoleName.ADMINISTRATOR, person__is_active=True
    )
    if roles.count() >= 2 or organisation.people.count() < 2:
        return None
    return Hint(
        "You have only one administrator. Give a second person the role, so that "
        "your organisation is not locked out when one is away.",
        reverse("organisation:people", args=[organisation.pk]),
        "Choose a second administrator",
    )


def _second_factors(organisation: Organisation) -> Hint | None:
    if organisation.mfa_required:
        return None
    missing = without_second_factor(organisation).count()
    if not missing:
        return None
    return Hint(
        f"{missing} of your people sign in with a password alone."
        if missing > 1
        else "One of your people signs in with a password alone.",
        reverse("organisation:security", args=[organisation.pk]),
        "Require a second factor",
    )


def _returned_mail(organisation: Organisation) -> Hint | None:
    flagged = ListMember.objects.filter(
        distribution_list__organisation=organisation, failures__gte=FAILURES_TO_FLAG
    )
    count = flagged.count()
    if not count:
        return None
    return Hint(
        f"Mail to {count} members of your lists cannot be delivered."
        if count > 1
        else "Mail to a member of one of your lists cannot be delivered.",
        reverse("organisation:lists", args=[organisation.pk]),
        "See the lists",
    )


def _suspended(organisation: Organisation) -> Hint | None:
    count = organisation.people.filter(is_active=False).count()
    if not count:
        return None
    return Hint(
        f"{count} people are suspended." if count > 1 else "One person is suspended.",
        reverse("organisation:people", args=[organisation.pk]) + "?status=suspended",
        "See who",
    )
