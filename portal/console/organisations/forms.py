"""What staff fill in about organisations and people."""

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
    RoleName,
)
from portal.console.confirmation import ReasonForm
from portal.ui.filters import FilterForm
from portal.ui.forms import ActionForm

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
)
OCTETS_IN_GB = 1024**3


def _text(label: str, **options: Any) -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, required=False, widget=forms.TextInput(attrs=attrs), **options
    )


class OrganisationFilter(FilterForm):
    q = _text("Name or domain")
    kind = forms.ChoiceField(label="Kind", choices=[ANY, *Kind.choices])
    type = forms.ChoiceField(label="Account type", choices=[ANY, *AccountType.choices])
    status = forms.ChoiceField(
        label="Status", choices=[ANY, *OrganisationStatus.choices]
    )
    town = _text("Town")
    domains = forms.ChoiceField(
        label="Domains", choices=[ANY, ("unproved", "One is not proved")]
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
    ends_app_passwords = forms.BooleanField(
        label="Also end every app password of its people",
        help_text="Choose this where somebody else may have made or learnt one. Mail "
        "programs then need new ones when the organisation is resumed.",
        required=False,
    )


class OrganisationForm(ActionForm):
    """What is known of an organisation."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        error_messages={"required": "Enter the name of the organisation"},
    )
    kind = forms.ChoiceField(label="Kind", choices=Kind.choices)
    town = _text("Town", max_length=100)
    parent = forms.IntegerField(
        label="Number of the organisation above it",
        required=False,
        help_text="Shown at the top of its page. Leave empty where there is none.",
    )
    mfa_required = forms.BooleanField(
        label="Everybody needs a second factor", required=False
    )

    def clean_parent(self) -> Organisation | None:
        number = self.cleaned_data["parent"]
        if number is None:
            return None
        found = Organisation.objects.filter(pk=number).first()
        if found is None:
            raise forms.ValidationError("There is no organisation of this number")
        return found

    @staticmethod
    def initial_of(organisation: Organisation) -> dict[str, Any]:
        found = {name: getattr(organisation, name) for name in DETAILS}
        return found | {"parent": organisation.parent_id}


class NewOrganisationForm(OrganisationForm):
    account_type = forms.ChoiceField(
        label="Account type",
        choices=AccountType.choices,
        help_text="How it exchanges mail with the community. It stays as it is.",
    )
    field_order = ("name", "kind", "account_type", "town", "parent", "mfa_required")


class PeopleFilter(FilterForm):
    q = _text("Name or address")
    status = forms.ChoiceField(
        label="Show",
        choices=[
            ("", "Everybody"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("staff", "Staff"),
        ],
    )


class DomainForm(ActionForm):
    member_domain = forms.CharField(
        label="The organisation's own domain",
        max_length=253,
        error_messages={"required": "Enter the domain"},
    )
    community_domain = _text(
        "Domain in the community",
        max_length=253,
        help_text="Leave empty for the usual one. Anything else is an exception that "
        "you agree to.",
    )


class ConnectionForm(ActionForm):
    """Everything about a connection. What its proof does not use stays empty."""

    name = forms.CharField(label="Name", max_length=100, initial="Main connection")
    proof = forms.ChoiceField(label="It proves itself by", choices=Proof.choices)
    source_networks = forms.CharField(
        label="Sends from",
        required=False,
        help_text="For proof by source address: networks, one on each line.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    certificate_name = _text(
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
    tenant_id = _text(
        "Tenant",
        max_length=100,
        help_text="Of Microsoft 365. For Google Workspace leave it as it is: "
        "it is made here.",
    )
    next_hop_host = _text("We deliver to", max_length=253)
    next_hop_port = forms.IntegerField(label="Port", initial=25)
    next_hop_tls_name = _text(
        "Name in that server's certificate",
        max_length=253,
        help_text="Where it is not the host's.",
    )
    strips_suffix = forms.BooleanField(
        label="Recipients lose the suffix on the way out", required=False, initial=True
    )
    subject_tag = _text("Tag in the subject", max_length=40)

    def clean_source_networks(self) -> list[str]:
        return str(self.cleaned_data["source_networks"]).replace(",", " ").split()

    @staticmethod
    def initial_of(connection: Connection) -> dict[str, Any]:
        found = {name: getattr(connection, name) for name in CONNECTION}
        return found | {"source_networks": "\n".join(connection.source_networks)}


class QuotaForm(ActionForm):
    name = forms.CharField(label="Name", max_length=150)
    quota = forms.DecimalField(
        label="Room, in GB", min_value=0, max_value=1000, decimal_places=1
    )
    is_published = forms.BooleanField(label="Show it in the directory", required=False)

    @property
    def details(self) -> dict[str, Any]:
        octets = int(self.cleaned_data["quota"] * OCTETS_IN_GB)
        names = ("name", "is_published")
        return {name: self.cleaned_data[name] for name in names} | {
            "quota_bytes": octets
        }


class StaffForm(ActionForm):
    """Somebody who works for the service."""

    name = forms.CharField(
        label="Full name",
        max_length=150,
        error_messages={"required": "Enter the name"},
    )
    address = forms.CharField(
        label="Address",
        max_length=254,
        help_text="At the service's own domain. They sign in with it.",
        error_messages={"required": "Enter the address"},
    )
    everyday_address = forms.EmailField(
        label="Everyday email address",
        help_text="The link to choose a password goes there.",
        error_messages={"required": "Enter the everyday email address"},
    )


class StaffRoleForm(ReasonForm):
    role = forms.ChoiceField(
        label="Role",
        choices=[
            (role.value, role.label)
            for role in RoleName
            if role not in (RoleName.MEMBER, RoleName.ADMINISTRATOR)
        ],
    )
    field_order = ("role", "reason")
