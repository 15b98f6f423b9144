"""The page of a person's own directory entry."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from engine.registry.actions import people
from engine.registry.models import Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires
from onboarding.forms.fields import PhoneField


class EntryForm(forms.Form):
    """The fields of the entry that a person edits."""

    job_title = forms.CharField(label=_("Job title"), max_length=150, required=False)
    phone = PhoneField(
        label=_("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(
            attrs={
                "type": "tel",
                "autocomplete": "tel",
                "class": "govuk-input--width-20",
            }
        ),
    )
    town = forms.CharField(
        label=_("Town or city"),
        help_text=_("Leave empty to show your organisation’s."),
        max_length=100,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "address-level2",
                "class": "govuk-input--width-20",
            }
        ),
    )


@requires(Permission.SEARCH_DIRECTORY)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Edits the entry. Only an administrator can change name and publication."""
    person = cast(Person, request.user)
    known = {name: getattr(person, name) for name in EntryForm.base_fields}
    form = EntryForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_valid():
        people.edit(person, by=person, **form.cleaned_data)
        messages.success(request, gettext("Your directory entry is changed."))
        return redirect("account:home")
    return render(request, "account/entry.html", {"form": form, "person": person})
