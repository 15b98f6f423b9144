"""Suggests an account type, and fills in server details, from the applicant's DNS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.registry.models import AccountType, Provider
from onboarding.models import Application, CheckKey, CheckState
from onboarding.vetting import checks
from onboarding.vetting.mail_platform import Platform, platform_of

PAGES = ("server", "cloud")
_PROVIDERS = {
    Platform.MICROSOFT: Provider.MICROSOFT_365,
    Platform.GOOGLE: Provider.GOOGLE_WORKSPACE,
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suitable account type, and the reason as a sentence for the applicant."""

    account_type: AccountType
    reason: str


def account_suggestion(application: Application) -> Suggestion | None:
    """Returns a suggestion for an applicant, or None before DNS has answered."""
    hosts, domain = _known_exchangers(application), checks.domain_of(application)
    return None if hosts is None or not domain else suggest_account_type(domain, hosts)


def suggest_account_type(domain: str, hosts: Sequence[str]) -> Suggestion:
    """Suggests an account type for a domain by its mail exchangers, preferred first."""
    platform = platform_of(hosts)
    if platform in (Platform.MICROSOFT, Platform.GOOGLE):
        return Suggestion(
            AccountType.CLOUD_GATEWAY,
            f"Mail for {domain} goes to {platform.value}, so a cloud gateway suits you: "
            "everybody keeps their address and mailbox.",
        )
    if platform is Platform.OWN:
        return Suggestion(
            AccountType.SMTP,
            f"Mail for {domain} goes to {hosts[0]}. If you can change how that server "
            "sends, an SMTP connection suits you: everybody keeps their address and "
            "mailbox. If not, choose hosted webmail.",
        )
    return Suggestion(
        AccountType.WEBMAIL,
        f"We found no mail server for {domain}, so hosted webmail suits you.",
    )


def initial_values(key: str, application: Application) -> dict[str, str]:
    """Returns initial values by field name for the page `key`; empty for other pages."""
    domain = checks.domain_of(application)
    if key not in PAGES or not domain:
        return {}
    return {"member_domain": domain, **_server(_exchangers(application))}


def _server(hosts: list[str]) -> dict[str, str]:
    if not hosts:
        return {}
    provider = _PROVIDERS.get(platform_of(hosts))
    return {"next_hop_host": hosts[0], **({"provider": provider} if provider else {})}


def _exchangers(application: Application) -> list[str]:
    """Returns the mail exchangers of the applicant's domain, preferred first."""
    return _known_exchangers(application) or []


def _known_exchangers(application: Application) -> list[str] | None:
    """Returns None before the MX check has run, or if no name server answered."""
    done = application.checks.filter(key=CheckKey.MX, state=CheckState.DONE).first()
    return done.facts.get("hosts") if done else None
