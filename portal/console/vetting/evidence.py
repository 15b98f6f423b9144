"""Evidence about an applicant from the registry and from other applications."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from engine.mail.address import Address
from engine.registry.models import Domain, Organisation
from onboarding.models import Application, SponsorshipStatus
from onboarding.vetting import sponsors


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that was looked up. `is_doubt` asks the officer to look closer."""

    question: str
    answer: str
    is_doubt: bool


def findings(application: Application) -> list[Finding]:
    """Returns the facts about an application."""
    return [
        _organisation_by_name(application),
        _domain(application),
        _other_applications(application),
        _everyday_address(application),
        *_sponsor(application),
        _terms(application),
    ]


def _organisation_by_name(application: Application) -> Finding:
    same = Organisation.objects.filter(name__iexact=application.organisation_name)
    same = same.exclude(pk=application.organisation_id or 0)
    names = [f"{found} in {found.town or 'no town'}" for found in same]
    return _finding("Organisation with the same name", names)


def _domain(application: Application) -> Finding:
    wanted = [application.community_domain, application.member_domain]
    wanted = [domain for domain in wanted if domain]
    taken = Domain.objects.filter(
        Q(member_domain__in=wanted) | Q(community_domain__in=wanted)
    ).exclude(organisation_id=application.organisation_id or 0)
    owners = [f"{pair.member_domain}: {pair.organisation}" for pair in taken]
    return _finding("Domain already in the community", owners)


def _other_applications(application: Application) -> Finding:
    others = [
        f"{other.reference}, {other.get_status_display().lower()}"
        for other in Application.objects.like(application)
    ]
    return _finding("Other applications like this one", others)


def _everyday_address(application: Application) -> Finding:
    question = "Everyday address in the organisation's own domain"
    domain = Address.parse(application.everyday_address).domain
    if not application.member_domain:
        return Finding(question, "It gave no domain of its own", is_doubt=True)
    if domain != application.member_domain:
        return Finding(question, f"No, in {domain}", is_doubt=True)
    return Finding(question, "Yes", is_doubt=False)


def _sponsor(application: Application) -> list[Finding]:
    if not application.needs_sponsor:
        return []
    asked = application.sponsorships.first()
    if asked is None:
        return [Finding("Sponsor", "None named", is_doubt=True)]
    member = sponsors.find_sponsor_organisation(asked.address)
    organisation_name = (
        str(member) if member else "not a member that can sponsor; not asked"
    )
    answer = f"{asked}, {asked.address} ({organisation_name}): "
    answer += asked.get_status_display().lower()
    if asked.reason:
        answer += f", because: {asked.reason}"
    is_sure = asked.status == SponsorshipStatus.CONFIRMED
    return [Finding("Sponsor", answer, is_doubt=not is_sure)]


def _terms(application: Application) -> Finding:
    signature = application.signatures.select_related("terms").first()
    if signature is None:
        return Finding("Terms signed", "No", is_doubt=True)
    who = f"{signature}, {signature.address} ({signature.terms})"
    if signature.signed_at is None:
        return Finding("Terms signed", f"Not yet, by {who}", is_doubt=True)
    at = timezone.localtime(signature.signed_at)
    return Finding("Terms signed", f"{at:%d %B %Y}, by {who}", is_doubt=False)


def _finding(question: str, found: list[str]) -> Finding:
    return Finding(question, "; ".join(found) or "None", is_doubt=bool(found))
