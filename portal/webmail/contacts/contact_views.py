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
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.contacts import actions, address_book, suggestions
from portal.webmail.contacts.contact_card import Card
from portal.webmail.contacts.forms import ContactForm
from portal.webmail.models import Contact, ContactGroup
from portal.webmail.rendering import parsed_message
from portal.webmail.sidebar import render_with_sidebar


@uses_mail
@require_safe
def contact_list(request: HttpRequest) -> HttpResponse:
    """The person's contacts by name, or those that match what they look for."""
    person = desks_of(request).person
    text = request.GET.get("q", "")[:100].strip()
    after = request.GET.get("after", "")
    context = {
        "q": text,
        "page": address_book.page(person, text, _number(after)),
        "is_continued": bool(after),
        "groups": ContactGroup.objects.filter(person=person),
    }
    return render_with_sidebar(request, "webmail/contacts/contacts.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Write somebody down."""
    person = desks_of(request).person
    posted = request.POST if request.method == "POST" else None
    form = ContactForm(posted, person=person)
    if form.is_valid():
        groups = form.cleaned_data.get("groups", [])
        try:
            contact = actions.add(person, form.card(), groups=groups)
        except PolicyError as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, f"{contact.name} is in your address book.")
            return redirect("webmail:contacts")
    return render_with_sidebar(request, "webmail/contacts/contact.html", {"form": form})


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Change what is written down of somebody."""
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


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Ask, then cross somebody out."""
    contact = _own(request, contact_id)
    if request.method == "POST":
        actions.delete(contact)
        messages.success(request, f"{contact.name} is no longer in your address book.")
        return redirect("webmail:contacts")
    return render_with_sidebar(
        request, "webmail/contacts/contact_delete.html", {"contact": contact}
    )


@uses_mail
@require_POST
def add_sender(request: HttpRequest, message_id: int) -> HttpResponse:
    """Write down who sent a message."""
    desks = desks_of(request)
    _, message = desks.message(message_id)
    for named in parsed_message.read(message).people("From").shown[:1]:
        try:
            actions.add(desks.person, _card(named))
        except PolicyError as error:
            messages.info(request, str(error))
        else:
            messages.success(
                request, f"{named.name or named.address} is in your address book."
            )
    return redirect("webmail:read", message_id=message.pk)


@uses_mail
@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Whom the typed letters may mean, for the script beside the field."""
    person = desks_of(request).person
    found = suggestions.suggest(request.GET.get("q", ""), person=person)
    fields = ("name", "detail", "source", "typed")
    return JsonResponse(
        {"found": [{f: getattr(one, f) for f in fields} for one in found]}
    )


def own_groups(person: Person, group_id: int) -> ContactGroup:
    """A group of the person's. Raises Http404 for anybody else's."""
    return get_object_or_404(ContactGroup, person=person, pk=group_id)


def _own(request: HttpRequest, contact_id: int) -> Contact:
    person = desks_of(request).person
    return get_object_or_404(
        Contact.objects.select_related("person"), person=person, pk=contact_id
    )


def _card(named: NamedAddress) -> Card:
    return Card(
        name=(named.name or str(named.address))[:150], address=str(named.address)
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
