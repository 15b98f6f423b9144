"""Pending approvals in all organisations: listed, agreed to and stopped."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.account_admin import approvals, confirmations
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.organisations.frame import member_url
from portal.console.page import Page, Section, render_page
from portal.console.people.approvals_table import approvals_table
from portal.console.people.frame import ICON

TITLE = "Second person"
ABOVE = (("members:recovery", TITLE),)


@staff(Permission.MANAGE_PEOPLE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everything that waits for a second person, the oldest first."""
    section = Section(
        text="A second person agrees to what another person requested. Speak to the "
        "owner of the account first, on a number that was known before.",
        table=approvals_table(approvals.pending()),
    )
    return render_page(request, Page(TITLE, ICON, [section]))


answer = confirmed_view(
    Permission.MANAGE_PEOPLE,
    confirmations.find_answer,
    confirmations.ANSWER_APPROVAL,
    back=lambda found: member_url("recovery"),
    icon=ICON,
    above=ABOVE,
    allows=confirmations.may_answer,
)
