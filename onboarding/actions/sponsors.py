"""Asking members to vouch for an applicant, and taking their answers."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import eligibility, policies
from onboarding.actions.moving import locked, tell_officers
from onboarding.models import (
    Application,
    NoticeKind,
    Sponsorship,
    SponsorshipStatus,
)
from onboarding.notices.promise import promise
from onboarding.sending import SponsorNamed


@transaction.atomic
def ask(
    application: Application, named: SponsorNamed, *, by: Person | None
) -> Sponsorship:
    """Ask somebody, in the place of whoever was asked before.

    Nobody outside the community is mailed, and the applicant cannot tell: who is a
    member stays unsaid. The desk sees it. Raises PolicyError.
    """
    application = locked(application)
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
    if eligibility.sponsor_organisation(named.address) is not None:
        promise(NoticeKind.SPONSOR, to=named.address, about=asked.pk)
    return asked


@transaction.atomic
def confirm(sponsorship: Sponsorship, *, by: Person | None) -> None:
    """The sponsor vouches for the applicant. Raises PolicyError."""
    _answer(sponsorship, SponsorshipStatus.CONFIRMED, "", by=by)


@transaction.atomic
def decline(sponsorship: Sponsorship, *, reason: str, by: Person | None) -> None:
    """The sponsor does not vouch. The officer reads why. Raises PolicyError."""
    policies.check_reason(reason)
    _answer(sponsorship, SponsorshipStatus.DECLINED, reason.strip(), by=by)


def _answer(
    sponsorship: Sponsorship,
    status: SponsorshipStatus,
    reason: str,
    *,
    by: Person | None,
) -> None:
    application = locked(sponsorship.application)
    sponsorship = Sponsorship.objects.select_for_update().get(pk=sponsorship.pk)
    policies.check_can_sponsor(sponsorship)
    sponsorship.status, sponsorship.reason = status, reason
    sponsorship.answered_at = timezone.now()
    sponsorship.save(update_fields=["status", "reason", "answered_at"])
    detail = {"address": sponsorship.address, "reason": reason}
    record(f"application.sponsor_{status}", application, detail=detail, by=by)
    promise(
        NoticeKind.SPONSOR_ANSWERED,
        to=application.everyday_address,
        about=application.pk,
    )
    tell_officers(application, NoticeKind.ANSWERED)
