"""The pages of an import: upload, preview and start."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from engine.database import clock
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.frame import organisation_view, render_section
from portal.organisation.models import PeopleFile
from portal.organisation.people.forms import PeopleFileForm
from portal.organisation.people_file import actions
from portal.organisation.people_file.csv_reader import TEMPLATE
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person

SHOWN = 50  # rows and faults on the page


@organisation_view(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Uploads a file, which is checked before anyone is added."""
    form = PeopleFileForm(post_data(request), request.FILES or None)
    made: list[PeopleFile] = []

    def verb() -> None:
        file = form.cleaned_data["file"]
        made.append(
            actions.check(
                organisation,
                file.read(),
                name=file.name,
                sends_links=form.cleaned_data["sends_links"],
                by=signed_in_person(request),
            )
        )

    if form.submit(verb, field="file"):
        return redirect("organisation:people_file", organisation.pk, made[0].pk)
    return render_section(
        request, organisation, "people_file_upload", "people", {"form": form}
    )


@organisation_view(Permission.MANAGE_PEOPLE)
@require_GET
def index(
    request: HttpRequest, organisation: Organisation, people_file_id: int
) -> HttpResponse:
    """What the import would do, is doing, or has done."""
    file = _file(organisation, people_file_id)
    context = {
        "file": file,
        "total": len(file.rows),
        "is_stalled": file.is_stalled(clock.now()),
        "rows": file.rows[:SHOWN],
        "faults": file.faults[:SHOWN],
        "not_shown": max(0, len(file.rows) - SHOWN),
        "faults_not_shown": max(0, len(file.faults) - SHOWN),
    }
    return render_section(request, organisation, "people_file", "people", context)


@organisation_view(Permission.MANAGE_PEOPLE)
@require_POST
def start(
    request: HttpRequest, organisation: Organisation, people_file_id: int
) -> HttpResponse:
    """Starts or resumes the import."""
    file = _file(organisation, people_file_id)
    try:
        actions.start(file, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    return redirect("organisation:people_file", organisation.pk, file.pk)


@organisation_view(Permission.MANAGE_PEOPLE)
@require_GET
def template(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """A CSV file with the headings, and one line as an example."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="people.csv"'
    domain = organisation.domains.values_list("community_domain", flat=True).first()
    writer = csv.writer(response)
    writer.writerow(TEMPLATE)
    writer.writerow(
        ["Jo Example", f"jo@{domain or ''}", "Clerk", "", organisation.town, "", "no"]
    )
    return response


def _file(organisation: Organisation, people_file_id: int) -> PeopleFile:
    return get_object_or_404(PeopleFile, organisation=organisation, pk=people_file_id)
