from __future__ import annotations

from typing import Any

from django import forms

from engine.queue.models import RecipientStatus
from portal.ui.filters import FilterForm

STATUSES = (RecipientStatus.QUEUED, RecipientStatus.HELD, RecipientStatus.FAILED)
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def _text(label: str) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs=dict(PLAIN)))


class QueueFilter(FilterForm):
    status = forms.ChoiceField(
        label="Status", choices=[(one.value, one.label) for one in STATUSES]
    )
    sender = _text("Sender, or its domain")
    recipient = _text("Recipient, or its domain")
    destination = _text("Destination")
    hours = forms.CharField(
        label="Older than, in hours", widget=forms.NumberInput(attrs={"min": "0"})
    )

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        if self.criteria["status"] not in STATUSES:
            self.criteria["status"] = RecipientStatus.QUEUED.value
            self.initial["status"] = self.criteria["status"]
