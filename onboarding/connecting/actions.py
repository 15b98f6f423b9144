"""Actions on a connection: verify domains, start a test, share its values by a link."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.database import clock
from engine.registry.actions import connections, domains
from engine.registry.addresses import domain_verification
from engine.registry.addresses.allocation import to_community_address
from engine.registry.credentials import generated_secrets
from engine.registry.models import Actor, Connection, Domain, Person
from onboarding.connecting import connection_test_mailbox, policies
from onboarding.connecting.models import (
    DomainCheck,
    Rehearsal,
    SharedLink,
    Step,
    StepKey,
    StepState,
)

LINK_LIFETIME = timedelta(days=7)


def check_domain(domain: Domain, *, by: Actor | None) -> DomainCheck:
    """Looks up a domain's TXT record in DNS now, and verifies the domain if it exists.

    A verified domain stays verified when its record disappears: otherwise mail would
    stop because an administrator tidied a zone. The check reports the missing record.
    """
    finding = domain_verification.look_up(domain)
    with transaction.atomic():
        check, _ = DomainCheck.objects.update_or_create(
            domain=domain,
            defaults={
                "checked_at": timezone.now(),
                "found": list(finding.found),
                "advice": finding.advice,
            },
        )
        if finding.is_verified and domain.verified_at is None:
            domains.verify(domain, by=by)
    return check


@transaction.atomic
def start_rehearsal(
    connection: Connection, *, recipient: str, by: Actor | None
) -> Rehearsal:
    """Creates a rehearsal: a test of the connection in both directions.

    The caller must queue it with tasks.start. Raises PolicyError if the connection
    cannot be tested now, or the recipient is not an address of the organisation.
    """
    policies.check_can_rehearse(connection)
    address = to_community_address(recipient)
    policies.check_is_own(connection, address)
    connection_test_mailbox.ensure()
    rehearsal = Rehearsal.objects.create(
        connection=connection,
        recipient=address.key,
        started_at=clock.now(),
        started_by=by if isinstance(by, Person) else None,
    )
    Step.objects.bulk_create(
        Step(
            rehearsal=rehearsal,
            key=key,
            position=position,
            state=StepState.RUNNING if key == StepKey.IN else StepState.WAITING,
        )
        for position, key in enumerate(StepKey)
    )
    _record("connection.rehearsed", connection, {"recipient": address.key}, by=by)
    return rehearsal


@transaction.atomic
def share(connection: Connection, *, name: str, by: Person) -> tuple[SharedLink, str]:
    """Creates a link for an IT department. Its token is returned once and not stored."""
    policies.check_can_share(connection)
    token = secrets.token_urlsafe(24)
    link = SharedLink.objects.create(
        connection=connection,
        name=name,
        digest=generated_secrets.digest(token),
        made_by=by,
        expires_at=timezone.now() + LINK_LIFETIME,
    )
    _record("connection.link_made", connection, {"for": name}, by=by)
    return link, token


@transaction.atomic
def revoke_link(link: SharedLink, *, by: Person) -> None:
    """Revokes a link. Idempotent."""
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        _record("connection.link_revoked", link.connection, {"for": link.name}, by=by)


def find_link(token: str) -> SharedLink | None:
    """Returns the link with this token, live or ended, or None."""
    return (
        SharedLink.objects.select_related("connection__organisation")
        .filter(digest__in=generated_secrets.digests(token))
        .first()
    )


@transaction.atomic
def open_link(link: SharedLink) -> tuple[str, str]:
    """Reveals the link's one secret, as user name and secret, to its holder.

    For a credential this generates a new password, and earlier ones keep working; for a
    cloud gateway it is the tenant secret, without a user name. Raises PolicyError if the
    link has ended or has revealed its secret already.
    """
    # Locked before the check: two concurrent requests must not both get the secret.
    link = SharedLink.objects.select_for_update().get(pk=link.pk)
    policies.check_can_open(link)
    username, secret = _secret(link.connection)
    link.opened_at = timezone.now()
    link.save(update_fields=["opened_at"])
    _record("connection.link_opened", link.connection, {"for": link.name}, by=None)
    return username, secret


@transaction.atomic
def show_tenant(connection: Connection, *, by: Actor | None) -> str:
    """Returns the secret that a tenant's routing adds to its mail, and audits the showing."""
    policies.check_has_tenant_secret(connection)
    _record("connection.tenant_shown", connection, {}, by=by)
    return connection.tenant_id


def _secret(connection: Connection) -> tuple[str, str]:
    if policies.has_tenant_secret(connection):
        return "", connection.tenant_id
    made, secret = connections.add_credential(connection, by=None)
    return made.username, secret


def _record(
    event: str, connection: Connection, detail: dict[str, str], *, by: Actor | None
) -> None:
    record(
        event,
        connection,
        organisation_key=connection.organisation_id,
        detail=detail,
        by=by,
    )
