"""What we know ourselves beside what an applicant claims."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from engine.mail.address import Address
from engine.registry.models import Domain, Organisation
from onboarding.models import Application


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked up. `is_doubt` asks the officer to look closer."""

    question: str
    answer: str
    is_doubt: bool


def findings(application: Application) -> list[Finding]:
    return [
        _organisation_by_name(application),
        _domain(application),
        _other_applications(application),
        _everyday_address(application),
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


def _finding(question: str, found: list[str]) -> Finding:
    return Finding(question, "; ".join(found) or "None", is_doubt=bool(found))
