"""Actions on organisations' domains."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from engine.registry import permissions
from engine.registry.addresses.allocation import parse_domain
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Actor,
    Alias,
    ApiKey,
    DistributionList,
    Domain,
    Kind,
    Mailbox,
    Organisation,
    Person,
)
from engine.registry.permissions import Permission
from engine.registry.verbs import record_action, verb

# Unverified domains that an organisation may have: each blocks its name for others.
CLAIMS_LIMIT = 5


@verb
def add(
    organisation: Organisation,
    *,
    member_domain: str,
    community_domain: str = "",
    by: Actor | None,
) -> Domain:
    """Adds a pair of domains; the community domain follows from the member's by default.

    Hosted webmail and trusted domains are the same on both sides; other domains get the
    suffix, unless staff choose another community domain. Mail flows once the domain is
    verified, which it is immediately if staff add it. Raises PolicyError.
    """
    _check_can_claim(organisation, by)
    member = parse_domain(member_domain)
    usual = parse_domain(_usual_community_domain(organisation, member))
    community = parse_domain(community_domain) if community_domain else usual
    if community != usual:
        _check_can_choose_community_domain(by)
    _check_pair(organisation, member, community)
    domain = Domain.objects.create(
        organisation=organisation,
        member_domain=member,
        community_domain=community,
        verified_at=timezone.now() if _is_vouched_for(organisation, by) else None,
    )
    _record("domain.added", domain, by)
    return domain


@verb
def verify(domain: Domain, *, reason: str = "", by: Actor | None) -> None:
    """Marks the member domain as proved to be the organisation's.

    The reason says how, unless it was by its DNS.
    """
    domain.verified_at = timezone.now()
    domain.save(update_fields=["verified_at"])
    _record("domain.verified", domain, by, reason=reason)


@verb
def remove(domain: Domain, *, by: Actor | None) -> None:
    """Removes a domain. Raises PolicyError while an address is in it."""
    ending = f"@{domain.community_domain}"
    for model in (Person, Mailbox, Alias, DistributionList):
        if model._default_manager.filter(address__endswith=ending).exists():
            raise PolicyError(f"{domain} still has addresses. Remove them first.")
    _record("domain.removed", domain, by)
    domain.delete()


def _check_can_choose_community_domain(actor: Actor | None) -> None:
    # The name is one of the community's, so a member may not pick it.
    if actor is not None and not _is_staff(actor):
        raise PolicyError(
            "Only the helpdesk can choose another community domain. Contact it."
        )


def _is_vouched_for(organisation: Organisation, actor: Actor | None) -> bool:
    """Returns True if the domain needs no proof by DNS.

    A hosted organisation's name is below the community's own domain, and staff check
    whose a domain is before they add it.
    """
    return organisation.is_hosted or (actor is not None and _is_operators(actor))


def _is_operators(actor: Actor) -> bool:
    """Returns True for staff, and for keys of the community."""
    if isinstance(actor, ApiKey):
        return actor.organisation_id is None
    return _is_staff(actor)


def _is_staff(actor: Actor) -> bool:
    staff = {Permission.MANAGE_ORGANISATIONS, Permission.DECIDE_APPLICATIONS}
    return isinstance(actor, Person) and not staff.isdisjoint(
        permissions.held_by(actor)
    )


def _check_can_claim(organisation: Organisation, actor: Actor | None) -> None:
    """Raises PolicyError unless the actor may add a domain that is not verified yet."""
    if actor is None or _is_operators(actor):
        return
    if organisation.is_hosted or organisation.is_trusted_domain:
        raise PolicyError("Ask the helpdesk for another domain.")
    if organisation.domains.filter(verified_at=None).count() >= CLAIMS_LIMIT:
        raise PolicyError("Verify the domains that you have already added first.")


def _usual_community_domain(organisation: Organisation, member: str) -> str:
    if organisation.account_type in (AccountType.WEBMAIL, AccountType.TRUSTED_DOMAIN):
        return member
    return f"{member}.{settings.POSTERN.community_domain}"


def _check_pair(organisation: Organisation, member: str, community: str) -> None:
    suffix = settings.POSTERN.community_domain
    is_below = community.endswith(f".{suffix}")
    is_the_service = organisation.kind == Kind.OPERATOR and community == suffix
    is_trusted = organisation.account_type == AccountType.TRUSTED_DOMAIN
    if is_trusted and (community != member or is_below):
        raise PolicyError(
            f"A trusted domain keeps its own name, which must not end in {suffix}."
        )
    if not is_trusted and not is_below and not is_the_service:
        raise PolicyError(f"The community domain must end in .{suffix}.")
    if member != community and (member == suffix or member.endswith(f".{suffix}")):
        raise PolicyError(f"{member} is already in the community.")
    # On either side of any pair: DomainMap could not reverse the mapping otherwise.
    taken = Domain.objects.filter(
        Q(member_domain__in=[member, community])
        | Q(community_domain__in=[member, community])
    ).first()
    if taken is not None:
        raise PolicyError(f"{taken.member_domain} is already the domain of a member.")


def _record(event: str, domain: Domain, by: Actor | None, reason: str = "") -> None:
    detail = {
        "member_domain": domain.member_domain,
        "community_domain": domain.community_domain,
    }
    record_action(event, domain, detail, reason=reason, by=by)
