"""Which mail system an organisation uses, as its mail exchangers tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from engine.registry.models import AccountType


class Platform(Enum):
    """What receives mail for a domain."""

    MICROSOFT = "Microsoft 365"
    GOOGLE = "Google Workspace"
    OWN = "a mail server of its own, or a provider's"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The account type that suits, and why, in a sentence."""

    account_type: AccountType
    reason: str


_ENDINGS = {
    ".mail.protection.outlook.com": Platform.MICROSOFT,
    ".mx.microsoft": Platform.MICROSOFT,
    ".google.com": Platform.GOOGLE,
    ".googlemail.com": Platform.GOOGLE,
}


def platform_of(hosts: Sequence[str]) -> Platform:
    """What the names of the mail exchangers say, the preferred first."""
    for host in hosts:
        for ending, platform in _ENDINGS.items():
            if f".{host.lower()}".endswith(ending):
                return platform
    return Platform.OWN if any(hosts) else Platform.NONE


def suggestion(domain: str, hosts: Sequence[str]) -> Suggestion:
    """Which account type suits a domain with these mail exchangers."""
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
