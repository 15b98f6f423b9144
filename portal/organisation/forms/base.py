"""A form whose refusal by a rule is shown like any other mistake."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.errors import PolicyError
from engine.registry.models import Organisation

WIDE = {"autocomplete": "off", "class": "govuk-input--width-20"}


class RuledForm(forms.Form):
    """Runs the verb that it is for; the sentence of a PolicyError becomes its error."""

    def carries_out(
        self, verb: Callable[[], object], *, field: str | None = None
    ) -> bool:
        """True when the form is valid and the verb did its work."""
        if not self.is_bound or not self.is_valid():
            return False
        try:
            verb()
        except PolicyError as refusal:
            self.add_error(field, str(refusal))
            return False
        return True


class ReasonForm(RuledForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept in the organisation's history."),
        max_length=200,
        error_messages={"required": _("Enter a reason")},
    )


class SureForm(RuledForm):
    """A page with one button: nothing is typed."""


class AddressField(forms.CharField):
    """A name at one of the organisation's own domains; the domain may be left out."""

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


def lines_of(text: str) -> list[str]:
    """Addresses as pasted: parted by line ends, commas or semicolons, each once."""
    parts = text.replace(",", "\n").replace(";", "\n").splitlines()
    found = (part.strip().rpartition("<")[2].rstrip("> ") for part in parts)
    return list(dict.fromkeys(filter(None, found)))
