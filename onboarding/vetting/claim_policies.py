"""Refuses claims that cannot become an organisation: domains taken, unsafe connections."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db.models import Q

from engine.mail.address import InvalidAddressError, normal_domain
from engine.registry.connections.policy import check_connection, normalise
from engine.registry.errors import PolicyError
from engine.registry.models import Connection, Domain, Provider
from onboarding.models import Application


def check_domains_are_free(application: Application, community_domain: str) -> None:
    """Refuses domains that another organisation has or another approval will register."""
    wanted = {community_domain}
    if not application.is_hosted:
        wanted.add(application.member_domain)
    is_wanted = Q(community_domain__in=wanted) | Q(member_domain__in=wanted)
    taken = Domain.objects.filter(is_wanted)
    taken = taken.exclude(organisation_id=application.organisation_id or 0)
    if pair := taken.first():
        raise PolicyError(
            f"{pair.member_domain} already belongs to {pair.organisation}."
        )
    claimed = Application.objects.unfinished().exclude(pk=application.pk)
    if other := claimed.filter(is_wanted).first():
        raise PolicyError(
            f"Application {other.reference} is being set up with the same domain."
        )
    _check_own_domain(application, community_domain)


def _check_own_domain(application: Application, community_domain: str) -> None:
    """Refuses another domain for a reopened application that has registered one."""
    own = Domain.objects.filter(
        organisation_id=application.organisation_id or 0
    ).first()
    if own is not None and own.community_domain != community_domain:
        raise PolicyError(
            f"It is already registered as {own.community_domain}. Keep that domain."
        )


def check_community_domain(domain: str) -> None:
    """Refuses anything but a normalised domain below the community's own."""
    suffix = settings.POSTERN.community_domain
    try:
        normal = normal_domain(domain)
    except InvalidAddressError:
        normal = ""
    if normal != domain or not domain.endswith(f".{suffix}"):
        raise PolicyError(
            f"The domain in the community must be a name ending in .{suffix}, "
            "in lower case."
        )


def check_connection_claims(application: Application) -> None:
    """Refuses a connection whose proof is too weak or belongs to another organisation."""
    if application.is_hosted:
        return
    check_connection(
        Connection(
            organisation_id=application.organisation_id or 0,
            **normalise(
                {
                    "proof": application.proof,
                    "source_networks": application.source_networks,
                    "certificate_name": application.certificate_name,
                    "provider": application.provider,
                    "tenant_id": tenant_id_of(application),
                    "next_hop_host": application.next_hop_host,
                    "next_hop_port": application.next_hop_port,
                }
            ),
        )
    )


def tenant_id_of(application: Application) -> str:
    """Returns the tenant id, or a random one for Google, which has none of its own."""
    is_google = application.provider == Provider.GOOGLE_WORKSPACE
    return secrets.token_hex(16) if is_google else application.tenant_id
