"""Who may vouch for an applicant."""

from __future__ import annotations

from django.db.models import Q

from engine.mail.address import Address
from engine.registry.models import (
    AccountType,
    Domain,
    Kind,
    Organisation,
    OrganisationStatus,
)
from onboarding.models.application import PUBLIC_BODIES

# Health services vouch too, though one officer is enough to let one in.
SPONSOR_KINDS = PUBLIC_BODIES | {Kind.HEALTH, Kind.OPERATOR}


def sponsor_organisation(address: str) -> Organisation | None:
    """The member that may vouch from this address; None where nobody may.

    An active public body, or any trusted domain; by its own or its secure address.
    """
    domain = Address.parse(address).domain
    is_eligible = Q(organisation__kind__in=SPONSOR_KINDS)
    is_eligible |= Q(organisation__account_type=AccountType.TRUSTED_DOMAIN)
    pair = (
        Domain.objects.verified()
        .select_related("organisation")
        .filter(is_eligible, Q(member_domain=domain) | Q(community_domain=domain))
        .filter(organisation__status=OrganisationStatus.ACTIVE)
        .first()
    )
    return pair.organisation if pair else None
