"""Form fields about the organisation's own addresses, shared by its pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import Organisation

WIDE_INPUT = {"autocomplete": "off", "class": "govuk-input--width-20"}


class AddressField(forms.CharField):
    """An address at one of the organisation's own domains; the domain may be left out."""

    def __init__(self, organisation: Organisation) -> None:
        domains = organisation.domains.values_list("community_domain", flat=True)
        self.domain = domains.first() or ""
        super().__init__(
            label=_("Secure address"),
            max_length=254,
            help_text=_(
                "Only the part before the @ is needed. For example, name@%(domain)s"
            )
            % {"domain": self.domain},
            widget=forms.TextInput(
                attrs={
                    "autocomplete": "off",
                    "spellcheck": "false",
                    "autocapitalize": "none",
                }
            ),
        )

    def clean(self, value: str) -> str:
        text = str(super().clean(value)).strip()
        return text if "@" in text or not text else f"{text}@{self.domain}"


def split_addresses(text: str) -> list[str]:
    """Returns pasted addresses, split at line ends, commas and semicolons, each once."""
    parts = text.replace(",", "\n").replace(";", "\n").splitlines()
    found = (part.strip().rpartition("<")[2].rstrip("> ") for part in parts)
    return list(dict.fromkeys(filter(None, found)))
