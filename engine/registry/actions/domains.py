from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from engine.audit.record import record
from engine.registry import permissions
from engine.registry.actor import Actor
from engine.registry.addresses import parsed_domain
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
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
from engine.registry.verbs import verb

# Domains that an organisation may have added and not yet proved.
CLAIMS_LIMIT = 5


@verb
def add(
    organisation: Organisation,
    *,
    member_domain: str,
    community_domain: str = "",
    by: Actor | None,
) -> Domain:
    """Give an organisation a domain pair. Without the second it follows from the first.

    Hosted webmail and trusted domains are the same on both sides; others get the
    suffix, unless staff agree to another community domain. There is mail in it once it
    is verified.
    """
    _check_can_claim(organisation, by)
    member = parsed_domain(member_domain)
    usual = parsed_domain(_usual(organisation, member))
    community = parsed_domain(community_domain) if community_domain else usual
    if community != usual:
        _check_can_agree(by)
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
    """Note that the organisation has shown that the member domain is its own.

    The reason says how, where it was not by its DNS.
    """
    domain.verified_at = timezone.now()
    domain.save(update_fields=["verified_at"])
    _record("domain.verified", domain, by, reason=reason)


@verb
def remove(domain: Domain, *, by: Actor | None) -> None:
    """Take a domain away that no address is in any more."""
    ending = f"@{domain.community_domain}"
    for model in (Person, Mailbox, Alias, DistributionList):
        if model._default_manager.filter(address__endswith=ending).exists():
            raise PolicyError(f"There are still addresses in {domain}.")
    _record("domain.removed", domain, by)
    domain.delete()


def _check_can_agree(actor: Actor | None) -> None:
    """An exception takes a name of the community's: that is not the member's to choose."""
    if actor is not None and not _is_staff(actor):
        raise PolicyError("Ask the helpdesk for another community domain.")


def _is_vouched_for(organisation: Organisation, actor: Actor | None) -> bool:
    """A name of the community's own is given; staff have looked whose a name is."""
    return organisation.is_hosted or (actor is not None and _is_operators(actor))


def _is_operators(actor: Actor) -> bool:
    """Staff, and keys of the operator's that are bound to no organisation."""
    if isinstance(actor, ApiKey):
        return actor.organisation_id is None
    return _is_staff(actor)


def _is_staff(actor: Actor) -> bool:
    staff = {Permission.MANAGE_ORGANISATIONS, Permission.DECIDE_APPLICATIONS}
    return isinstance(actor, Person) and not staff.isdisjoint(permissions.held(actor))


def _check_can_claim(organisation: Organisation, actor: Actor | None) -> None:
    """Claims hold a name until they are proved, so a member has few, and none at home."""
    if actor is None or _is_operators(actor):
        return
    if organisation.is_hosted or organisation.is_trusted_domain:
        raise PolicyError("Ask the helpdesk for another domain.")
    if organisation.domains.filter(verified_at=None).count() >= CLAIMS_LIMIT:
        raise PolicyError("Prove the domains that you have added first.")


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


def _record(event: str, domain: Domain, by: Actor | None, **more: str) -> None:
    record(
        event,
        domain,
        organisation_key=domain.organisation_id,
        detail={
            "member_domain": domain.member_domain,
            "community_domain": domain.community_domain,
            **{name: text for name, text in more.items() if text},
        },
        by=by,
    )
