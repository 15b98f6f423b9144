"""The pages of the application, and of the first sign-in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from engine.registry.models import AccountType, Kind, Person, Proof
from onboarding.fields import (
    CommunityNameField,
    EverydayAddressField,
    HostField,
    NameField,
    NetworksField,
    OwnDomainField,
    PhoneField,
)

APPLICANT_KINDS = [choice for choice in Kind.choices if choice[0] != Kind.OPERATOR]
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


def _choice(
    label: str, choices: Any, missing: str, **options: Any
) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
        **options,
    )


def _missing(sentence: str) -> dict[str, str]:
    return {"required": sentence}


class OrganisationForm(forms.Form):
    organisation_name = NameField(
        label="Name of your organisation",
        max_length=200,
        error_messages=_missing("Enter the name of your organisation"),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    town = NameField(
        label="Town or city",
        max_length=100,
        error_messages=_missing("Enter your town or city"),
        widget=forms.TextInput(
            attrs={"autocomplete": "address-level2", "class": "govuk-input--width-20"}
        ),
    )
    kind = _choice(
        "What does your organisation do?",
        APPLICANT_KINDS,
        "Select what your organisation does",
    )
    is_sole_user = _choice(
        "Will you be the only person who uses the service?",
        [("yes", "Yes, only me"), ("no", "No, several people")],
        "Select yes if you will be the only person who uses the service",
    )

    def clean_is_sole_user(self) -> bool:
        return bool(self.cleaned_data["is_sole_user"] == "yes")


class AccountForm(forms.Form):
    account_type = _choice(
        "How do you want to exchange secure mail?",
        [
            (value, AccountType(value).label)
            for value in (
                AccountType.SMTP,
                AccountType.CLOUD_GATEWAY,
                AccountType.WEBMAIL,
            )
        ],
        "Select how you want to exchange secure mail",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_type"].widget.hints = ACCOUNT_HINTS


class HostedForm(forms.Form):
    """For webmail: what the secure addresses will look like."""

    community_name = CommunityNameField(
        label="Name for your secure addresses",
        max_length=63,
        help_text="Often a short form of your organisation's name, like northfield.",
        error_messages=_missing("Enter a name for your secure addresses"),
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
        "to know you.",
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-20", "spellcheck": "false"}
        ),
    )


class ServerForm(forms.Form):
    """For SMTP: the organisation's own mail server."""

    member_domain = OwnDomainField(
        label="Your email domain",
        max_length=253,
        help_text="The part after the @ in your addresses, like example.org.",
        error_messages=_missing("Enter your email domain"),
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-20", "spellcheck": "false"}
        ),
    )
    next_hop_host = HostField(
        label="Mail server that receives for you",
        max_length=253,
        help_text="Its host name, like mail.example.org. Its certificate must carry "
        "this name.",
        error_messages=_missing("Enter the host name of your mail server"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    next_hop_port = forms.IntegerField(
        label="Port",
        min_value=1,
        max_value=65535,
        initial=25,
        help_text="Nearly always 25.",
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
    proof = _choice(
        "How will your server prove that it is yours when it sends to us?",
        [(value, Proof(value).label) for value in PROOF_HINTS],
        "Select how your server will prove that it is yours",
        initial=Proof.CREDENTIAL,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["proof"].widget.hints = PROOF_HINTS


class CloudForm(forms.Form):
    """For Microsoft 365 and Google Workspace."""

    member_domain = ServerForm.base_fields["member_domain"]
    next_hop_host = HostField(
        label="Server that receives for you",
        max_length=253,
        help_text="Where your provider takes mail in for your domain, like "
        "mail.example.org.",
        error_messages=_missing("Enter the server that receives for you"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    tenant_id = NameField(
        label="Tenant or customer ID",
        max_length=100,
        help_text="Your provider's own name for your organisation, in its admin console.",
        error_messages=_missing("Enter your tenant or customer ID"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )


class SourceForm(forms.Form):
    source_networks = NetworksField(
        label="Addresses that your server sends from",
        max_length=1000,
        help_text="IP addresses or networks, one on each line.",
        error_messages=_missing("Enter at least one address"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )


class CertificateForm(forms.Form):
    certificate_name = HostField(
        label="Name in your server's client certificate",
        max_length=253,
        help_text="A host name, like mail.example.org.",
        error_messages=_missing("Enter the name in your server's certificate"),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )


class ApplicantForm(forms.Form):
    applicant_name = NameField(
        label="Full name",
        max_length=150,
        error_messages=_missing("Enter your full name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    applicant_job_title = NameField(
        label="Job title",
        max_length=150,
        error_messages=_missing("Enter your job title"),
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    applicant_phone = PhoneField(
        label="Telephone number",
        max_length=40,
        error_messages=_missing("Enter your telephone number"),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "tel",
                "type": "tel",
                "class": "govuk-input--width-20",
            }
        ),
    )
    everyday_address = EverydayAddressField(
        label="Email address you use now",
        max_length=254,
        help_text="We send our decision and the first steps there.",
        error_messages=_missing("Enter the email address you use now"),
        widget=forms.TextInput(
            attrs={"autocomplete": "email", "type": "email", "spellcheck": "false"}
        ),
    )


class FirstPasswordForm(forms.Form):
    """The password with which an administrator starts."""

    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 12 characters. Three words that do not belong together are "
        "easy to remember and hard to guess.",
        error_messages=_missing("Enter a password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.person)
        return password
