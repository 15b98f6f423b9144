"""Pages of contacts: list, add, edit, delete."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.mail.address_list import NamedAddress
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.contacts import actions, address_book, suggestions
from portal.webmail.contacts.contact_card import Card
from portal.webmail.contacts.forms import ContactForm
from portal.webmail.models import Contact, ContactGroup
from portal.webmail.rendering import parsed_message
from portal.webmail.request_ids import query_id
from portal.webmail.sidebar import render_with_sidebar


@requires_mail
@require_safe
def contact_list(request: HttpRequest) -> HttpResponse:
    """Lists the person's contacts, or those that match a search."""
    person = accessible_mailboxes(request).person
    text = request.GET.get("q", "")[:100].strip()
    context = {
        "q": text,
        "page": address_book.contact_page(person, text, query_id(request, "after")),
        "is_continued": bool(request.GET.get("after")),
        "groups": ContactGroup.objects.filter(person=person),
    }
    return render_with_sidebar(request, "webmail/contacts/contacts.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Adds a contact."""
    person = accessible_mailboxes(request).person
    posted = request.POST if request.method == "POST" else None
    form = ContactForm(posted, person=person)
    if form.is_valid():
        groups = form.cleaned_data.get("groups", [])
        try:
            contact = actions.add(person, form.card(), groups=groups)
        except PolicyError as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, f"{contact.name} was added to your address book.")
            return redirect("webmail:contacts")
    return render_with_sidebar(request, "webmail/contacts/contact.html", {"form": form})


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Changes a contact."""
    contact = _own(request, contact_id)
    form = ContactForm.of(contact)
    if request.method == "POST":
        form = ContactForm(request.POST, person=contact.person)
        if form.is_valid():
            groups = form.cleaned_data.get("groups", [])
            try:
                actions.edit(contact, form.card(), groups=groups)
            except PolicyError as error:
                form.add_error("address", str(error))
            else:
                messages.success(request, "Contact saved.")
                return redirect("webmail:contacts")
    return render_with_sidebar(
        request, "webmail/contacts/contact.html", {"form": form, "contact": contact}
    )


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Deletes a contact after confirmation."""
    contact = _own(request, contact_id)
    if request.method == "POST":
        actions.delete(contact)
        messages.success(request, f"{contact.name} was removed from your address book.")
        return redirect("webmail:contacts")
    return render_with_sidebar(
        request, "webmail/contacts/contact_delete.html", {"contact": contact}
    )


@requires_mail
@require_POST
def add_sender(request: HttpRequest, message_id: int) -> HttpResponse:
    """Adds the sender of a message to the address book."""
    mailboxes = accessible_mailboxes(request)
    _, message = mailboxes.message(message_id)
    for named in parsed_message.parse_stored(message).address_field("From").shown[:1]:
        try:
            actions.add(mailboxes.person, _card(named))
        except PolicyError as error:
            messages.info(request, str(error))
        else:
            messages.success(
                request,
                f"{named.name or named.address} was added to your address book.",
            )
    return redirect("webmail:read", message_id=message.pk)


@requires_mail
@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Returns recipient suggestions as JSON for the compose page's script."""
    person = accessible_mailboxes(request).person
    found = suggestions.suggest(request.GET.get("q", ""), person=person)
    fields = ("name", "detail", "source", "typed")
    return JsonResponse(
        {"found": [{f: getattr(one, f) for f in fields} for one in found]}
    )


def own_group(person: Person, group_id: int) -> ContactGroup:
    """Returns the person's group. Raises Http404 for any other."""
    return get_object_or_404(ContactGroup, person=person, pk=group_id)


def _own(request: HttpRequest, contact_id: int) -> Contact:
    person = accessible_mailboxes(request).person
    return get_object_or_404(
        Contact.objects.select_related("person"), person=person, pk=contact_id
    )


def _card(named: NamedAddress) -> Card:
    return Card(
        name=(named.name or str(named.address))[:150], address=str(named.address)
    )
