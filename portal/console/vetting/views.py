"""The desk: the list of applications, one application, and what is decided about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin.ui.tables import StatusTagColumn
from wagtail.admin.views.generic import IndexView

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from onboarding import actions, policies, provisioning
from onboarding.models import Application
from onboarding.provisioning_steps import TITLES
from onboarding.status import Status, StepState
from portal.console import page
from portal.console.access import held_as_staff, staff
from portal.console.vetting.claims import sections
from portal.console.vetting.evidence import findings
from portal.console.vetting.forms import ApproveForm, RejectForm

ICON = "clipboard-list"
ABOVE = (("vetting:index", "Applications"),)


def _list(*, results_only: bool) -> Any:
    """Wagtail's list with search and filters: those that wait come first."""
    return IndexView.as_view(
        model=Application,
        queryset=Application.objects.waiting_first(),
        page_title="Applications",
        header_icon=ICON,
        list_display=[
            "organisation_name",
            "reference",
            StatusTagColumn(
                "status",
                label="Status",
                accessor="get_status_display",
                primary=lambda application: application.status == Status.SUBMITTED,
            ),
            "account_type",
            "kind",
            "town",
            "submitted_at",
        ],
        list_filter=["status", "account_type", "kind"],
        search_fields=["organisation_name", "reference", "member_domain", "town"],
        paginate_by=50,
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
    """Claims, what we found ourselves, and how far setting up has come."""
    application = get_object_or_404(Application, pk=pk)
    may_decide = Permission.DECIDE_APPLICATIONS in held_as_staff(request.user)
    is_waiting = application.status == Status.SUBMITTED
    context = {
        "application": application,
        "sections": sections(application),
        "findings": findings(application),
        "steps": [
            (TITLES.get(row.key, row.key), row) for row in application.steps.all()
        ],
        "may_decide": may_decide and is_waiting,
        "may_retry": may_decide
        and policies.can_retry(application)
        and provisioning.is_stalled(application),
        "has_problem": application.steps.filter(state=StepState.FAILED).exists(),
    }
    return page.show(
        request, "vetting/inspect", str(application), ICON, context, above=ABOVE
    )


@staff(Permission.DECIDE_APPLICATIONS)
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    application = get_object_or_404(Application, pk=pk)
    proposed = {"community_domain": application.community_domain}
    form = ApproveForm(request.POST or None, initial=proposed)
    if request.method == "POST" and form.is_valid():
        try:
            actions.approve(application, **form.cleaned_data, by=_officer(request))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{application} is approved and being set up.")
            return redirect("vetting:inspect", pk)
    return _decision(request, application, "Approve", form)


@staff(Permission.DECIDE_APPLICATIONS)
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    application = get_object_or_404(Application, pk=pk)
    form = RejectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.reject(application, **form.cleaned_data, by=_officer(request))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{application} is rejected.")
            return redirect("vetting:inspect", pk)
    return _decision(request, application, "Reject", form)


@staff(Permission.DECIDE_APPLICATIONS)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the steps of setting up that are left."""
    application = get_object_or_404(Application, pk=pk)
    try:
        actions.retry_provisioning(application, by=_officer(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The steps that are left have been started.")
    return redirect("vetting:inspect", pk)


def _decision(
    request: HttpRequest, application: Application, verb: str, form: Any
) -> HttpResponse:
    context = {"application": application, "form": form, "verb": verb}
    title = f"{verb} {application}"
    return page.show(request, "vetting/decide", title, ICON, context, above=ABOVE)


def _officer(request: HttpRequest) -> Person:
    """Whoever decides; the guard let only people in."""
    if not isinstance(request.user, Person):
        raise TypeError("Nobody is signed in.")
    return request.user
