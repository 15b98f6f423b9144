"""Where to report a vulnerability, as programs look for it (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import reverse

# RFC 9116 §2.5.5 asks for less than a year, so that nobody writes to people who left.
# It is computed: a service that answers at all vouches for its contact.
LIFETIME = timedelta(days=180)


def contacts() -> list[str]:
    """URIs to write to, the preferred first; without any, the form that strangers have."""
    named: list[str] = settings.POSTERN.security_contacts
    return named or [_address_of("helpdesk:ask")]


def text(now: datetime) -> str:
    """The file, its lines ended by CR LF (RFC 9116 §2.2)."""
    expires = (now.astimezone(UTC) + LIFETIME).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    fields = [
        *(("Contact", contact) for contact in contacts()),
        ("Expires", expires.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("Preferred-Languages", "en"),
        ("Canonical", _address_of("security_txt")),
        ("Policy", _address_of("security")),
    ]
    return "".join(f"{name}: {value}\r\n" for name, value in fields)


def _address_of(name: str) -> str:
    return f"{settings.POSTERN.site_url}{reverse(name)}"
