"""Forms about a connection: one for each part of its settings, tests, links, domains."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    Proof,
    Provider,
    UnprovenMail,
)
from portal.organisation.forms import WIDE_INPUT, split_addresses
from portal.ui.forms import ActionForm

CLOUD = "cloud"
PORT_RANGE = _("Enter a port between 1 and 65535")
PLAIN = {**WIDE_INPUT, "spellcheck": "false", "autocapitalize": "none"}


class PartForm(ActionForm):
    """One part of a connection's settings. `proof` is set where the part decides it."""

    title: Any = ""
    proof: Proof | None = None
    refusal_field: str | None = None
    """The field that a refusal belongs to, where it can be that one only."""

    @classmethod
    def initial_of(cls, connection: Connection) -> dict[str, Any]:
        """Returns the present settings, as initial values."""
        return {
            name: getattr(connection, name)
            for name in cls.base_fields
            if hasattr(connection, name)
        }

    def fields_of(self, connection: Connection) -> Any:
        """Returns the arguments of the registry's edit."""
        proof = {"proof": self.proof} if self.proof else {}
        return {**self.cleaned_data, **proof}


class ServerForm(PartForm):
    """Where and how we deliver to the organisation."""

    title = _("Your server")
    next_hop_host = forms.CharField(
        label=_("Host name"),
        help_text=_("Where we deliver mail to you, such as mail.example.org."),
        max_length=253,
        widget=forms.TextInput(attrs=PLAIN),
    )
    next_hop_port = forms.IntegerField(
        label=_("Port"),
        min_value=1,
        max_value=65535,
        error_messages={
            "invalid": PORT_RANGE,
            "min_value": PORT_RANGE,
            "max_value": PORT_RANGE,
        },
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}),
    )
    next_hop_tls_name = forms.CharField(
        label=_("Name in its certificate"),
        help_text=_("Only if it differs from the host name."),
        required=False,
        max_length=253,
        widget=forms.TextInput(attrs=PLAIN),
    )
    strips_suffix = forms.BooleanField(
        label=_("Write recipients without the suffix, as your own addresses"),
        required=False,
    )
    subject_tag = forms.CharField(
        label=_("Tag in the subject"),
        help_text=_("Put before the subject of mail to you, such as [SECURE]."),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10"}),
    )


class PasswordProofForm(PartForm):
    """Proof by user name and password."""

    title = _("Sign in with a user name and password")
    proof = Proof.CREDENTIAL


class SourceProofForm(PartForm):
    """Proof by source address."""

    title = _("Recognised by your server’s addresses")
    proof = Proof.SOURCE
    refusal_field = "source_networks"
    source_networks = forms.CharField(
        label=_("Addresses that your servers send from"),
        help_text=_(
            "One a line, such as 192.0.2.10 or 192.0.2.0/28. They must be yours alone."
        ),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )

    @classmethod
    def initial_of(cls, connection: Connection) -> dict[str, Any]:
        """Returns the present settings, as initial values."""
        return {"source_networks": "\n".join(connection.source_networks)}

    def clean_source_networks(self) -> list[str]:
        return split_addresses(self.cleaned_data["source_networks"])


class CertificateProofForm(PartForm):
    """Proof by client certificate."""

    title = _("Recognised by your server’s certificate")
    proof = Proof.CERTIFICATE
    refusal_field = "certificate_name"
    certificate_name = forms.CharField(
        label=_("Name in your client certificate"),
        help_text=_("A DNS name that only your certificate carries."),
        max_length=253,
        widget=forms.TextInput(attrs=PLAIN),
    )


class CloudForm(PartForm):
    """Proof by cloud provider and tenant."""

    title = _("Your cloud provider")
    provider = forms.ChoiceField(
        label=_("Provider"), choices=Provider.choices, widget=forms.RadioSelect
    )
    tenant_id = forms.CharField(
        label=_("Microsoft 365 tenant id"),
        help_text=_(
            "In the Microsoft Entra admin centre, under Overview. Leave it empty for "
            "Google Workspace: we generate a secret for you."
        ),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=PLAIN),
    )

    @classmethod
    def initial_of(cls, connection: Connection) -> dict[str, Any]:
        """Returns the present settings, as initial values."""
        is_microsoft = connection.provider == Provider.MICROSOFT_365
        return {
            "provider": connection.provider,
            "tenant_id": connection.tenant_id if is_microsoft else "",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("provider") == Provider.GOOGLE_WORKSPACE:
            cleaned["tenant_id"] = ""
        return (
            {**cleaned, "provider": Provider(cleaned["provider"])}
            if ("provider" in cleaned)
            else cleaned
        )


class UnprovenForm(PartForm):
    """What is done with the organisation's own mail that fails its proof."""

    title = _("Mail that cannot be proved to be yours")
    unproven_mail = forms.ChoiceField(
        label=_(
            "What should we do with mail from your server that fails DMARC or DKIM?"
        ),
        help_text=_(
            "Publish a DMARC policy and sign your mail first. Mail from a server that "
            "changes what it has signed fails, too."
        ),
        choices=UnprovenMail.choices,
        widget=forms.RadioSelect,
    )


FORMS: dict[str, type[PartForm]] = {
    "server": ServerForm,
    "unproven": UnprovenForm,
    "password": PasswordProofForm,
    "source": SourceProofForm,
    "certificate": CertificateProofForm,
    CLOUD: CloudForm,
}


def parts_of(organisation: Organisation) -> list[tuple[str, Any]]:
    """Returns the parts of the settings for the account type, each with its title."""
    if organisation.account_type == AccountType.CLOUD_GATEWAY:
        parts = ["server", CLOUD, "unproven"]
    else:
        parts = ["server", "password", "source", "certificate", "unproven"]
    return [(part, FORMS[part].title) for part in parts]


class ConnectionTestForm(ActionForm):
    """Where a test message goes."""

    recipient = forms.CharField(
        label=_("An address on your server that you can read"),
        help_text=_("We send a test message there."),
        max_length=254,
        widget=forms.TextInput(attrs=PLAIN),
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation


class ShareForm(ActionForm):
    """A link for an IT department."""

    name = forms.CharField(
        label=_("Who is it for?"),
        help_text=_("Such as “IT department” or the name of a supplier."),
        max_length=100,
        widget=forms.TextInput(attrs=WIDE_INPUT),
    )


class DomainForm(ActionForm):
    """A domain of the organisation's own."""

    member_domain = forms.CharField(
        label=_("Domain"),
        help_text=_("What follows the @ in your own addresses, such as example.org."),
        max_length=200,
        widget=forms.TextInput(attrs=PLAIN),
    )
