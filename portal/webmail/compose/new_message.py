"""Starts a new message."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.registry.models import Person
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.compose import draft_edits, signatures
from portal.webmail.compose.compose_page import new_compose_page
from portal.webmail.compose.compose_request import default_sender
from portal.webmail.contacts import address_book
from portal.webmail.drafts.draft import Draft
from portal.webmail.models import ContactGroup, WritingPreferences
from portal.webmail.request_ids import query_id


@requires_mail
@require_safe
def compose(request: HttpRequest, mailbox_id: int | None = None) -> HttpResponse:
    """Opens the compose page for a new message."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id) if mailbox_id else mailboxes.first()
    if access is None:
        return render(request, "webmail/no_mailbox.html")
    signature = signatures.default_signature(default_sender(mailboxes, access))
    draft = Draft(
        token=uuid4(),
        to=_recipients_from_link(request, mailboxes.person),
        text=signatures.add_signature("", signature),
    )
    if WritingPreferences.objects.of(mailboxes.person).writes_rich_text:
        draft = replace(draft, html=draft_edits.opening(signature))
    return new_compose_page(request, mailboxes, access, draft)


def _recipients_from_link(request: HttpRequest, person: Person) -> str:
    """Returns the recipients that the link names: an address, or a contact group."""
    group_id = query_id(request, "group")
    if group_id is not None:
        found = ContactGroup.objects.filter(person=person, pk=group_id).first()
        return (
            address_book.recipients_text(address_book.members(found)) if found else ""
        )
    return request.GET.get("to", "")[:500]
