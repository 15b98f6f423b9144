"""Forms for search and feedback, and the token that opens one answer to a comment."""

from __future__ import annotations

from django import forms
from django.core import signing

from portal.guides.models import Feedback

SALT = "guide-feedback"
TOKEN_AGE = 60 * 60  # seconds to add a comment in


class SearchForm(forms.Form):
    """The search box."""

    q = forms.CharField(
        label="Search the guides",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class UsefulForm(forms.Form):
    """Whether a page is useful: the value of the button that was pressed."""

    useful = forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")])


class CommentForm(forms.Form):
    """A comment from the reader who has just answered."""

    comment = forms.CharField(
        label="What could be better?",
        help_text="Do not write names, addresses or anything about a case.",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def token_of(feedback: Feedback) -> str:
    """Returns a token with which one answer can be given a comment, for an hour."""
    return signing.dumps(feedback.pk, salt=SALT)


def feedback_of(token: str) -> Feedback | None:
    """Returns the answer of a token; None once it expired or was commented on."""
    try:
        key = signing.loads(token, salt=SALT, max_age=TOKEN_AGE)
    except signing.BadSignature:
        return None
    return Feedback.objects.filter(pk=key, comment="").select_related("page").first()
