"""An organisation's distribution lists: what there is, and stopping them.

Members and rules are changed on the organisation's own pages, which staff may open too.
"""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import lists
from engine.registry.models import DistributionList
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs, url
from portal.console.organisations.suspension import state, switched
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw, yes_or_no
from portal.ui.pagination import paged

MANAGE = Permission.MANAGE_LISTS


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    rows = organisation.distribution_lists.annotate(member_count=Count("members"))
    page = paged(request, rows, by="address")
    headings = ("Name", "Address", "Who may write", "Members", "State")
    table = Table(
        headings,
        [_row(row) for row in page.rows],
        "It has no list. Add one to reach many people by one address.",
    )
    add = reverse("organisation:list_add", args=[pk])
    sheet = Sheet(
        organisation.name,
        ICON,
        [Section(table=table, buttons=[Button("Add a list", add, MANAGE)])],
        above=ABOVE,
        tabs=tabs(request, organisation, "lists"),
        links=page.links,
    )
    return draw(request, sheet)


def _row(row: DistributionList) -> list[Cell]:
    return [
        Cell(row.name, url("list", row.organisation_id, row.pk)),
        Cell(row.address),
        Cell(row.get_posting_display()),
        Cell(str(getattr(row, "member_count", ""))),
        state(row.is_active),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, list_id: int) -> HttpResponse:
    found = _list(pk, list_id)
    word = "Suspend" if found.is_active else "Resume"
    own = reverse("organisation:list", args=[pk, list_id])
    buttons = [
        Button("Change it and its members", own, MANAGE),
        Button(word, url("list_switch", pk, list_id), MANAGE, found.is_active),
    ]
    facts = [
        ("Address", Cell(found.address)),
        ("Who may write to it", Cell(found.get_posting_display())),
        ("Members", Cell(str(found.members.count()))),
        ("State", state(found.is_active)),
        ("In the directory", yes_or_no(found.is_published)),
    ]
    page = paged(request, found.members.all(), by="address")
    rows = [
        [Cell(row.address), Cell(row.last_failure, is_alarming=row.needs_attention)]
        for row in page.rows
    ]
    members = Table(
        ("Address", "What came back last"), rows, "It reaches nobody yet. Add members."
    )
    sheet = Sheet(
        found.name,
        ICON,
        [Section(facts=facts, buttons=buttons), Section("Members", table=members)],
        above=ABOVE,
        tabs=tabs(request, found.organisation, "lists"),
        links=page.links,
    )
    return draw(request, sheet)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, pk: int, list_id: int) -> HttpResponse:
    found = _list(pk, list_id)
    change = lists.suspend if found.is_active else lists.resume
    return switched(request, found, change, url("list", pk, list_id))


def _list(pk: int, list_id: int) -> DistributionList:
    rows = DistributionList.objects.select_related("organisation")
    return get_object_or_404(rows, pk=list_id, organisation=pk)
