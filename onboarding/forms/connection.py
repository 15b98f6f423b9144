"""Forms about how an organisation connects: account type, server, proof, provider."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Proof, Provider
from onboarding.forms.fields import (
    CommunityNameField,
    HostField,
    NetworksField,
    OwnDomainField,
)
from onboarding.forms.page import PageForm, choice, missing
from onboarding.forms.reserved_names import check_name_is_free

NO_TENANT_ID = "Enter your tenant ID, 32 letters and digits"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ACCOUNT_HINTS = {
    AccountType.SMTP: "Your own mail server exchanges mail with ours. Everybody keeps "
    "their address and mailbox.",
    AccountType.CLOUD_GATEWAY: "For Microsoft 365 and Google Workspace. Everybody keeps "
    "their address and mailbox.",
    AccountType.WEBMAIL: "You read and write secure mail on our website, with a new "
    "address.",
}
PROOF_HINTS = {
    Proof.CREDENTIAL: "We send you both in the welcome letter. Most choose this.",
    Proof.SOURCE: "Your server always sends from the same addresses.",
    Proof.CERTIFICATE: "Your server presents a certificate that carries its name.",
}


class AccountForm(PageForm):
    """How the organisation exchanges mail with the community."""

    account_type = choice(
        "How do you want to exchange secure mail?",
        [(value, AccountType(value).label) for value in ACCOUNT_HINTS],
        "Select how you want to exchange secure mail",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_type"].widget.hints = ACCOUNT_HINTS


class HostedForm(PageForm):
    """For hosted webmail: the name in the organisation's secure addresses."""

    community_name = CommunityNameField(
        label="Name for your secure addresses",
        max_length=63,
        help_text="Often a short form of your organisation's name, like northfield.",
        error_messages=missing("Enter a name for your secure addresses"),
        widget=forms.TextInput(
            attrs={
                "class": "govuk-input--width-20",
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )
    member_domain = OwnDomainField(
        label="Your organisation's own domain, if it has one",
        max_length=253,
        required=False,
        help_text="The end of your website's address, like example.org. It helps us "
        "to identify your organisation.",
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-20", "spellcheck": "false"}
        ),
    )

    def clean_community_name(self) -> str:
        """Refuses names that are reserved or taken."""
        name: str = self.cleaned_data["community_name"]
        try:
            check_name_is_free(name, application=self.application)
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal
        return name


class ServerForm(PageForm):
    """For SMTP: the organisation's own mail server and how it proves its identity."""

    member_domain = OwnDomainField(
        label="Your email domain",
        max_length=253,
        help_text="The part after the @ in your addresses, like example.org.",
        error_messages=missing("Enter your email domain"),
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-20", "spellcheck": "false"}
        ),
    )
    next_hop_host = HostField(
        label="Mail server that receives for you",
        max_length=253,
        help_text="Its host name, like mail.example.org. Its certificate must carry "
        "this name.",
        error_messages=missing("Enter the host name of your mail server"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    next_hop_port = forms.IntegerField(
        label="Port",
        min_value=1,
        max_value=65535,
        initial=25,
        help_text="Usually 25.",
        error_messages={
            "required": "Enter the port of your mail server",
            "invalid": "Enter the port as a number, like 25",
            "min_value": "The port must be between 1 and 65535",
            "max_value": "The port must be between 1 and 65535",
        },
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-5", "inputmode": "numeric"}
        ),
    )
    proof = choice(
        "How will your server prove that it is yours when it sends to us?",
        [(value, Proof(value).label) for value in PROOF_HINTS],
        "Select how your server will prove that it is yours",
        initial=Proof.CREDENTIAL,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["proof"].widget.hints = PROOF_HINTS


class CloudForm(PageForm):
    """For a cloud gateway: Microsoft 365 or Google Workspace."""

    member_domain = ServerForm.base_fields["member_domain"]
    next_hop_host = HostField(
        label="Server that receives for you",
        max_length=253,
        help_text="The server at your provider that receives mail for your domain, "
        "like mail.example.org.",
        error_messages=missing("Enter the server that receives for you"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    provider = choice(
        "Who is your provider?", Provider.choices, "Select who your provider is"
    )
    tenant_id = forms.CharField(
        label="Microsoft 365 tenant ID",
        max_length=100,
        error_messages=missing(NO_TENANT_ID),
        help_text="Like 5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61, in the Microsoft Entra "
        "admin centre. Leave it empty for Google Workspace.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.data.get("provider") or self.initial.get("provider")
        self.fields["tenant_id"].required = provider != Provider.GOOGLE_WORKSPACE

    def clean(self) -> dict[str, Any]:
        """Drops the tenant ID for Google, which has none: provisioning generates one."""
        cleaned = self.cleaned_data
        if cleaned.get("provider") == Provider.GOOGLE_WORKSPACE:
            return {**cleaned, "tenant_id": ""}
        tenant_id = cleaned.get("tenant_id", "").strip().casefold()
        if tenant_id and not GUID.fullmatch(tenant_id):
            self.add_error("tenant_id", NO_TENANT_ID)
        return {**cleaned, "tenant_id": tenant_id}


class SourceForm(PageForm):
    """For proof by source address: the networks that the server sends from."""

    source_networks = NetworksField(
        label="Addresses that your server sends from",
        max_length=1000,
        help_text="IP addresses or networks, like 192.0.2.10 or 192.0.2.0/28, one on each "
        "line.",
        error_messages=missing("Enter at least one address"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )


class CertificateForm(PageForm):
    """For proof by client certificate: the name in it."""

    certificate_name = HostField(
        label="Name in your server's client certificate",
        max_length=253,
        help_text="A host name, like mail.example.org.",
        error_messages=missing("Enter the name in your server's certificate"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
