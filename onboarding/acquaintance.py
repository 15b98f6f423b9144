"""Whether we know an organisation already, told only to who reads mail in its domain."""

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
from onboarding.fields import SHARED_DOMAINS
from onboarding.models import Application
from onboarding.status import OPEN, Status

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What we know: the member with its administrators, or an application's reference."""

    member: Organisation | None = None
    administrators: tuple[str, ...] = ()
    applicant_name: str = ""
    reference: str = ""


def acquaintance(address: str) -> Acquaintance | None:
    """Who else from the address's domain is here or on the way; None for nobody.

    A domain that many share tells nothing.
    """
    domain = Address.parse(address).domain
    if domain in SHARED_DOMAINS:
        return None
    pair = (
        Domain.objects.verified()
        .filter(member_domain=domain, organisation__status=OrganisationStatus.ACTIVE)
        .first()
    )
    member = pair.organisation if pair else _joined_as_hosted(domain)
    if member is not None:
        return Acquaintance(member=member, administrators=_administrators(member))
    return _applied(domain, address)


def _joined_as_hosted(domain: str) -> Organisation | None:
    """A hosted organisation's own domain stands in its application only."""
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


def _applied(domain: str, address: str) -> Acquaintance | None:
    others = Application.objects.filter(
        member_domain=domain, status__in=[*OPEN, Status.APPROVED]
    ).exclude(everyday_address__iexact=address)
    first = others.order_by("id").first()
    if first is None:
        return None
    return Acquaintance(applicant_name=first.applicant_name, reference=first.reference)
