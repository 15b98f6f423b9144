"""Reads an address book: by page, as recipients, and as cards to export."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.registry.models import Person
from portal.webmail import recipient_input
from portal.webmail.contacts.contact_card import Card
from portal.webmail.models import Contact, ContactGroup

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of contacts by name; `next` is the id that the next page starts after."""

    contacts: list[Contact]
    next: int | None


def contact_page(
    person: Person, text: str = "", after: int | None = None
) -> ContactPage:
    """Returns the contacts that match the text, after the contact with the id `after`."""
    rows = Contact.objects.filter(person=person).matching(text)
    last = Contact.objects.filter(person=person, pk=after or 0).first()
    if last is not None:
        rows = rows.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
    found = list(rows.order_by("name", "pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return ContactPage(shown, shown[-1].pk if len(found) > PAGE_SIZE else None)


def export_cards(person: Person) -> list[Card]:
    """Returns the whole address book as cards."""
    rows = Contact.objects.filter(person=person).prefetch_related("groups")
    return [
        Card(
            name=contact.name,
            address=contact.address,
            organisation=contact.organisation,
            phone=contact.phone,
            note=contact.note,
            groups=tuple(group.name for group in contact.groups.all()),
        )
        for contact in rows
    ]


def recipients_text(contacts: QuerySet[Contact]) -> str:
    """Formats contacts as a recipients field.

    Includes one more than a message may have, so that sending to an oversized group is
    refused instead of silently omitting people.
    """
    found = contacts[: recipient_input.LIMIT + 1]
    return recipient_input.format_recipients(
        NamedAddress(c.name, Address.parse(c.address)) for c in found
    )


def members(group: ContactGroup) -> QuerySet[Contact]:
    """Returns the contacts of a group by name."""
    return group.contacts.order_by("name", "pk")
