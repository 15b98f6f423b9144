"""The audit trail: found, taken away as a file, and verified."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.audit.models import Entry
from engine.audit.record import BrokenChainError, verify_chain
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff
from portal.console.mail import trace_search
from portal.ui import audit_entries
from portal.ui.filters import FilterForm
from portal.ui.pagination import paged


def _text(label: str, kind: str = "text") -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "type": kind}
    return forms.CharField(label=label, widget=forms.TextInput(attrs=attrs))


class AuditFilter(FilterForm):
    q = _text("Event, subject or person")
    since = _text("First day", "date")
    until = _text("Last day", "date")


@staff(Permission.VIEW_AUDIT)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    search = AuditFilter(request)
    found = paged(request, _found(search.criteria), descending=True)
    context = {
        "rows": [(row, audit_entries.details(row)) for row in found.rows],
        "links": found.links,
        "filters": search,
        "query": request.GET.urlencode(),
    }
    return page.show(request, "audit", "Audit trail", "view", context)


@staff(Permission.VIEW_AUDIT)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """What the filter finds, as a file."""
    lines = audit_entries.as_csv(_found(AuditFilter(request).criteria))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _found(typed: dict[str, str]) -> QuerySet[Entry]:
    rows = Entry.objects.all()
    for word in typed["q"].split():
        rows = rows.filter(
            Q(event__icontains=word)
            | Q(subject_name__icontains=word)
            | Q(by_name__icontains=word)
        )
    since, until = (
        trace_search.start_of(typed["since"]),
        trace_search.start_of(typed["until"]),
    )
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until + timedelta(days=1))
    return rows


@staff(Permission.VIEW_AUDIT)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain and say whether anything was changed."""
    try:
        length = verify_chain()
    except BrokenChainError as error:
        messages.error(
            request,
            f"The audit trail was changed: entry {error.entry_id} does not follow "
            "from the one before it.",
        )
    else:
        messages.success(request, f"All {length} entries follow from one another.")
    return redirect("console:audit")
