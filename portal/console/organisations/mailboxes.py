"""An organisation's mailboxes: what there is, how full, and stopping them.

Who may use a group mailbox is said on the organisation's own pages, which staff may
open too.
"""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import mailboxes
from engine.registry.models import Mailbox, MailboxKind
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import Words, act, person_of, typed
from portal.console.organisations.forms import OCTETS_IN_GB, QuotaForm
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs, url
from portal.console.organisations.suspension import state, switched
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw, yes_or_no
from portal.ui.pagination import paged

MANAGE = Permission.MANAGE_MAILBOXES


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    rows = organisation.mailboxes.annotate(people_count=Count("grants"))
    page = paged(request, rows, by="address")
    headings = ("Name", "Address", "Kind", "People", "Used", "State")
    empty = "It has no mailbox here. Add a group mailbox for a team."
    table = Table(headings, [_row(row) for row in page.rows], empty)
    add = reverse("organisation:mailbox_add", args=[pk])
    section = Section(table=table, buttons=[Button("Add a group mailbox", add, MANAGE)])
    sheet = Sheet(
        organisation.name,
        ICON,
        [section],
        above=ABOVE,
        tabs=tabs(request, organisation, "mailboxes"),
        links=page.links,
    )
    return draw(request, sheet)


def _row(mailbox: Mailbox) -> list[Cell]:
    is_group = mailbox.kind == MailboxKind.GROUP
    people = str(getattr(mailbox, "people_count", "")) if is_group else ""
    used = (
        f"{filesizeformat(mailbox.used_bytes)} of {filesizeformat(mailbox.quota_bytes)}"
    )
    return [
        Cell(mailbox.name, url("mailbox", mailbox.organisation_id, mailbox.pk)),
        Cell(mailbox.address),
        Cell(mailbox.get_kind_display()),
        Cell(people),
        Cell(used),
        state(mailbox.is_active),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, mailbox_id: int) -> HttpResponse:
    found = _mailbox(pk, mailbox_id)
    word = "Suspend" if found.is_active else "Resume"
    buttons = [
        Button("Edit", url("mailbox_edit", pk, mailbox_id), MANAGE),
        Button(word, url("mailbox_switch", pk, mailbox_id), MANAGE, found.is_active),
    ]
    sections = [Section(facts=_facts(found), buttons=buttons)]
    if found.kind == MailboxKind.GROUP:
        sections.append(_rights(found))
    sheet = Sheet(
        found.name,
        ICON,
        sections,
        above=ABOVE,
        tabs=tabs(request, found.organisation, "mailboxes"),
    )
    return draw(request, sheet)


def _facts(found: Mailbox) -> list[tuple[str, Cell]]:
    return [
        ("Address", Cell(found.address)),
        ("Kind", Cell(found.get_kind_display())),
        ("State", state(found.is_active)),
        ("Used", Cell(filesizeformat(found.used_bytes))),
        ("Room", Cell(filesizeformat(found.quota_bytes))),
        ("In the directory", yes_or_no(found.is_published)),
        ("Made", Cell(at=found.created_at)),
    ]


def _rights(found: Mailbox) -> Section:
    grants = found.grants.select_related("person").order_by("person__name", "pk")
    rows = [
        [
            Cell(
                grant.person.name,
                url("person", grant.person_id),
                note=grant.person.address,
            ),
            yes_or_no(grant.can_read),
            yes_or_no(grant.can_write),
            yes_or_no(grant.can_send),
        ]
        for grant in grants
    ]
    href = reverse("organisation:mailbox", args=[found.organisation_id, found.pk])
    return Section(
        "Who may use it",
        table=Table(("Person", "Reads", "Moves", "Sends"), rows, "Nobody may yet."),
        buttons=[Button("Change who may use it", href, MANAGE)],
    )


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, mailbox_id: int) -> HttpResponse:
    found = _mailbox(pk, mailbox_id)
    room = round(found.quota_bytes / OCTETS_IN_GB, 1)
    initial = {"name": found.name, "quota": room, "is_published": found.is_published}
    form = QuotaForm(typed(request), initial=initial)
    words = Words(
        title=f"Edit {found.name}",
        button="Save",
        done=f"{found.name} has been saved.",
        back=url("mailbox", pk, mailbox_id),
        icon=ICON,
        above=ABOVE,
    )

    def verb() -> None:
        mailboxes.edit(found, **form.details, by=person_of(request))

    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, pk: int, mailbox_id: int) -> HttpResponse:
    found = _mailbox(pk, mailbox_id)
    change = mailboxes.suspend if found.is_active else mailboxes.resume
    return switched(request, found, change, url("mailbox", pk, mailbox_id))


def _mailbox(pk: int, mailbox_id: int) -> Mailbox:
    rows = Mailbox.objects.select_related("organisation")
    return get_object_or_404(rows, pk=mailbox_id, organisation=pk)
