from __future__ import annotations

from django import forms
from django.core import signing

from portal.guides.models import Feedback

SALT = "guide-feedback"
TOKEN_AGE = 60 * 60  # seconds to add a comment in


class SearchForm(forms.Form):
    q = forms.CharField(
        label="Search the guides",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class UsefulForm(forms.Form):
    """Yes or no; which one is the button that was pressed."""

    useful = forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")])


class CommentForm(forms.Form):
    """What could be better, from whoever just pressed the button."""

    comment = forms.CharField(
        label="What could be better?",
        help_text="Do not write names, addresses or anything about a case.",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def token_of(feedback: Feedback) -> str:
    """Opens that one answer to a comment, for a while."""
    return signing.dumps(feedback.pk, salt=SALT)


def feedback_of(token: str) -> Feedback | None:
    try:
        key = signing.loads(token, salt=SALT, max_age=TOKEN_AGE)
    except signing.BadSignature:
        return None
    return Feedback.objects.filter(pk=key, comment="").select_related("page").first()
