"""The pages of the everyday address: show, change, and refuse another's change."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.registry.actions import recovery as verbs
from engine.registry.credentials import account_recovery
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions.view_guards import public, signed_in
from onboarding import signed_links

MAX_CHANGES_SHOWN = 20


class OwnAddressForm(forms.Form):
    """The new everyday address."""

    address = forms.EmailField(
        label=_("New everyday email address"),
        help_text=_("Outside this service, and read by you alone."),
        max_length=254,
        error_messages={"required": _("Enter an email address")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


@signed_in
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Shows the address, a pending change, and past changes."""
    person = cast(Person, request.user)
    verbs.apply_due_change(person)
    context = {
        "person": person,
        "waiting": account_recovery.pending_change(person),
        "changes": person.address_changes.exclude(applied_at=None, refused_at=None)[
            :MAX_CHANGES_SHOWN
        ],
        "resets": person.factor_resets.answerable(),
    }
    return render(request, "account/recovery.html", context)


@signed_in
@reauthentication_required(app="account")
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Changes the address immediately: the owner has just reauthenticated."""
    person = cast(Person, request.user)
    form = OwnAddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            verbs.change_own_address(person, by=person, **form.cleaned_data)
        except PolicyError as refusal:
            form.add_error("address", str(refusal))
        else:
            messages.success(
                request, gettext("Your links and notices now go to the new address.")
            )
            return redirect("account:recovery")
    context = {"form": form, "person": person}
    return render(request, "account/recovery_change.html", context)


@signed_in
@require_POST
def refuse(request: HttpRequest) -> HttpResponse:
    """Refuses a change that another person requested."""
    person = cast(Person, request.user)
    waiting = account_recovery.pending_change(person)
    if waiting is not None:
        verbs.refuse_address_change(waiting, by=person)
        messages.success(
            request, gettext("You refused the change. Your address stays as it is.")
        )
    return redirect("account:recovery")


@public
@require_http_methods(["GET", "HEAD", "POST"])
def refuse_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Refuses a change from the link in a notification.

    A GET changes nothing: mail scanners open links.
    """
    try:
        change = signed_links.address_change(token)
    except signed_links.ForgedLinkError as forged:
        raise Http404 from forged
    context: dict[str, object] = {"change": change, "refusal": ""}
    if request.method == "POST":
        try:
            verbs.refuse_address_change(change, by=None)
        except PolicyError as refusal:
            context["refusal"] = str(refusal)
        change.refresh_from_db()
    return render(request, "account/refuse.html", context)
