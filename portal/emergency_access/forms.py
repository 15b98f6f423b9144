"""Forms of emergency access."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.emergency_access.models import MOST_HOURS
from portal.ui.forms import ActionForm

NOW, LATER = "now", "later"


class AskForm(ActionForm):
    """Why, and for how long."""

    reason = forms.CharField(
        label=_("Why do you need to read this mailbox?"),
        help_text=_(
            "The approvers and the holder of the mailbox read this. Say what you are "
            "looking for, and why it cannot wait."
        ),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Enter a reason")},
    )
    hours = forms.IntegerField(
        label=_("For how many hours?"),
        help_text=_("From 1 to %(most)s. They begin when the second person approves.")
        % {"most": MOST_HOURS},
        min_value=1,
        max_value=MOST_HOURS,
        widget=forms.NumberInput(
            attrs={"class": "govuk-input--width-2", "inputmode": "numeric"}
        ),
        error_messages={
            "required": _("Enter the number of hours"),
            "invalid": _("Enter the number of hours in digits"),
            "min_value": _("The time must be 1 hour or more"),
            "max_value": _("The time must be %(limit_value)s hours or less"),
        },
    )


class ApproveForm(ActionForm):
    """When the holder is notified; and why only at the end."""

    tell = forms.ChoiceField(
        label=_("When is the holder of the mailbox notified?"),
        choices=[
            (NOW, _("When the mailbox is opened")),
            (LATER, _("Only at the end")),
        ],
        initial=NOW,
        widget=forms.RadioSelect,
        error_messages={"required": _("Select when the holder is notified")},
    )
    why_untold = forms.CharField(
        label=_("Why only at the end?"),
        help_text=_(
            "Leave this empty unless you selected “Only at the end”. The holder is "
            "notified at the end only if both approvers give a reason."
        ),
        max_length=200,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tell"].widget.hints = {
            LATER: _("For example, to protect evidence.")
        }

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if found.get("tell") == LATER and not found.get("why_untold"):
            self.add_error(
                "why_untold", _("Enter why the holder is notified only at the end")
            )
        if found.get("tell") == NOW and found.get("why_untold"):
            self.add_error(
                "why_untold",
                _("Select “Only at the end” above, or leave this empty"),
            )
        return found
