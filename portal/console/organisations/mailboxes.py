"""An organisation's mailboxes: listed with their usage, edited and suspended.

Access to group mailboxes is changed on the organisation's own pages, which staff may
open too.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.actions import mailboxes
from engine.registry.models import Grant, Mailbox, MailboxKind, Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.organisations.forms import OCTETS_IN_GB, MailboxForm
from portal.console.organisations.frame import (
    ABOVE,
    ICON,
    get_organisation,
    member_url,
    render_tab,
)
from portal.console.page import (
    Button,
    Cell,
    Fact,
    Section,
    Table,
    state_cell,
    yes_or_no,
)
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm
from portal.ui.pagination import count_of, paginate
from portal.ui.suspension import suspension

MANAGE = Permission.MANAGE_MAILBOXES
HEADINGS = ("Name", "Address", "Kind", "People", "Used", "State")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's mailboxes."""
    organisation = get_organisation(pk)
    people = count_of(Grant.objects.all(), "mailbox")
    rows = organisation.mailboxes.annotate(people_count=people)
    found = paginate(request, rows, by="address")
    empty = "No mailbox here. Add a group mailbox for a team."
    table = Table(HEADINGS, [_row(row) for row in found.rows], empty)
    add = reverse("organisation:mailbox_add", args=[pk])
    section = Section(table=table, buttons=[Button("Add a group mailbox", add, MANAGE)])
    return render_tab(request, organisation, "mailboxes", [section], links=found.links)


def _row(mailbox: Mailbox) -> list[Cell]:
    is_group = mailbox.kind == MailboxKind.GROUP
    people = str(getattr(mailbox, "people_count", "")) if is_group else ""
    used = filesizeformat(mailbox.used_bytes)
    return [
        Cell(mailbox.name, _url(mailbox)),
        Cell(mailbox.address),
        Cell(mailbox.get_kind_display()),
        Cell(people),
        Cell(f"{used} of {filesizeformat(mailbox.quota_bytes)}"),
        state_cell(mailbox.is_active),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, mailbox_id: int) -> HttpResponse:
    """One mailbox and, for a group mailbox, who can use it."""
    mailbox = _find(pk, mailbox_id)
    is_active = mailbox.is_active
    switch = member_url("mailbox_switch", pk, mailbox_id)
    buttons = [
        Button("Edit", member_url("mailbox_edit", pk, mailbox_id), MANAGE),
        Button("Suspend" if is_active else "Resume", switch, MANAGE, is_active),
    ]
    sections = [Section(facts=_facts(mailbox), buttons=buttons)]
    if mailbox.kind == MailboxKind.GROUP:
        sections.append(_grants(mailbox))
    return render_tab(
        request, mailbox.organisation, "mailboxes", sections, title=mailbox.name
    )


def _facts(mailbox: Mailbox) -> list[Fact]:
    return [
        ("Address", Cell(mailbox.address)),
        ("Kind", Cell(mailbox.get_kind_display())),
        ("State", state_cell(mailbox.is_active)),
        ("Used", Cell(filesizeformat(mailbox.used_bytes))),
        ("Quota", Cell(filesizeformat(mailbox.quota_bytes))),
        ("In the directory", yes_or_no(mailbox.is_published)),
        ("Made", Cell(at=mailbox.created_at)),
    ]


def _grants(mailbox: Mailbox) -> Section:
    grants = mailbox.grants.select_related("person").order_by("person__name", "pk")
    rows = [
        [
            Cell(
                grant.person.name,
                member_url("person", grant.person_id),
                note=grant.person.address,
            ),
            yes_or_no(grant.can_read),
            yes_or_no(grant.can_write),
            yes_or_no(grant.can_send),
        ]
        for grant in grants
    ]
    href = reverse("organisation:mailbox", args=[mailbox.organisation_id, mailbox.pk])
    return Section(
        "Who can use it",
        table=Table(("Person", "Reads", "Moves", "Sends"), rows, "No one yet."),
        buttons=[Button("Change who can use it", href, MANAGE)],
    )


def _find(pk: int, mailbox_id: int) -> Mailbox:
    rows = Mailbox.objects.select_related("organisation")
    return get_object_or_404(rows, pk=mailbox_id, organisation=pk)


def _url(mailbox: Mailbox) -> str:
    return member_url("mailbox", mailbox.organisation_id, mailbox.pk)


def _describe_edit(mailbox: Mailbox, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Edit {mailbox.name}",
        button="Save",
        done=f"{mailbox.name} has been saved.",
    )


def _initial(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "name": mailbox.name,
        "quota": round(mailbox.quota_bytes / OCTETS_IN_GB, 1),
        "is_published": mailbox.is_published,
    }


def _edit(mailbox: Mailbox, *, quota: Any, by: Person, **fields: Any) -> None:
    octets = int(quota * OCTETS_IN_GB)
    mailboxes.edit(mailbox, quota_bytes=octets, by=by, **fields)


edit = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_edit, _edit, MailboxForm, initial=_initial),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
switch = confirmed_view(
    MANAGE,
    _find,
    suspension(
        mailboxes,
        suspend_text="Mail to it is held until you resume it.",
        resume_text="Mail that was held for it is delivered.",
        resume_form=ReasonForm,
    ),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
