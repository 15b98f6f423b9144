"""The audit trail: filtered, downloaded as CSV, and verified."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.audit.checkpoints import verification
from engine.audit.models import Checkpoint, Entry
from engine.audit.record import record
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.page import render_template
from portal.emergency_access.trail import without_withheld
from portal.ui import audit_entries
from portal.ui.date_formats import end_of_day, start_of_day
from portal.ui.filters import FilterForm, date_filter, text_filter
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person


class AuditFilter(FilterForm):
    """Filters entries by words and days."""

    q = text_filter("Event, subject or person")
    since = date_filter("First day")
    until = date_filter("Last day")


@staff(Permission.VIEW_AUDIT)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Entries, the newest first."""
    search = AuditFilter(request)
    rows = _filtered(search.criteria, reader=signed_in_person(request))
    found = paginate(request, rows, descending=True)
    context = {
        "rows": [(row, audit_entries.details(row)) for row in found.rows],
        "links": found.links,
        "filters": search,
        "query": request.GET.urlencode(),
        "checkpoint": Checkpoint.objects.first(),
    }
    return render_template(request, "audit", "Audit trail", "view", context)


@staff(Permission.VIEW_AUDIT)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered entries as a CSV file. That it was downloaded is an entry too."""
    person, criteria = cast(Person, request.user), AuditFilter(request).criteria
    entry = record("audit.exported", person, detail=criteria, by=person)
    rows = _filtered(criteria, reader=person)
    lines = audit_entries.as_csv(rows.filter(pk__lt=entry.pk))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _filtered(typed: dict[str, str], *, reader: Person) -> QuerySet[Entry]:
    rows = audit_entries.containing(Entry.objects.all(), typed["q"])
    rows = without_withheld(rows, reader=reader)
    since, until = start_of_day(typed["since"]), end_of_day(typed["until"])
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until)
    return rows


@staff(Permission.VIEW_AUDIT)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verifies the whole chain by its checkpoints, and reports what was done to it."""
    check = verification.verify(verification.configured_files())
    for sentence in verification.described(check.problems):
        messages.error(request, f"The audit trail was changed. {sentence}")
    if not check.problems:
        messages.success(
            request, f"All {check.position} entries follow from one another."
        )
    return redirect("console:audit")
