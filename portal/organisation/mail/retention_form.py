"""How long the organisation's mailboxes keep what was thrown away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.storage.models import Retention
from portal.ui.forms import ActionForm


class DaysField(forms.IntegerField):
    def __init__(self, *, label: Any, folder: str) -> None:
        refusal = _("Enter a number of days from 1 to %(limit)d for %(folder)s") % {
            "limit": Retention.MAX_DAYS,
            "folder": folder,
        }
        super().__init__(
            label=label,
            help_text=_("In days, from 1 to %d.") % Retention.MAX_DAYS,
            min_value=1,
            max_value=Retention.MAX_DAYS,
            widget=forms.TextInput(
                attrs={
                    "class": "govuk-input--width-3",
                    "inputmode": "numeric",
                    "autocomplete": "off",
                }
            ),
            error_messages=dict.fromkeys(
                ("required", "invalid", "min_value", "max_value"), refusal
            ),
        )


class RetentionForm(ActionForm):
    deleted_days = DaysField(label=_("How long Deleted keeps mail"), folder="Deleted")
    junk_days = DaysField(label=_("How long Junk keeps mail"), folder="Junk")
