"""The security.txt file: where to report a vulnerability (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import reverse

# RFC 9116 §2.5.5 recommends less than a year, so that contacts do not go stale. It is
# computed for each request: while the service runs, its operator vouches for the contact.
LIFETIME = timedelta(days=180)


def contacts() -> list[str]:
    """Returns contact URIs, the preferred first; by default the public helpdesk form."""
    named: list[str] = settings.POSTERN.security_contacts
    return named or [_address_of("helpdesk:ask")]


def text(now: datetime) -> str:
    """Returns the file, with lines ended by CR LF (RFC 9116 §2.2)."""
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
