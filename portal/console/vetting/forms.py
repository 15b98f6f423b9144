from __future__ import annotations

from django import forms


class RejectForm(forms.Form):
    """Why not. The applicant reads it."""

    reason = forms.CharField(
        max_length=2000,
        help_text="The applicant reads this.",
        error_messages={"required": "Give a reason for the decision"},
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class ApproveForm(forms.Form):
    """Why, and as what domain the organisation joins."""

    reason = forms.CharField(
        max_length=2000,
        help_text="What you checked. It stays in the records; the applicant does not "
        "read it.",
        error_messages={"required": "Give a reason for the decision"},
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    community_domain = forms.CharField(
        label="Domain in the community",
        max_length=253,
        help_text="As proposed, unless something else was agreed.",
        error_messages={"required": "Enter the domain in the community"},
    )
