"""The keys that sign delivery certificates: listed, and replaced."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import signing_keys
from engine.registry.permissions import Permission
from engine.signing.models import REPLACEABLE, Purpose, SigningKey
from portal.console.access import staff
from portal.console.page import render_template
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person

ICON = "key"
TITLE = "Signing keys"
ABOVE = (("console:signing_keys", TITLE),)


class ReplaceForm(forms.Form):
    """Which key to replace, and whether others may have it."""

    purpose = forms.ChoiceField(
        label="The key for", choices=[(one, one.label) for one in REPLACEABLE]
    )
    is_compromised = forms.BooleanField(
        label="Others may have the present key",
        help_text="What it signed is then believed only where the audit trail agrees.",
        required=False,
    )


@staff(Permission.MANAGE_STAFF)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All keys, retired ones too, the newest first."""
    keys = [
        (key, Purpose(key.purpose).label) for key in SigningKey.objects.order_by("-pk")
    ]
    return render_template(request, "signing_keys", TITLE, ICON, {"keys": keys})


@staff(Permission.MANAGE_STAFF)
@reauthentication_required
@require_http_methods(["GET", "POST"])
def replace(request: HttpRequest) -> HttpResponse:
    """Retires a key and makes another."""
    form = ReplaceForm(post_data(request))
    if form.is_bound and form.is_valid():
        made = signing_keys.replace(
            Purpose(form.cleaned_data["purpose"]),
            is_compromised=form.cleaned_data["is_compromised"],
            by=signed_in_person(request),
        )
        messages.success(request, f"From now on the key {made.key_id} signs.")
        return redirect("console:signing_keys")
    return render_template(
        request,
        "signing_key_replace",
        "Replace a signing key",
        ICON,
        {"form": form},
        above=ABOVE,
    )
