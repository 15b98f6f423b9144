"""Form fields for names, telephone numbers, hosts, domains, networks and addresses."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from publicsuffixlist import PublicSuffixList

from engine.mail.address import Address, InvalidAddressError, normal_domain
from engine.registry.addresses.display_names import check_name
from engine.registry.connections.policy import normalise
from engine.registry.errors import PolicyError
from onboarding.shared_domains import SHARED_DOMAINS

# Names appear in emails to addresses that are not confirmed yet. If they could hold links
# or line breaks, an attacker could have the service send text of their own to a stranger.
_NOT_A_NAME = re.compile(r"://|www\.|[\x00-\x1f\x7f<>@]", re.IGNORECASE)
_DOTTED = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_SUFFIXES = PublicSuffixList(accept_unknown=False)
_PHONE = re.compile(r"[0-9+() .-]{7,40}")


MAX_NETWORKS = 20


class NameField(forms.CharField):
    """A one-line name, without web addresses or special characters."""

    def __init__(self, **options: Any) -> None:
        self.missing = str(options["error_messages"]["required"])
        super().__init__(**options)

    def validate(self, value: str) -> None:
        """Refuses web addresses, angle brackets and control characters."""
        super().validate(value)
        if value and (_NOT_A_NAME.search(value) or _has_domain(value)):
            raise ValidationError(
                f"{self.missing}, without web addresses or special characters"
            )


class OwnNameField(NameField):
    """The name of a person or organisation, which must not imitate an address or the service."""

    def validate(self, value: str) -> None:
        """Applies the registry's rules for display names."""
        super().validate(value)
        if value:
            try:
                check_name(value)
            except PolicyError as refusal:
                raise ValidationError(str(refusal)) from refusal


def _has_domain(text: str) -> bool:
    """True if a mail client would turn a word into a link, such as visit.example.com."""
    return any(_SUFFIXES.privatesuffix(word.lower()) for word in _DOTTED.findall(text))


class PhoneField(forms.CharField):
    """A telephone number with at least seven digits."""

    def validate(self, value: str) -> None:
        """Refuses other characters than digits and the usual punctuation."""
        super().validate(value)
        enough = sum(character.isdigit() for character in value) >= 7
        if value and not (_PHONE.fullmatch(value) and enough):
            raise ValidationError("Enter a telephone number, like 020 7946 0018")


class HostField(forms.CharField):
    """A host name, normalised to IDNA A-labels in lower case."""

    def to_python(self, value: Any) -> str:
        """Returns the normalised host name, or ""."""
        host = str(super().to_python(value) or "").rstrip(".")
        if not host:
            return ""
        try:
            host = normal_domain(host)
        except InvalidAddressError as error:
            raise ValidationError("Enter a host name, like mail.example.org") from error
        # A name without a dot would resolve to a machine on our own network.
        if "." not in host and settings.POSTERN.env == "production":
            raise ValidationError("Enter the whole host name, like mail.example.org")
        return host


class OwnDomainField(forms.CharField):
    """The organisation's own domain, normalised to IDNA A-labels in lower case.

    Accepts a whole email address and takes its domain.
    """

    def to_python(self, value: Any) -> str:
        """Returns the normalised domain, or ""."""
        text = str(super().to_python(value) or "").rstrip(".")
        text = text.rpartition("@")[2]
        if not text:
            return ""
        try:
            domain = normal_domain(text)
        except InvalidAddressError as error:
            raise ValidationError("Enter a domain, like example.org") from error
        _check_is_own(domain)
        return domain


def _check_is_own(domain: str) -> None:
    community = settings.POSTERN.community_domain
    if "." not in domain:
        raise ValidationError("Enter a whole domain, like example.org")
    if domain == community or domain.endswith(f".{community}"):
        raise ValidationError(
            f"Enter your organisation's own domain, not one that ends in {community}"
        )
    if domain in SHARED_DOMAINS:
        raise ValidationError(
            f"Enter a domain of your organisation's own: {domain} is shared by many"
        )


class CommunityNameField(forms.CharField):
    """The first label of a hosted organisation's community domain."""

    def to_python(self, value: Any) -> str:
        """Returns the normalised label, or ""."""
        text = str(super().to_python(value) or "").lower()
        if not text:
            return ""
        try:
            label = normal_domain(text)
            normal_domain(f"{label}.{settings.POSTERN.community_domain}")
        except InvalidAddressError:
            label = "."
        if "." in label:
            raise ValidationError(
                "Use only letters, numbers and hyphens, beginning and ending with a "
                "letter or number"
            )
        return label


class NetworksField(forms.CharField):
    """Network addresses, one per line, normalised to a list in CIDR notation."""

    def clean(self, value: Any) -> list[str]:
        """Returns the networks, refusing invalid ones and more than MAX_NETWORKS."""
        lines = str(super().clean(value)).split()
        if len(lines) > MAX_NETWORKS:
            raise ValidationError(f"Enter no more than {MAX_NETWORKS} addresses")
        try:
            cleaned: list[str] = normalise({"source_networks": lines})[
                "source_networks"
            ]
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal
        return cleaned


class AnyAddressField(forms.CharField):
    """An email address, inside the community or outside."""

    def to_python(self, value: Any) -> str:
        """Returns the normalised address, or ""."""
        text = super().to_python(value)
        if not text:
            return ""
        try:
            address = Address.parse(text)
        except InvalidAddressError as error:
            raise ValidationError(
                "Enter an email address, like name@example.org"
            ) from error
        # Certainly mistyped: no mail is delivered to a domain of one label.
        if "." not in address.domain:
            raise ValidationError("Enter the whole address, like name@example.org")
        return str(address)


class EverydayAddressField(AnyAddressField):
    """An email address outside the community, for notices."""

    def to_python(self, value: Any) -> str:
        """Refuses an address inside the community."""
        text = super().to_python(value)
        community = settings.POSTERN.community_domain
        if f".{text.rpartition('@')[2]}".endswith(f".{community}"):
            raise ValidationError(
                f"Enter the address you use now, not one that ends in {community}"
            )
        return text
