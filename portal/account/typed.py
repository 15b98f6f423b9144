"""Addresses as people type them into a form."""

from __future__ import annotations

from django.http import HttpRequest

from engine.mail.address import Address, InvalidAddressError


def address_key(text: str) -> str:
    """The form under which a person is found; text that is no address stays itself."""
    text = text.strip()
    try:
        return Address.parse(text).key
    except InvalidAddressError:
        return text.casefold()


def typed_address(
    request: HttpRequest | None, credentials: dict[str, str] | None
) -> str | None:
    """Whom a failed sign-in is counted against.

    django-axes finds nothing by itself in the credentials that allauth passes on.
    """
    username = (credentials or {}).get("username")
    if not username and request is not None:
        username = request.POST.get("login")
    return address_key(username) if username else None
