"""How long the organisation's mailboxes keep what was thrown away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.storage import retention_periods, trash_purge
from portal.organisation.frame import show, visitor, within
from portal.organisation.mail.retention_form import RetentionForm


@within(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    kept = retention_periods.of(organisation)
    form = RetentionForm(
        request.POST if request.method == "POST" else None,
        initial={"deleted_days": kept.deleted_days, "junk_days": kept.junk_days},
    )
    if form.submit(
        lambda: trash_purge.set_days(
            organisation, by=visitor(request), **form.cleaned_data
        )
    ):
        messages.success(request, "Saved. Mail that lies there already moves with it.")
        return redirect("organisation:retention", organisation.pk)
    return show(request, organisation, "retention", "settings", {"form": form})
