"""Recognises an organisation's mail platform by the names of its mail exchangers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Platform(Enum):
    """The system that receives mail for a domain; the value completes a sentence."""

    MICROSOFT = "Microsoft 365"
    GOOGLE = "Google Workspace"
    OWN = "a mail server of its own, or a provider's"
    NONE = "nothing"


_ENDINGS = {
    ".mail.protection.outlook.com": Platform.MICROSOFT,
    ".mx.microsoft": Platform.MICROSOFT,
    ".google.com": Platform.GOOGLE,
    ".googlemail.com": Platform.GOOGLE,
}


def platform_of(hosts: Sequence[str]) -> Platform:
    """Returns the platform behind these mail exchangers, preferred first."""
    for host in hosts:
        for ending, platform in _ENDINGS.items():
            if f".{host.lower()}".endswith(ending):
                return platform
    return Platform.OWN if any(hosts) else Platform.NONE
