"""How long the organisation's mailboxes keep mail in Deleted and Junk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.storage import retention_periods
from engine.storage.models import Retention
from portal.organisation.frame import organisation_view, render_section
from portal.ui.forms import ActionForm, post_data
from portal.ui.visitor import signed_in_person


class DaysField(forms.IntegerField):
    """A number of days that one folder keeps mail."""

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
    """How long Deleted and Junk keep mail."""

    deleted_days = DaysField(label=_("How long Deleted keeps mail"), folder="Deleted")
    junk_days = DaysField(label=_("How long Junk keeps mail"), folder="Junk")


@organisation_view(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Shows and sets the number of days."""
    kept = retention_periods.retention_of(organisation)
    form = RetentionForm(
        post_data(request),
        initial={"deleted_days": kept.deleted_days, "junk_days": kept.junk_days},
    )
    if form.submit(
        lambda: retention_periods.set_days(
            organisation, by=signed_in_person(request), **form.cleaned_data
        )
    ):
        messages.success(
            request, "Saved. It applies to mail that is already there too."
        )
        return redirect("organisation:retention", organisation.pk)
    return render_section(
        request, organisation, "retention", "settings", {"form": form}
    )
