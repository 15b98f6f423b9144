"""An organisation's distribution lists: shown and suspended.

Members and posting rules are changed on the organisation's own pages, which staff may
open too.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.actions import lists
from engine.registry.models import DistributionList, ListMember
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.organisations.frame import (
    ABOVE,
    ICON,
    get_organisation,
    member_url,
    render_tab,
)
from portal.console.page import Button, Cell, Section, Table, state_cell, yes_or_no
from portal.ui.forms import ReasonForm
from portal.ui.pagination import count_of, paginate
from portal.ui.suspension import suspension

MANAGE = Permission.MANAGE_LISTS
HEADINGS = ("Name", "Address", "Who may write", "Members", "State")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's distribution lists."""
    organisation = get_organisation(pk)
    members = count_of(ListMember.objects.all(), "distribution_list")
    rows = organisation.distribution_lists.annotate(member_count=members)
    found = paginate(request, rows, by="address")
    empty = "No list yet. Add one to reach many people at one address."
    table = Table(HEADINGS, [_row(row) for row in found.rows], empty)
    add = reverse("organisation:list_add", args=[pk])
    section = Section(table=table, buttons=[Button("Add a list", add, MANAGE)])
    return render_tab(request, organisation, "lists", [section], links=found.links)


def _row(row: DistributionList) -> list[Cell]:
    return [
        Cell(row.name, _url(row)),
        Cell(row.address),
        Cell(row.get_posting_display()),
        Cell(str(getattr(row, "member_count", ""))),
        state_cell(row.is_active),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, list_id: int) -> HttpResponse:
    """One list and its members."""
    found = _find(pk, list_id)
    own = reverse("organisation:list", args=[pk, list_id])
    switch = member_url("list_switch", pk, list_id)
    word = "Suspend" if found.is_active else "Resume"
    buttons = [
        Button("Change it and its members", own, MANAGE),
        Button(word, switch, MANAGE, found.is_active),
    ]
    facts = [
        ("Address", Cell(found.address)),
        ("Who may write to it", Cell(found.get_posting_display())),
        ("Members", Cell(str(found.members.count()))),
        ("State", state_cell(found.is_active)),
        ("In the directory", yes_or_no(found.is_published)),
    ]
    page = paginate(request, found.members.all(), by="address")
    rows = [
        [Cell(row.address), Cell(row.last_failure, is_alarming=row.needs_attention)]
        for row in page.rows
    ]
    empty = "No members yet, so mail to it reaches no one. Add members."
    members = Table(("Address", "Last delivery failure"), rows, empty)
    sections = [
        Section(facts=facts, buttons=buttons),
        Section("Members", table=members),
    ]
    return render_tab(
        request,
        found.organisation,
        "lists",
        sections,
        title=found.name,
        links=page.links,
    )


def _find(pk: int, list_id: int) -> DistributionList:
    rows = DistributionList.objects.select_related("organisation")
    return get_object_or_404(rows, pk=list_id, organisation=pk)


def _url(found: DistributionList) -> str:
    return member_url("list", found.organisation_id, found.pk)


switch = confirmed_view(
    MANAGE,
    _find,
    suspension(
        lists,
        suspend_text="Mail to it is held until you resume it.",
        resume_text="Mail that was held for it is delivered.",
        resume_form=ReasonForm,
    ),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
