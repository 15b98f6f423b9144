from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from engine.registry.models import WebhookEvent
from engine.registry.scopes import Scope
from portal.ui.forms import ActionForm

SCOPES = [(s.value, s.label) for s in Scope if not s.is_community_wide]
LIFETIMES = {"90": _("90 days"), "365": _("One year"), "": _("Until you revoke it")}


class KeyForm(ActionForm):
    """A key for another system."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Which system it is for, such as “Case management”."),
        max_length=100,
    )
    scopes = forms.MultipleChoiceField(
        label=_("What the system may do"),
        help_text=_("Choose only what it needs."),
        choices=SCOPES,
        error_messages={"required": _("Select at least one thing")},
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label=_("How long the key works"),
        choices=list(LIFETIMES.items()),
        initial="365",
        required=False,
        widget=forms.RadioSelect,
    )

    @property
    def chosen(self) -> list[Scope]:
        return [Scope(value) for value in self.cleaned_data["scopes"]]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class EndpointForm(ActionForm):
    """Another system that is told what happens."""

    url = forms.CharField(
        label=_("Address"),
        help_text=_("Such as https://cases.example/hook."),
        max_length=500,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )
    events = forms.MultipleChoiceField(
        label=_("What it is told"),
        choices=WebhookEvent.choices,
        error_messages={"required": _("Select at least one thing")},
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def chosen(self) -> list[WebhookEvent]:
        return [WebhookEvent(value) for value in self.cleaned_data["events"]]
