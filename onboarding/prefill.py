"""What the pages about mail can say by themselves: the applicant only corrects it."""

from __future__ import annotations

from engine.registry.models import Provider
from onboarding import checks
from onboarding.models import Application
from onboarding.platform import Platform, platform_of

PAGES = ("server", "cloud")
_PROVIDERS = {
    Platform.MICROSOFT: Provider.MICROSOFT_365,
    Platform.GOOGLE: Provider.GOOGLE_WORKSPACE,
}


def suggested(key: str, application: Application) -> dict[str, str]:
    """By field: the domain of the confirmed address, and where mail for it goes."""
    domain = checks.domain_of(application)
    if key not in PAGES or not domain:
        return {}
    return {"member_domain": domain, **_server(checks.exchangers(application))}


def _server(hosts: list[str]) -> dict[str, str]:
    if not hosts:
        return {}
    provider = _PROVIDERS.get(platform_of(hosts))
    return {"next_hop_host": hosts[0], **({"provider": provider} if provider else {})}
