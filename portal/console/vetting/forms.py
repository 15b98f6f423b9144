"""Forms of the vetting officers."""

from __future__ import annotations

from typing import Any

from django import forms

from onboarding.forms.fields import HostField, NameField, NetworksField, OwnDomainField
from onboarding.models import Application


def _text(missing: str, **options: Any) -> forms.CharField:
    return forms.CharField(
        max_length=2000,
        error_messages={"required": missing},
        widget=forms.Textarea(attrs={"rows": 5}),
        **options,
    )


class RejectForm(forms.Form):
    """The reason of a rejection, which the applicant reads."""

    reason = _text(
        "Give a reason for the decision", help_text="The applicant reads this."
    )


class ApproveForm(forms.Form):
    """The reason of an approval, and the organisation's domain in the community."""

    reason = _text(
        "Give a reason for the decision",
        help_text="What you checked. It stays in the records; the applicant does not "
        "read it.",
    )
    community_domain = forms.CharField(
        label="Domain in the community",
        max_length=253,
        help_text="As proposed, unless something else was agreed.",
        error_messages={"required": "Enter the domain in the community"},
    )


class QuestionForm(forms.Form):
    """A question to the applicant."""

    text = _text(
        "Enter the question",
        label="Question",
        help_text="The applicant gets an email without it, and reads and answers it "
        "on the progress page.",
    )


class ReopenForm(forms.Form):
    """Why an approved application returns to the desk."""

    reason = _text(
        "Give a reason",
        help_text="Why it cannot be set up as approved. It stays in the records.",
    )


class CorrectForm(forms.Form):
    """Corrected claims, as agreed with the applicant."""

    organisation_name = NameField(
        label="Name of the organisation",
        max_length=200,
        error_messages={"required": "Enter the name of the organisation"},
    )
    town = NameField(max_length=100, error_messages={"required": "Enter the town"})
    member_domain = OwnDomainField(label="Own domain", max_length=253, required=False)
    next_hop_host = HostField(
        label="Server that receives", max_length=253, required=False
    )
    next_hop_port = forms.IntegerField(label="Port", min_value=1, max_value=65535)
    source_networks = NetworksField(
        label="Sends from",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    certificate_name = HostField(
        label="Client certificate", max_length=253, required=False
    )
    tenant_id = forms.CharField(label="Tenant", max_length=100, required=False)
    reason = _text(
        "Give a reason", help_text="The person you agreed this with, and when."
    )

    def __init__(self, data: Any, *, application: Application) -> None:
        names = [name for name in self.base_fields if name != "reason"]
        initial = {name: getattr(application, name) for name in names}
        initial["source_networks"] = "\n".join(application.source_networks)
        super().__init__(data, initial=initial)
        if application.is_hosted:
            for name in SERVER_FIELDS:
                del self.fields[name]


SERVER_FIELDS = (
    "next_hop_host",
    "next_hop_port",
    "source_networks",
    "certificate_name",
    "tenant_id",
)
