"""Group mailboxes, and each person's rights to them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import mailboxes
from engine.registry.models import Grant, Mailbox, MailboxKind, Organisation, Person
from engine.registry.permissions import Permission
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import get_person, organisation_view, render_section
from portal.organisation.mail.mailbox_forms import (
    RIGHTS,
    MailboxForm,
    NewMailboxForm,
    NewRightsForm,
    RightsForm,
)
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import post_data
from portal.ui.pagination import count_of, paginate
from portal.ui.suspension import suspension
from portal.ui.visitor import signed_in_person

SECTION = "mailboxes"
MAILBOXES = organisation_view(Permission.MANAGE_MAILBOXES)
COLLEAGUES = 300  # suggested while an address is typed


@MAILBOXES
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's group mailboxes."""
    groups = organisation.mailboxes.filter(kind=MailboxKind.GROUP)
    people = count_of(Grant.objects.all(), "mailbox")
    rows = groups.annotate(people_count=people)
    context = {"page": paginate(request, rows, by="name")}
    return render_section(request, organisation, "mailboxes", SECTION, context)


@MAILBOXES
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Adds a group mailbox."""
    form = NewMailboxForm(post_data(request), organisation=organisation)
    added: list[Mailbox] = []

    def run() -> None:
        added.append(
            mailboxes.add_group(
                organisation, by=signed_in_person(request), **form.cleaned_data
            )
        )

    if form.submit(run, field="address"):
        messages.success(
            request, f"{added[0].name} is ready. Add the people who use it."
        )
        return redirect(_url(added[0]))
    return render_section(request, organisation, "mailbox_add", SECTION, {"form": form})


@MAILBOXES
@require_http_methods(["GET", "POST"])
def mailbox(
    request: HttpRequest, organisation: Organisation, mailbox_id: int
) -> HttpResponse:
    """One mailbox, its people, and the form to add another."""
    found = _find(organisation, mailbox_id)
    form = NewRightsForm(post_data(request), organisation=organisation)
    if form.submit(
        lambda: mailboxes.grant(
            found,
            form.cleaned_data["address"],
            by=signed_in_person(request),
            **form.flags,
        )
    ):
        name = form.cleaned_data["address"].name
        messages.success(request, f"{name} can now use {found.name}.")
        return redirect(_url(found))
    grants = found.grants.select_related("person").order_by("person__name", "pk")
    others = organisation.people.filter(is_active=True).exclude(grants__mailbox=found)
    context = {
        "mailbox": found,
        "form": form,
        "grants": grants,
        "colleagues": others.values_list("address", "name")[:COLLEAGUES],
    }
    return render_section(request, organisation, "mailbox", SECTION, context)


@MAILBOXES
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, mailbox_id: int
) -> HttpResponse:
    """Changes a mailbox's name and visibility."""
    found = _find(organisation, mailbox_id)
    form = MailboxForm(post_data(request), initial=MailboxForm.initial_of(found))
    if form.submit(
        lambda: mailboxes.edit(found, by=signed_in_person(request), **form.cleaned_data)
    ):
        messages.success(request, f"{found.name} has been saved.")
        return redirect(_url(found))
    context = {"mailbox": found, "form": form}
    return render_section(request, organisation, "mailbox_edit", SECTION, context)


@MAILBOXES
@require_http_methods(["GET", "POST"])
def rights(
    request: HttpRequest, organisation: Organisation, mailbox_id: int, person_id: int
) -> HttpResponse:
    """Change what one person may do with the mailbox."""
    found = _find(organisation, mailbox_id)
    grant = _find_grant(organisation, mailbox_id, person_id)
    held = [right for right in RIGHTS if getattr(grant, f"can_{right}")]
    form = RightsForm(post_data(request), initial={"rights": held})
    if form.submit(
        lambda: mailboxes.grant(
            found, grant.person, by=signed_in_person(request), **form.flags
        )
    ):
        messages.success(request, f"The rights of {grant.person.name} are saved.")
        return redirect(_url(found))
    context = {"mailbox": found, "grant": grant, "form": form}
    return render_section(request, organisation, "mailbox_rights", SECTION, context)


def _find(organisation: Organisation, mailbox_id: int) -> Mailbox:
    found = organisation.mailboxes.filter(pk=mailbox_id, kind=MailboxKind.GROUP).first()
    if found is None:
        raise Http404
    return found


def _find_grant(organisation: Organisation, mailbox_id: int, person_id: int) -> Grant:
    mailbox = _find(organisation, mailbox_id)
    person = get_person(organisation, person_id)
    grant = mailbox.grants.filter(person=person).first()
    if grant is None:
        raise Http404
    return grant


def _url(mailbox: Mailbox) -> str:
    return reverse("organisation:mailbox", args=[mailbox.organisation_id, mailbox.pk])


def _describe_removal(grant: Grant, by: Person) -> Confirmation:
    person, mailbox = grant.person, grant.mailbox
    return Confirmation(
        title=f"Remove {person.name}",
        text="They can no longer open the mailbox or write from its address.",
        button="Remove",
        done=f"{person.name} can no longer use {mailbox.name}.",
        caption=mailbox.name,
        is_warning=True,
    )


def _revoke(grant: Grant, *, by: Person) -> None:
    mailboxes.revoke(grant.mailbox, grant.person, by=by)


revoke = confirmed_view(
    MAILBOXES,
    SECTION,
    _find_grant,
    ConfirmedAction(_describe_removal, _revoke),
    back=lambda grant, by: _url(grant.mailbox),
)
switch = confirmed_view(
    MAILBOXES,
    SECTION,
    _find,
    suspension(
        mailboxes,
        suspend_text="It cannot be opened, and mail to it is held or refused.",
        resume_text="It can be opened again, and mail that was held is delivered.",
    ),
    back=lambda mailbox, by: _url(mailbox),
)
