"""Checks each connection's next hop daily: unreachable servers, expiring certificates."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from engine.registry.models import Connection, OrganisationStatus
from engine.transport import sts_enforcement, sts_policies
from engine.transport.diagnosis.next_hop_diagnosis import diagnose
from engine.transport.diagnosis.peer_certificate import Certificate
from onboarding.connecting import emails
from onboarding.connecting.models import Watch
from onboarding.connecting.rehearsals import next_hop_of

WARN_BEFORE = timedelta(days=21)


def connection_ids() -> list[int]:
    """Returns the ids of active connections with a next hop."""
    live = Connection.objects.filter(
        is_active=True, organisation__status=OrganisationStatus.ACTIVE
    ).exclude(next_hop_host="")
    return list(live.values_list("pk", flat=True))


def check(connection: Connection) -> Watch:
    """Probes the next hop without sending mail, and warns once of each certificate."""
    hop = next_hop_of(connection)
    findings = list(diagnose(hop))
    shown = [finding.certificate for finding in findings if finding.certificate]
    certificate = shown[0] if shown else None
    domains = connection.organisation.domains.verified().values_list(
        "member_domain", flat=True
    )
    fault = findings[-1].fault or sts_enforcement.fault_of(
        hop, sts_policies.in_force(domains)
    )
    now, fault = timezone.now(), fault[:500]
    before = Watch.objects.filter(connection=connection).exclude(fault="").first()
    # A fault found by an earlier version has no beginning: its last check comes nearest.
    since = before and (before.failing_since or before.looked_at)
    watch, _ = Watch.objects.update_or_create(
        connection=connection,
        defaults={
            "looked_at": now,
            "certificate_ends_at": certificate.ends_at if certificate else None,
            "fault": fault,
            "failing_since": (since or now) if fault else None,
        },
    )
    if certificate is not None and _is_near(certificate):
        _warn_once(watch, certificate)
    return watch


def _is_near(certificate: Certificate) -> bool:
    return certificate.ends_at - timezone.now() < WARN_BEFORE


def _warn_once(watch: Watch, certificate: Certificate) -> None:
    """Warns the administrators unless they were warned of this certificate already.

    Runs outside transactions, because the virus scan of the emails would block other
    writers. If the process dies before the warning is recorded, the queue recognises
    the repeated emails by their key.
    """
    if watch.warned_of == certificate.fingerprint:
        return
    key = f"certificate-{watch.connection_id}-{certificate.fingerprint}"
    emails.warn_of_expiry(watch.connection, certificate.ends_at, key=key)
    watch.warned_of = certificate.fingerprint
    watch.save(update_fields=["warned_of"])
