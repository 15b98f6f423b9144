"""Checks an applicant's mail set-up in DNS and over SMTP, for the vetting officers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from engine.database import clock
from engine.mail.address import Address
from engine.network import dns
from engine.transport.diagnosis import starttls_probe
from engine.transport.diagnosis.starttls_probe import ProbeFailedError
from onboarding.models import Application, Check, CheckKey, CheckState
from onboarding.shared_domains import SHARED_DOMAINS
from onboarding.status import OPEN, Status
from onboarding.vetting.mail_platform import platform_of

# Longer than the job timeout, so the worker that started the check is certainly gone.
LEASE = timedelta(minutes=6)
SOON = 21  # days; a certificate that expires sooner is reported as a doubt


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check as a sentence. `is_doubt` asks the officer to look closer."""

    text: str
    is_doubt: bool = False
    facts: dict[str, object] = field(default_factory=dict)


def plan(application: Application) -> None:
    """Marks the application's checks as running. A draft gets the MX check only.

    The officers need the others only after submission.
    """
    keys = [CheckKey.MX] if application.status == Status.DRAFT else list(CheckKey)
    now = clock.now()
    for key in keys:
        Check.objects.update_or_create(
            application=application,
            key=key,
            defaults={"state": CheckState.RUNNING, "asked_at": now},
        )


def run(application_id: int) -> None:
    """Runs the checks that are marked as running. Safe to run twice."""
    application = Application.objects.get(pk=application_id)
    for check in application.checks.filter(state=CheckState.RUNNING):
        found = _found(CheckKey(check.key), application)
        _keep(check, found)


def find_abandoned() -> list[int]:
    """Returns the ids of applications whose checks a dead job left running."""
    left = Check.objects.filter(
        state=CheckState.RUNNING,
        asked_at__lt=clock.now() - LEASE,
        application__status__in=[Status.DRAFT, *OPEN],
    )
    return list(left.values_list("application_id", flat=True).distinct())


def domain_of(application: Application) -> str:
    """Returns the applicant's own domain, or "" if the address is in a shared domain."""
    if application.member_domain:
        return application.member_domain
    domain = Address.parse(application.everyday_address).domain
    return "" if domain in SHARED_DOMAINS else domain


@transaction.atomic
def _keep(check: Check, found: Finding) -> None:
    check.state, check.checked_at = CheckState.DONE, clock.now()
    check.found, check.is_doubt, check.facts = found.text, found.is_doubt, found.facts
    check.save()


def _found(key: CheckKey, application: Application) -> Finding:
    domain = domain_of(application)
    if not domain:
        return Finding("The applicant gave no domain of its own.", is_doubt=True)
    try:
        return _LOOK_UPS[key](application, domain)
    except dns.DnsUnavailable:
        return Finding("No name server answered. Check again later.", is_doubt=True)
    except ProbeFailedError as failed:
        return Finding(str(failed), is_doubt=True)


def _mx(application: Application, domain: str) -> Finding:
    hosts = [one.host for one in dns.mx(domain) if one.host][:10]
    if not hosts:
        return Finding(f"{domain} accepts no mail.", is_doubt=True, facts={"hosts": []})
    text = f"{', '.join(hosts[:3])}: {platform_of(hosts).value}"
    return Finding(text, facts={"hosts": hosts})


def _spf(application: Application, domain: str) -> Finding:
    return _one_text(domain, "v=spf1", f"{domain} does not say who may send for it.")


def _dmarc(application: Application, domain: str) -> Finding:
    missing = f"{domain} does not say what to do with mail forged in its name."
    found = _one_text(f"_dmarc.{domain}", "v=DMARC1", missing)
    if "p=none" in found.text.replace(" ", "").lower():
        return Finding(f"{found.text} (requests no action)", is_doubt=True)
    return found


def _one_text(name: str, begins: str, missing: str) -> Finding:
    """Returns the only record of its kind: several count as none (RFC 7208 §4.5)."""
    texts = [text for text in dns.txt(name) if text.lower().startswith(begins.lower())]
    if len(texts) > 1:
        return Finding(f"{len(texts)} records, but only one is allowed.", is_doubt=True)
    return Finding(texts[0][:500]) if texts else Finding(missing, is_doubt=True)


def _tls(application: Application, domain: str) -> Finding:
    host, port = application.next_hop_host, application.next_hop_port
    if not host:
        exchangers = [one.host for one in dns.mx(domain) if one.host]
        if not exchangers:
            return Finding(f"{domain} has no mail server to check.", is_doubt=True)
        host, port = exchangers[0], starttls_probe.SMTP_PORT
    seen = starttls_probe.starttls(host, port)
    if seen.fault:
        return Finding(f"{host}: {seen.fault}", is_doubt=True)
    return Finding(
        f"{host}: {seen.version}, certificate for {', '.join(seen.names)}, "
        f"{seen.days_left} days left",
        is_doubt=seen.days_left < SOON,
    )


_LOOK_UPS: dict[CheckKey, Callable[[Application, str], Finding]] = {
    CheckKey.MX: _mx,
    CheckKey.SPF: _spf,
    CheckKey.DMARC: _dmarc,
    CheckKey.TLS: _tls,
}
