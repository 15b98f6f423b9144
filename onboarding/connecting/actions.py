"""What somebody who connects an organisation may do: prove domains, rehearse, share."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine import clock
from engine.audit.record import record
from engine.registry.actions import connections, domains
from engine.registry.addresses import domain_verification
from engine.registry.addresses.allocation import to_community_address
from engine.registry.credentials import generated_secrets
from engine.registry.models import Actor, Connection, Domain, Person
from onboarding.connecting import mailbox, policies
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
    """Ask the name system about a claim now, and verify the domain where it is shown.

    A domain that was verified stays so when its record goes: mail would stop over a
    tidied zone. The check says that it is gone.
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
    """Begin to try a connection both ways. A worker must then run it.

    Raises PolicyError where it cannot be tried now, or the recipient is not theirs.
    """
    policies.check_can_rehearse(connection)
    address = to_community_address(recipient)
    policies.check_is_own(connection, address)
    mailbox.ensure()
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
    """Make a link for an IT department. Its token is shown now and never again."""
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
    """End a link; ending it again changes nothing."""
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        _record("connection.link_revoked", link.connection, {"for": link.name}, by=by)


def find_link(token: str) -> SharedLink | None:
    """The link, live or not, whose token this is."""
    return (
        SharedLink.objects.select_related("connection__organisation")
        .filter(digest__in=generated_secrets.digests(token))
        .first()
    )


@transaction.atomic
def open_link(link: SharedLink) -> tuple[str, str]:
    """Give whoever holds the link its one secret, as user name and secret.

    A password is made anew, and earlier ones go on working; a tenant secret is shown.
    Raises PolicyError for a link that has ended or has given its secret already.
    """
    link = SharedLink.objects.select_for_update().get(pk=link.pk)
    policies.check_can_open(link)
    username, secret = _secret(link.connection)
    link.opened_at = timezone.now()
    link.save(update_fields=["opened_at"])
    _record("connection.link_opened", link.connection, {"for": link.name}, by=None)
    return username, secret


@transaction.atomic
def show_tenant(connection: Connection, *, by: Actor | None) -> str:
    """The secret that a tenant's routing settings put into its mail; showing is noted."""
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
