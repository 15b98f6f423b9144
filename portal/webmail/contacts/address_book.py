"""An address book as pages and a page being written on show it."""

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
class BookPage:
    """Some contacts in the order of the alphabet, and where the next ones begin."""

    contacts: list[Contact]
    next: int | None


def page(person: Person, text: str = "", after: int | None = None) -> BookPage:
    """Contacts that match the text, after that one."""
    rows = Contact.objects.filter(person=person).matching(text)
    last = Contact.objects.filter(person=person, pk=after or 0).first()
    if last is not None:
        rows = rows.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
    found = list(rows.order_by("name", "pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return BookPage(shown, shown[-1].pk if len(found) > PAGE_SIZE else None)


def cards(person: Person) -> list[Card]:
    """The whole book, to take away."""
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


def typed(contacts: QuerySet[Contact]) -> str:
    """Contacts as recipients that somebody typed.

    One more than a message can go to, so that nobody is left out without a word.
    """
    found = contacts[: recipient_input.LIMIT + 1]
    return recipient_input.typed(
        NamedAddress(c.name, Address.parse(c.address)) for c in found
    )


def members(group: ContactGroup) -> QuerySet[Contact]:
    return group.contacts.order_by("name", "pk")
