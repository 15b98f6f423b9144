"""The keys that sign mail (DKIM): their DNS records, what was found, and the next keys."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from engine.registry.actions import mail_keys
from engine.registry.permissions import Permission
from engine.signing import key_records
from engine.signing.mail_keys import community_domain, fault
from engine.signing.models import KeyRecord, KeyState
from portal.console.access import staff
from portal.console.confirmation import render_confirmation
from portal.console.organisations.frame import member_url
from portal.console.page import Cell, Table, render_template
from portal.ui.confirmation import Confirmation
from portal.ui.forms import ActionForm, ConfirmForm, post_data
from portal.ui.visitor import signed_in_person

ICON = "key"
TITLE = "DKIM keys"
ABOVE = (("console:mail_keys", TITLE),)
MANAGE = Permission.MANAGE_STAFF
# Hosted domains without records that the page lists.
SHOWN = 50
HEADINGS = ("Domain", "Organisation", "Records")


class RotateForm(ActionForm):
    """Whether others may have the keys in use."""

    is_compromised = forms.BooleanField(
        label="Others may have the keys in use",
        help_text="They are deleted immediately: publish the records of the new keys in "
        "their place. Mail on its way then loses its signature.",
        required=False,
    )


@staff(MANAGE)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Each key with its record, what the DNS said last, and domains without records."""
    records = key_records.wanted(community_domain())
    checked = [one.found.checked_at for one in records if one.found]
    context = {
        "domain": community_domain(),
        "records": records,
        "zone": "\n".join(key_records.zone_line(one.key) for one in records),
        "checked_at": max(checked, default=None),
        "is_signing": any(one.key.is_current for one in records),
        "faults": [one.key for one in records if fault(one.key)],
        "table": _hosted_domains(),
    }
    return render_template(request, "mail_keys", TITLE, ICON, context)


@staff(MANAGE)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Looks the community's records up now."""
    mail_keys.check(community_domain(), by=signed_in_person(request))
    wrong = [
        one
        for one in key_records.wanted(community_domain())
        if one.key.state != KeyState.RETIRED
        and not (one.found and one.found.is_visible)
    ]
    if wrong:
        messages.warning(request, f"{len(wrong)} records are not right yet; see below.")
    else:
        messages.success(request, "All records are there.")
    return redirect("console:mail_keys")


@staff(MANAGE)
@reauthentication_required
@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest) -> HttpResponse:
    """Puts the next keys to use before it is their time."""
    form = RotateForm(post_data(request))

    def run() -> None:
        mail_keys.rotate(
            is_compromised=form.cleaned_data["is_compromised"],
            by=signed_in_person(request),
        )

    page = Confirmation(
        title="Use the next DKIM keys now",
        button="Use the next keys",
        done="The next keys sign from now on.",
        text="Keys change every six months by themselves. The records of the keys before "
        "stay in the DNS for a week, for mail on its way; then new keys take their place.",
    )
    if form.submit(run):
        messages.success(request, page.done)
        return redirect("console:mail_keys")
    return render_confirmation(
        request,
        form=form,
        page=page,
        back=reverse("console:mail_keys"),
        icon=ICON,
        above=ABOVE,
    )


@staff(MANAGE)
@reauthentication_required
@require_http_methods(["GET", "POST"])
def replace_lost(request: HttpRequest) -> HttpResponse:
    """Makes other keys in the place of those that cannot be opened."""
    form = ConfirmForm(post_data(request))
    page = Confirmation(
        title="Replace lost DKIM keys",
        button="Replace the keys that cannot be opened",
        done="Where a key was lost, another was made. Publish its record.",
        text="Keys that no configured secret key opens are deleted, and others made in "
        "their place. Do this only where that secret key is lost: otherwise add it to "
        "POSTERN_SECRET_KEY_FALLBACKS.",
        is_warning=True,
    )
    if form.submit(lambda: mail_keys.replace_lost(by=signed_in_person(request))):
        messages.success(request, page.done)
        return redirect("console:mail_keys")
    return render_confirmation(
        request,
        form=form,
        page=page,
        back=reverse("console:mail_keys"),
        icon=ICON,
        above=ABOVE,
    )


def _hosted_domains() -> Table:
    """Hosted domains whose mail is signed for the community's domain instead."""
    visible = KeyRecord.objects.filter(
        domain=OuterRef("community_domain"),
        key__state=KeyState.CURRENT,
        is_visible=True,
    )
    missing = mail_keys.hosted_domains().exclude(Exists(visible))
    rows = [
        [
            Cell(
                domain.community_domain,
                member_url("domain", domain.organisation_id, domain.pk),
            ),
            Cell(domain.organisation.name),
            Cell("Not found"),
        ]
        for domain in missing.select_related("organisation")[:SHOWN]
    ]
    return Table(HEADINGS, rows, "Mail of every hosted domain is signed for it.")
