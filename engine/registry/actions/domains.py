from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from engine.audit.record import record
from engine.registry.addresses import parsed_domain
from engine.registry.changes import verb
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Alias,
    DistributionList,
    Domain,
    Kind,
    Mailbox,
    Organisation,
    Person,
)


@verb
def add(
    organisation: Organisation,
    *,
    member_domain: str,
    community_domain: str = "",
    by: Person | None,
) -> Domain:
    """Give an organisation a domain pair. Without the second it follows from the first.

    Hosted webmail and trusted domains are the same on both sides; others get the
    suffix, unless another community domain is agreed.
    """
    member = parsed_domain(member_domain)
    community = parsed_domain(community_domain or _usual(organisation, member))
    _check_pair(organisation, member, community)
    domain = Domain.objects.create(
        organisation=organisation, member_domain=member, community_domain=community
    )
    _record("domain.added", domain, by)
    return domain


@verb
def verify(domain: Domain, *, by: Person | None) -> None:
    """Note that the organisation has shown that the member domain is its own."""
    domain.verified_at = timezone.now()
    domain.save(update_fields=["verified_at"])
    _record("domain.verified", domain, by)


@verb
def remove(domain: Domain, *, by: Person | None) -> None:
    """Take a domain away that no address is in any more."""
    ending = f"@{domain.community_domain}"
    for model in (Person, Mailbox, Alias, DistributionList):
        if model._default_manager.filter(address__endswith=ending).exists():
            raise PolicyError(f"There are still addresses in {domain}.")
    _record("domain.removed", domain, by)
    domain.delete()


def _usual(organisation: Organisation, member: str) -> str:
    if organisation.account_type in (AccountType.WEBMAIL, AccountType.TRUSTED_DOMAIN):
        return member
    return f"{member}.{settings.POSTERN.community_domain}"


def _check_pair(organisation: Organisation, member: str, community: str) -> None:
    suffix = settings.POSTERN.community_domain
    is_below = community.endswith(f".{suffix}")
    is_the_service = organisation.kind == Kind.OPERATOR and community == suffix
    is_trusted = organisation.account_type == AccountType.TRUSTED_DOMAIN
    if is_trusted and (community != member or is_below):
        raise PolicyError(f"A trusted domain stays as it is, outside {suffix}.")
    if not is_trusted and not is_below and not is_the_service:
        raise PolicyError(f"The community domain must end in .{suffix}.")
    if member != community and (member == suffix or member.endswith(f".{suffix}")):
        raise PolicyError(f"{member} is already in the community.")
    # On either side of any pair: otherwise a mapping could not be undone.
    taken = Domain.objects.filter(
        Q(member_domain__in=[member, community])
        | Q(community_domain__in=[member, community])
    ).first()
    if taken is not None:
        raise PolicyError(f"{taken.member_domain} is already the domain of a member.")


def _record(event: str, domain: Domain, by: Person | None) -> None:
    record(
        event,
        domain,
        organisation_key=domain.organisation_id,
        detail={
            "member_domain": domain.member_domain,
            "community_domain": domain.community_domain,
        },
        by=by,
    )
