"""Forms and filters about organisations, their domains, connections and mailboxes."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.registry.models import (
    AccountType,
    Connection,
    Kind,
    Organisation,
    OrganisationStatus,
    Proof,
    Provider,
    UnprovenMail,
)
from portal.ui.filters import PLAIN_INPUT, FilterForm, text_filter
from portal.ui.forms import ActionForm, ReasonForm

ANY = ("", "Any")
DETAILS = ("name", "kind", "town", "mfa_required", "parent")
CONNECTION = (
    "name",
    "proof",
    "source_networks",
    "certificate_name",
    "provider",
    "tenant_id",
    "next_hop_host",
    "next_hop_port",
    "next_hop_tls_name",
    "strips_suffix",
    "subject_tag",
    "unproven_mail",
)
OCTETS_IN_GB = 1024**3


def _optional_text(label: str, **options: Any) -> forms.CharField:
    widget = forms.TextInput(attrs=dict(PLAIN_INPUT))
    return forms.CharField(label=label, required=False, widget=widget, **options)


class OrganisationFilter(FilterForm):
    """Filters all organisations."""

    q = text_filter("Name or domain")
    kind = forms.ChoiceField(label="Kind", choices=[ANY, *Kind.choices])
    type = forms.ChoiceField(label="Account type", choices=[ANY, *AccountType.choices])
    status = forms.ChoiceField(
        label="Status", choices=[ANY, *OrganisationStatus.choices]
    )
    town = text_filter("Town")
    domains = forms.ChoiceField(
        label="Domains", choices=[ANY, ("unproved", "One is not verified")]
    )
    connections = forms.ChoiceField(
        label="Connections",
        choices=[
            ANY,
            ("suspended", "One is suspended"),
            ("faulty", "One has a fault"),
            ("ending", "A certificate ends soon"),
        ],
    )


class SuspendForm(ReasonForm):
    """Why an organisation is suspended, and whether its app passwords end."""

    ends_app_passwords = forms.BooleanField(
        label="Also end every app password of its people",
        help_text="Choose this if someone else may have made or learnt one. Mail "
        "programs then need new ones when the organisation is resumed.",
        required=False,
    )


class OrganisationForm(ActionForm):
    """An organisation's details."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        error_messages={"required": "Enter the name of the organisation"},
    )
    kind = forms.ChoiceField(label="Kind", choices=Kind.choices)
    town = _optional_text("Town", max_length=100)
    parent = forms.IntegerField(
        label="Number of the organisation that it belongs to",
        required=False,
        help_text="Shown at the top of its page. Leave empty if there is none.",
    )
    mfa_required = forms.BooleanField(
        label="Everyone needs a second factor", required=False
    )

    def clean_parent(self) -> Organisation | None:
        number = self.cleaned_data["parent"]
        if number is None:
            return None
        found = Organisation.objects.filter(pk=number).first()
        if found is None:
            raise forms.ValidationError("No organisation has this number")
        return found

    @staticmethod
    def initial_of(organisation: Organisation) -> dict[str, Any]:
        """Returns the organisation's present details, as initial values."""
        found = {name: getattr(organisation, name) for name in DETAILS}
        return found | {"parent": organisation.parent_id}


class NewOrganisationForm(OrganisationForm):
    """An organisation that did not apply. Its account type cannot be changed later."""

    account_type = forms.ChoiceField(
        label="Account type",
        choices=AccountType.choices,
        help_text="How it exchanges mail with the community. It cannot be changed later.",
    )
    field_order = ("name", "kind", "account_type", "town", "parent", "mfa_required")


class DomainForm(ActionForm):
    """A domain, with its name in the community."""

    member_domain = forms.CharField(
        label="The organisation's own domain",
        max_length=253,
        error_messages={"required": "Enter the domain"},
    )
    community_domain = _optional_text(
        "Domain in the community",
        max_length=253,
        help_text="Leave empty for the usual one. Anything else is an exception that "
        "you agree to.",
    )


class ConnectionForm(ActionForm):
    """All settings of a connection. Those that its proof does not use stay empty."""

    name = forms.CharField(label="Name", max_length=100, initial="Main connection")
    proof = forms.ChoiceField(label="It proves itself by", choices=Proof.choices)
    source_networks = forms.CharField(
        label="Sends from",
        required=False,
        help_text="For proof by source address: networks, one on each line.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    certificate_name = _optional_text(
        "Name in its client certificate",
        max_length=253,
        help_text="For proof by certificate.",
    )
    provider = forms.ChoiceField(
        label="Provider",
        required=False,
        choices=[("", "None"), *Provider.choices],
        help_text="For proof by provider, tenant and DKIM.",
    )
    tenant_id = _optional_text(
        "Tenant",
        max_length=100,
        help_text="Of Microsoft 365. Leave it as it is for Google Workspace: it is "
        "generated here.",
    )
    next_hop_host = _optional_text("We deliver to", max_length=253)
    next_hop_port = forms.IntegerField(label="Port", initial=25)
    next_hop_tls_name = _optional_text(
        "Name in that server's certificate",
        max_length=253,
        help_text="If it is not the host's.",
    )
    strips_suffix = forms.BooleanField(
        label="Recipients lose the suffix on the way out", required=False, initial=True
    )
    subject_tag = _optional_text("Tag in the subject", max_length=40)
    unproven_mail = forms.ChoiceField(
        label="Its mail that fails DMARC or DKIM",
        choices=UnprovenMail.choices,
        help_text="Held mail is in the queue, where you release or drop it.",
    )

    def clean_source_networks(self) -> list[str]:
        return str(self.cleaned_data["source_networks"]).replace(",", " ").split()

    @staticmethod
    def initial_of(connection: Connection) -> dict[str, Any]:
        """Returns the connection's present settings, as initial values."""
        found = {name: getattr(connection, name) for name in CONNECTION}
        return found | {"source_networks": "\n".join(connection.source_networks)}


class MailboxForm(ActionForm):
    """A mailbox's name, quota in GB, and whether the directory shows it."""

    name = forms.CharField(label="Name", max_length=150)
    quota = forms.DecimalField(
        label="Quota, in GB", min_value=0, max_value=1000, decimal_places=1
    )
    is_published = forms.BooleanField(label="Show it in the directory", required=False)
