"""What an organisation has, and what its administrators should look at."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from engine.registry.models import (
    ListMember,
    Organisation,
    OrganisationRole,
    Person,
    RoleName,
)
from engine.registry.models.distribution_list import FAILURES_TO_FLAG
from portal.account_admin.approvals import all_waiting

PROOFS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of something, and where they are."""

    number: int
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that somebody should look at, and where."""

    text: str
    href: str
    link: str


def counts(organisation: Organisation) -> list[Count]:
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


def tasks(organisation: Organisation) -> list[Task]:
    """What needs attention, the most urgent first."""
    checks = (
        _second_persons,
        _administrators,
        _second_factors,
        _returned_mail,
        _suspended,
    )
    return [task for check in checks if (task := check(organisation))]


def without_second_factor(organisation: Organisation) -> QuerySet[Person]:
    """Active people of the organisation who sign in with a password alone."""
    own = Authenticator.objects.filter(user=OuterRef("pk"), type__in=PROOFS)
    return organisation.people.filter(~Exists(own), is_active=True)


def _second_persons(organisation: Organisation) -> Task | None:
    count = len(all_waiting(organisation))
    if not count:
        return None
    return Task(
        f"{count} changes to accounts wait for a second person."
        if count > 1
        else "A change to an account waits for a second person.",
        reverse("organisation:recovery", args=[organisation.pk]),
        "See what waits",
    )


def _administrators(organisation: Organisation) -> Task | None:
    roles = OrganisationRole.objects.filter(
        organisation=organisation, role=RoleName.ADMINISTRATOR, person__is_active=True
    )
    if roles.count() >= 2 or organisation.people.count() < 2:
        return None
    return Task(
        "You have only one administrator. Give somebody else the role too, so that "
        "nobody is locked out when one is away.",
        reverse("organisation:people", args=[organisation.pk]),
        "Choose a second administrator",
    )


def _second_factors(organisation: Organisation) -> Task | None:
    if organisation.mfa_required:
        return None
    missing = without_second_factor(organisation).count()
    if not missing:
        return None
    return Task(
        f"{missing} of your people sign in with a password alone."
        if missing > 1
        else "One of your people signs in with a password alone.",
        reverse("organisation:security", args=[organisation.pk]),
        "Ask for a second factor",
    )


def _returned_mail(organisation: Organisation) -> Task | None:
    flagged = ListMember.objects.filter(
        distribution_list__organisation=organisation, failures__gte=FAILURES_TO_FLAG
    )
    count = flagged.count()
    if not count:
        return None
    return Task(
        f"Mail to {count} members of your lists keeps coming back."
        if count > 1
        else "Mail to a member of one of your lists keeps coming back.",
        reverse("organisation:lists", args=[organisation.pk]),
        "See the lists",
    )


def _suspended(organisation: Organisation) -> Task | None:
    count = organisation.people.filter(is_active=False).count()
    if not count:
        return None
    return Task(
        f"{count} people are suspended." if count > 1 else "One person is suspended.",
        reverse("organisation:people", args=[organisation.pk]) + "?status=suspended",
        "See who",
    )
