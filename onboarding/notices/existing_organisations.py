"""Finds the member or application that uses an email domain already.

The result goes only into an email to an address in that domain, never onto a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.address import Address
from engine.registry.models import (
    Domain,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    RoleName,
)
from onboarding.models import Application
from onboarding.shared_domains import SHARED_DOMAINS
from onboarding.status import OPEN, Status

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ExistingOrganisation:
    """A member and its administrators' names, or a pending application's reference."""

    member: Organisation | None = None
    administrators: tuple[str, ...] = ()
    applicant_name: str = ""
    reference: str = ""


def find_existing_organisation(address: str) -> ExistingOrganisation | None:
    """Returns the member or pending application with the address's domain, or None.

    Always None for a shared domain, whose users have nothing to do with each other.
    """
    domain = Address.parse(address).domain
    if domain in SHARED_DOMAINS:
        return None
    pair = (
        Domain.objects.verified()
        .filter(member_domain=domain, organisation__status=OrganisationStatus.ACTIVE)
        .first()
    )
    member = pair.organisation if pair else _hosted_member(domain)
    if member is not None:
        return ExistingOrganisation(
            member=member, administrators=_administrators(member)
        )
    return _pending_application(domain, address)


def _hosted_member(domain: str) -> Organisation | None:
    """Looks in the applications: the registry does not hold a hosted member's own domain."""
    application = Application.objects.filter(
        member_domain=domain,
        status=Status.PROVISIONED,
        organisation__status=OrganisationStatus.ACTIVE,
    ).first()
    return application.organisation if application else None


def _administrators(organisation: Organisation) -> tuple[str, ...]:
    held = OrganisationRole.objects.filter(
        organisation=organisation,
        role=RoleName.ADMINISTRATOR,
        person__is_active=True,
        person__is_ex_directory=False,
    )
    names = held.values_list("person__name", flat=True)
    return tuple(names.order_by("id")[:MOST_NAMED])


def _pending_application(domain: str, address: str) -> ExistingOrganisation | None:
    others = Application.objects.filter(
        member_domain=domain, status__in=[*OPEN, Status.APPROVED]
    ).exclude(everyday_address__iexact=address)
    first = others.order_by("id").first()
    if first is None:
        return None
    return ExistingOrganisation(
        applicant_name=first.applicant_name, reference=first.reference
    )
