"""Asks members to vouch for an applicant, and records their answers."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from engine.audit.record import record
from engine.mail.address import Address
from engine.registry.models import (
    AccountType,
    Domain,
    Kind,
    Organisation,
    OrganisationStatus,
    Person,
)
from onboarding.models import (
    Application,
    NoticeKind,
    Sponsorship,
    SponsorshipStatus,
)
from onboarding.models.application import PUBLIC_BODIES
from onboarding.notices import outbox
from onboarding.vetting import policies
from onboarding.vetting.transitions import lock, notify_officers

# Health services may sponsor too, although one officer is enough to approve one.
SPONSOR_KINDS = PUBLIC_BODIES | {Kind.HEALTH, Kind.OPERATOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSponsor:
    """The sponsor as the applicant named them."""

    name: str
    organisation_name: str
    address: str


@transaction.atomic
def ask(
    application: Application, named: NamedSponsor, *, by: Person | None
) -> Sponsorship:
    """Asks a sponsor to vouch, replacing the one asked before. Raises PolicyError.

    An address outside the community gets no email, without any sign to the applicant:
    the difference would show who is a member. The officers see it.
    """
    application = lock(application)
    policies.check_can_name_sponsor(application)
    application.sponsorships.exclude(status=SponsorshipStatus.REPLACED).update(
        status=SponsorshipStatus.REPLACED
    )
    asked = Sponsorship.objects.create(
        application=application,
        name=named.name,
        organisation_name=named.organisation_name,
        address=named.address,
    )
    detail = {"address": named.address}
    record("application.sponsor_asked", application, detail=detail, by=by)
    if find_sponsor_organisation(named.address) is not None:
        outbox.add(NoticeKind.SPONSOR, to=named.address, about=asked.pk)
    return asked


@transaction.atomic
def confirm(sponsorship: Sponsorship, *, by: Person | None) -> None:
    """Records that the sponsor vouches for the applicant. Raises PolicyError."""
    _answer(sponsorship, SponsorshipStatus.CONFIRMED, "", by=by)


@transaction.atomic
def decline(sponsorship: Sponsorship, *, reason: str, by: Person | None) -> None:
    """Records that the sponsor declines, with a reason for the officers only.

    Raises PolicyError.
    """
    policies.check_reason(reason)
    _answer(sponsorship, SponsorshipStatus.DECLINED, reason.strip(), by=by)


def find_sponsor_organisation(address: str) -> Organisation | None:
    """Returns the member whose people may sponsor from this address, or None.

    Sponsors work for an active public body, health service or trusted domain; both
    their own and their secure addresses count.
    """
    domain = Address.parse(address).domain
    is_eligible = Q(organisation__kind__in=SPONSOR_KINDS)
    is_eligible |= Q(organisation__account_type=AccountType.TRUSTED_DOMAIN)
    pair = (
        Domain.objects.verified()
        .known_as(domain)
        .select_related("organisation")
        .filter(is_eligible, organisation__status=OrganisationStatus.ACTIVE)
        .first()
    )
    return pair.organisation if pair else None


def _answer(
    sponsorship: Sponsorship,
    status: SponsorshipStatus,
    reason: str,
    *,
    by: Person | None,
) -> None:
    application = lock(sponsorship.application)
    sponsorship = Sponsorship.objects.select_for_update().get(pk=sponsorship.pk)
    policies.check_can_sponsor(sponsorship)
    sponsorship.status, sponsorship.reason = status, reason
    sponsorship.answered_at = timezone.now()
    sponsorship.save(update_fields=["status", "reason", "answered_at"])
    detail = {"address": sponsorship.address, "reason": reason}
    record(f"application.sponsor_{status}", application, detail=detail, by=by)
    outbox.add(
        NoticeKind.SPONSOR_ANSWERED,
        to=application.everyday_address,
        about=application.pk,
    )
    notify_officers(application, NoticeKind.ANSWERED)
