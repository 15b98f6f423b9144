"""Group mailboxes, and who may do what with each."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import mailboxes
from engine.registry.models import Grant, Mailbox, MailboxKind, Organisation
from engine.registry.permissions import Permission
from portal.organisation.confirmation import switched
from portal.organisation.frame import person_in, show, visitor, within
from portal.organisation.mail.mailbox_forms import (
    RIGHTS,
    MailboxForm,
    NewMailboxForm,
    NewRightsForm,
    RightsForm,
)
from portal.ui.forms import ConfirmForm
from portal.ui.pagination import paged

SECTION = "mailboxes"
COLLEAGUES = 300  # offered while typing


@within(Permission.MANAGE_MAILBOXES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    rows = organisation.mailboxes.filter(kind=MailboxKind.GROUP)
    rows = rows.annotate(people_count=Count("grants"))
    context = {"page": paged(request, rows, by="name")}
    return show(request, organisation, "mailboxes", SECTION, context)


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = NewMailboxForm(request.POST or None, organisation=organisation)
    made: list[Mailbox] = []

    def verb() -> None:
        made.append(
            mailboxes.add_group(organisation, by=visitor(request), **form.cleaned_data)
        )

    if form.submit(verb, field="address"):
        messages.success(request, f"{made[0].name} is ready. Say who may use it.")
        return redirect("organisation:mailbox", organisation.pk, made[0].pk)
    return show(request, organisation, "mailbox_add", SECTION, {"form": form})


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def mailbox(
    request: HttpRequest, organisation: Organisation, mailbox_id: int
) -> HttpResponse:
    """One mailbox, its people, and the form to add another."""
    found = _mailbox(organisation, mailbox_id)
    form = NewRightsForm(request.POST or None, organisation=organisation)
    if form.submit(
        lambda: mailboxes.grant(
            found, form.cleaned_data["address"], by=visitor(request), **form.flags
        )
    ):
        name = form.cleaned_data["address"].name
        messages.success(request, f"{name} may now use {found.name}.")
        return redirect("organisation:mailbox", organisation.pk, found.pk)
    grants = found.grants.select_related("person").order_by("person__name", "pk")
    others = organisation.people.filter(is_active=True).exclude(grants__mailbox=found)
    context = {
        "mailbox": found,
        "form": form,
        "grants": grants,
        "colleagues": others.values_list("address", "name")[:COLLEAGUES],
    }
    return show(request, organisation, "mailbox", SECTION, context)


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, mailbox_id: int
) -> HttpResponse:
    found = _mailbox(organisation, mailbox_id)
    form = MailboxForm(request.POST or None, initial=MailboxForm.initial_of(found))
    if form.submit(
        lambda: mailboxes.edit(found, by=visitor(request), **form.cleaned_data)
    ):
        messages.success(request, f"{found.name} has been saved.")
        return redirect("organisation:mailbox", organisation.pk, found.pk)
    context = {"mailbox": found, "form": form}
    return show(request, organisation, "mailbox_edit", SECTION, context)


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def rights(
    request: HttpRequest, organisation: Organisation, mailbox_id: int, person_id: int
) -> HttpResponse:
    """Change what one person may do with the mailbox."""
    found = _mailbox(organisation, mailbox_id)
    grant = _grant(organisation, found, person_id)
    held = [right for right in RIGHTS if getattr(grant, f"can_{right}")]
    form = RightsForm(request.POST or None, initial={"rights": held})
    if form.submit(
        lambda: mailboxes.grant(found, grant.person, by=visitor(request), **form.flags)
    ):
        messages.success(request, f"The rights of {grant.person.name} are saved.")
        return redirect("organisation:mailbox", organisation.pk, found.pk)
    context = {"mailbox": found, "grant": grant, "form": form}
    return show(request, organisation, "mailbox_rights", SECTION, context)


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def revoke(
    request: HttpRequest, organisation: Organisation, mailbox_id: int, person_id: int
) -> HttpResponse:
    found = _mailbox(organisation, mailbox_id)
    person = _grant(organisation, found, person_id).person
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: mailboxes.revoke(found, person, by=visitor(request))):
        messages.success(request, f"{person.name} can no longer use {found.name}.")
        return redirect("organisation:mailbox", organisation.pk, found.pk)
    context = {
        "form": form,
        "caption": found.name,
        "title": f"Remove {person.name}",
        "text": "They can no longer open the mailbox or write from its address.",
        "button": "Remove",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


@within(Permission.MANAGE_MAILBOXES)
@require_http_methods(["GET", "POST"])
def switch(
    request: HttpRequest, organisation: Organisation, mailbox_id: int
) -> HttpResponse:
    """Suspend the mailbox, or let its mail flow again."""
    found = _mailbox(organisation, mailbox_id)
    return switched(
        request,
        organisation,
        found,
        mailboxes,
        page="mailbox",
        section=SECTION,
        suspending="Nobody can open it, and mail to it is held or refused.",
        resuming="People can open it again, and mail that was held is delivered.",
    )


def _mailbox(organisation: Organisation, mailbox_id: int) -> Mailbox:
    found = organisation.mailboxes.filter(pk=mailbox_id, kind=MailboxKind.GROUP).first()
    if found is None:
        raise Http404
    return found


def _grant(organisation: Organisation, found: Mailbox, person_id: int) -> Grant:
    grant = found.grants.filter(person=person_in(organisation, person_id)).first()
    if grant is None:
        raise Http404
    return grant
