"""Changes to the organisation's accounts that wait for a second person."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation, Person
from portal.account_admin import approvals, confirmations
from portal.account_admin.confirmations import AnsweredApproval
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import render_section
from portal.organisation.people.person import PEOPLE, SECTION


@PEOPLE
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Pending approvals of the organisation, the oldest first."""
    context = {"approvals": approvals.pending(organisation)}
    return render_section(request, organisation, "approvals", SECTION, context)


def _find(
    organisation: Organisation, kind: str, pk: int, answer: str
) -> AnsweredApproval:
    found = confirmations.find_answer(kind, pk, answer)
    if found.approval.organisation != organisation:
        raise Http404
    return found


def _back(found: AnsweredApproval, by: Person) -> str:
    organisation = found.approval.organisation
    pk = organisation.pk if organisation else by.organisation_id
    return reverse("organisation:recovery", args=[pk])


answer = confirmed_view(
    PEOPLE,
    SECTION,
    _find,
    confirmations.ANSWER_APPROVAL,
    back=_back,
    allows=confirmations.may_answer,
)
