"""Form fields that the application asks for more than once, and what they refuse."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from publicsuffixlist import PublicSuffixList

from engine.mail.address import Address, InvalidAddressError, normal_domain
from engine.registry.addresses.display_names import check_name
from engine.registry.errors import PolicyError

# Domains where anybody may have an address: they show nothing about an organisation.
SHARED_DOMAINS = frozenset(
    {
        "aol.com",
        "btinternet.com",
        "gmail.com",
        "googlemail.com",
        "hotmail.co.uk",
        "hotmail.com",
        "icloud.com",
        "live.co.uk",
        "live.com",
        "me.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "yahoo.co.uk",
        "yahoo.com",
    }
)
# The names go into notices to an address that nobody has confirmed yet: they must not
# carry somebody else's text or link there.
_NOT_A_NAME = re.compile(r"://|www\.|[\x00-\x1f\x7f<>@]", re.IGNORECASE)
_DOTTED = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_SUFFIXES = PublicSuffixList(accept_unknown=False)
_PHONE = re.compile(r"[0-9+() .-]{7,40}")


class NameField(forms.CharField):
    """A line that names somebody or something."""

    def __init__(self, **options: Any) -> None:
        self.missing = str(options["error_messages"]["required"])
        super().__init__(**options)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (_NOT_A_NAME.search(value) or _has_domain(value)):
            raise ValidationError(
                f"{self.missing}, without web addresses or special characters"
            )


class OwnNameField(NameField):
    """The name of a person or an organisation, by which others will know them."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            try:
                check_name(value)
            except PolicyError as refusal:
                raise ValidationError(str(refusal)) from refusal


def _has_domain(text: str) -> bool:
    """True where mail clients would make a link of some word: visit.example.com."""
    return any(_SUFFIXES.privatesuffix(word.lower()) for word in _DOTTED.findall(text))


class PhoneField(forms.CharField):
    def validate(self, value: str) -> None:
        super().validate(value)
        enough = sum(character.isdigit() for character in value) >= 7
        if value and not (_PHONE.fullmatch(value) and enough):
            raise ValidationError("Enter a telephone number, like 020 7946 0018")


class HostField(forms.CharField):
    """A host name, cleaned into an A-label name in lower case."""

    def to_python(self, value: Any) -> str:
        host = str(super().to_python(value) or "").rstrip(".")
        if not host:
            return ""
        try:
            host = normal_domain(host)
        except InvalidAddressError as error:
            raise ValidationError("Enter a host name, like mail.example.org") from error
        # A name without a dot would lead to a machine of ours.
        if "." not in host and settings.POSTERN.env == "production":
            raise ValidationError("Enter the whole host name, like mail.example.org")
        return host


class OwnDomainField(forms.CharField):
    """A domain of the organisation itself, cleaned into A-labels in lower case."""

    def to_python(self, value: Any) -> str:
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
    """The first label of a hosted organisation's domain in the community."""

    def to_python(self, value: Any) -> str:
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


class AnyAddressField(forms.CharField):
    """An e-mail address, inside the community or outside."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            address = Address.parse(text)
        except InvalidAddressError as error:
            raise ValidationError(
                "Enter an email address, like name@example.org"
            ) from error
        # Mistyped: there is no mail for a domain of one word.
        if "." not in address.domain:
            raise ValidationError("Enter the whole address, like name@example.org")
        return str(address)


class EverydayAddressField(AnyAddressField):
    """An e-mail address outside the community, for notices."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        community = settings.POSTERN.community_domain
        if f".{text.rpartition('@')[2]}".endswith(f".{community}"):
            raise ValidationError(
                f"Enter the address you use now, not one that ends in {community}"
            )
        return text
