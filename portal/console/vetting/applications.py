"""The list of applications, and one application with claims and evidence."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET
from wagtail.admin.ui.tables import Column, StatusTagColumn
from wagtail.admin.views.generic import IndexView

from engine.registry.permissions import Permission
from onboarding.models import Application, CheckState
from onboarding.provisioning import runner
from onboarding.provisioning.steps import TITLES
from onboarding.status import TO_DECIDE, StepState
from onboarding.vetting import policies
from portal.console.access import held_as_staff, staff
from portal.console.page import render_template
from portal.console.vetting.claims import sections
from portal.console.vetting.decisions import ABOVE, ICON
from portal.console.vetting.evidence import findings
from portal.ui.visitor import signed_in_person


class DateColumn(Column):
    """A moment, formatted as on all other screens."""

    cell_template_name = "console/vetting/date_cell.html"


def _officer_of(application: Application) -> str:
    officer = application.assigned_to
    return f"{officer.name} ({officer.address})" if officer else "No one"


class ApplicationList(IndexView):
    """Wagtail's list with filters, and a search that folds letters as every other."""

    is_searchable = True

    def search_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        """Narrows the list to the applications in which each word is found."""
        text = (self.search_query or "") if self.is_searching else ""
        return queryset.filter(Application.found_by(text))


def _list(*, results_only: bool) -> Any:
    """The list of applications; pending ones come first."""
    return ApplicationList.as_view(
        model=Application,
        queryset=Application.objects.waiting_first().select_related("assigned_to"),
        page_title="Applications",
        header_icon=ICON,
        list_display=[
            "organisation_name",
            Column(
                "reference",
                label="Reference",
                sort_key="reference",
                classname="vetting-whole",
            ),
            StatusTagColumn(
                "status",
                label="Status",
                accessor="get_status_display",
                primary=lambda application: application.status in TO_DECIDE,
            ),
            "account_type",
            "kind",
            Column("assigned_to", label="Assigned to", accessor=_officer_of),
            DateColumn("submitted_at", label="Sent in", sort_key="submitted_at"),
        ],
        list_filter=["status", "account_type", "kind"],
        paginate_by=30,
        index_url_name="vetting:index",
        index_results_url_name="vetting:index_results",
        inspect_url_name="vetting:inspect",
        results_only=results_only,
    )


index = staff(Permission.VIEW_APPLICATIONS)(_list(results_only=False))
index_results = staff(Permission.VIEW_APPLICATIONS)(_list(results_only=True))


@staff(Permission.VIEW_APPLICATIONS)
@require_GET
def inspect(request: HttpRequest, pk: int) -> HttpResponse:
    """Claims, evidence, checks, and the progress of setting up."""
    application = get_object_or_404(
        Application.objects.submitted().select_related(
            "assigned_to", "recommended_by", "decided_by"
        ),
        pk=pk,
    )
    context = {
        "application": application,
        "sections": sections(application),
        "findings": findings(application),
        "checks": list(application.checks.all()),
        "questions": application.questions.select_related("asked_by"),
        "steps": [
            (TITLES.get(row.key, row.key), row) for row in application.steps.all()
        ],
        "has_problem": application.steps.filter(state=StepState.FAILED).exists(),
        **_possible(request, application),
    }
    return render_template(
        request, "vetting/inspect", str(application), ICON, context, above=ABOVE
    )


def _possible(request: HttpRequest, application: Application) -> dict[str, bool]:
    """Which buttons the visitor sees. The actions check permissions."""
    may = Permission.DECIDE_APPLICATIONS in held_as_staff(request.user)
    is_another = policies.is_another_officer(application, by=signed_in_person(request))
    return {
        "may_work": may and application.is_open,
        "may_decide": may and application.status in TO_DECIDE and is_another,
        "waits_for_another": may and not is_another,
        "may_reopen": may and policies.can_reopen(application, reason="Asked."),
        "may_retry": may
        and policies.can_retry(application)
        and runner.is_stalled(application),
        "is_running": application.checks.filter(state=CheckState.RUNNING).exists(),
    }
