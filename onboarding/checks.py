"""What is looked up about an applicant's mail, kept with the time for the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from engine import clock, dns
from engine.mail.address import Address
from engine.transport.diagnosis import starttls_probe
from engine.transport.diagnosis.starttls_probe import ProbeFailedError
from onboarding.fields import SHARED_DOMAINS
from onboarding.models import Application, Check, CheckKey, CheckState
from onboarding.platform import Suggestion, platform_of, suggestion
from onboarding.status import OPEN, Status

# Longer than a job may run: whoever ran a check is dead by then.
LEASE = timedelta(minutes=6)
SOON = 21  # days; a certificate that ends sooner is worth a word


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up found, in a sentence. `is_doubt` asks to look closer."""

    text: str
    is_doubt: bool = False
    facts: dict[str, object] = field(default_factory=dict)


def plan(application: Application) -> None:
    """Write down what is to be looked up. A draft is asked about its mail system only."""
    keys = [CheckKey.MX] if application.status == Status.DRAFT else list(CheckKey)
    now = clock.now()
    for key in keys:
        Check.objects.update_or_create(
            application=application,
            key=key,
            defaults={"state": CheckState.RUNNING, "asked_at": now},
        )


def run(application_id: int) -> None:
    """Look up what is still running. Twice does no harm."""
    application = Application.objects.get(pk=application_id)
    for check in application.checks.filter(state=CheckState.RUNNING):
        found = _found(CheckKey(check.key), application)
        _keep(check, found)


def left_running() -> list[int]:
    """Applications whose checks a job that died left behind."""
    left = Check.objects.filter(
        state=CheckState.RUNNING,
        asked_at__lt=clock.now() - LEASE,
        application__status__in=[Status.DRAFT, *OPEN],
    )
    return list(left.values_list("application_id", flat=True).distinct())


def account_suggestion(application: Application) -> Suggestion | None:
    """Which account type suits the applicant's domain; None where nothing is known."""
    hosts, domain = _known_exchangers(application), domain_of(application)
    return None if hosts is None or not domain else suggestion(domain, hosts)


def exchangers(application: Application) -> list[str]:
    """Where mail for the applicant's domain goes, the preferred first, as far as known."""
    return _known_exchangers(application) or []


def _known_exchangers(application: Application) -> list[str] | None:
    """None where nothing was looked up yet, or no name server gave an answer."""
    done = application.checks.filter(key=CheckKey.MX, state=CheckState.DONE).first()
    return done.facts.get("hosts") if done else None


def domain_of(application: Application) -> str:
    """The applicant's own domain; empty where the address is in a shared one."""
    if application.member_domain:
        return application.member_domain
    domain = Address.parse(application.everyday_address).domain
    return "" if domain in SHARED_DOMAINS else domain


@transaction.atomic
def _keep(check: Check, found: Found) -> None:
    check.state, check.checked_at = CheckState.DONE, clock.now()
    check.found, check.is_doubt, check.facts = found.text, found.is_doubt, found.facts
    check.save()


def _found(key: CheckKey, application: Application) -> Found:
    domain = domain_of(application)
    if not domain:
        return Found("There is no domain of its own to look at.", is_doubt=True)
    try:
        return _LOOK_UPS[key](application, domain)
    except dns.DnsUnavailable:
        return Found("No name server gave an answer. Check again later.", is_doubt=True)
    except ProbeFailedError as failed:
        return Found(str(failed), is_doubt=True)


def _mx(application: Application, domain: str) -> Found:
    hosts = [one.host for one in dns.mx(domain) if one.host][:10]
    if not hosts:
        return Found(f"{domain} takes no mail.", is_doubt=True, facts={"hosts": []})
    text = f"{', '.join(hosts[:3])}: {platform_of(hosts).value}"
    return Found(text, facts={"hosts": hosts})


def _spf(application: Application, domain: str) -> Found:
    return _one_text(domain, "v=spf1", f"{domain} does not say who may send for it.")


def _dmarc(application: Application, domain: str) -> Found:
    missing = f"{domain} does not say what to do with mail forged in its name."
    found = _one_text(f"_dmarc.{domain}", "v=DMARC1", missing)
    if "p=none" in found.text.replace(" ", "").lower():
        return Found(f"{found.text} (asks for nothing)", is_doubt=True)
    return found


def _one_text(name: str, begins: str, missing: str) -> Found:
    """The one record of its kind: several count as none (RFC 7208 §4.5)."""
    texts = [text for text in dns.txt(name) if text.lower().startswith(begins.lower())]
    if len(texts) > 1:
        return Found(f"{len(texts)} records where one is allowed.", is_doubt=True)
    return Found(texts[0][:500]) if texts else Found(missing, is_doubt=True)


def _tls(application: Application, domain: str) -> Found:
    host, port = application.next_hop_host, application.next_hop_port
    if not host:
        exchangers = [one.host for one in dns.mx(domain) if one.host]
        if not exchangers:
            return Found("There is no server to look at.", is_doubt=True)
        host, port = exchangers[0], starttls_probe.SMTP_PORT
    seen = starttls_probe.starttls(host, port)
    if seen.fault:
        return Found(f"{host}: {seen.fault}", is_doubt=True)
    return Found(
        f"{host}: {seen.version}, certificate for {', '.join(seen.names)}, "
        f"{seen.days_left} days left",
        is_doubt=seen.days_left < SOON,
    )


_LOOK_UPS: dict[CheckKey, Callable[[Application, str], Found]] = {
    CheckKey.MX: _mx,
    CheckKey.SPF: _spf,
    CheckKey.DMARC: _dmarc,
    CheckKey.TLS: _tls,
}
