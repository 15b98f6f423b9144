"""What a person does with their address book. Not audited: their own notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.webmail.contacts.contact_card import Card
from portal.webmail.models import Contact, ContactGroup

# Contacts and groups that one person may have.
CONTACTS_LIMIT = 10_000
GROUPS_LIMIT = 200

_FACTS = ("organisation", "phone", "note")


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import does: contacts made, those that learn something, and the rest."""

    added: int
    filled: int
    unchanged: int


@transaction.atomic
def add(
    person: Person, card: Card, *, groups: Collection[ContactGroup] = ()
) -> Contact:
    """Write somebody down. Raises PolicyError where they are in the book already."""
    _take_turn(person)
    _check_address(person, card.address)
    if Contact.objects.filter(person=person).count() >= CONTACTS_LIMIT:
        raise PolicyError(f"An address book holds at most {CONTACTS_LIMIT:,} contacts.")
    contact = Contact.objects.create(**_fields(person, card))
    contact.groups.set(groups)
    return contact


@transaction.atomic
def edit(
    contact: Contact, card: Card, *, groups: Collection[ContactGroup] = ()
) -> None:
    """Change what is written down. Raises PolicyError where another has the address."""
    _take_turn(contact.person)
    _check_address(contact.person, card.address, besides=contact.pk)
    for name, value in _fields(contact.person, card).items():
        setattr(contact, name, value)
    contact.save()
    contact.groups.set(groups)


def delete(contact: Contact) -> None:
    """Cross somebody out."""
    contact.delete()


@transaction.atomic
def add_group(person: Person, *, name: str) -> ContactGroup:
    """Begin a group. Raises PolicyError where there is one of that name."""
    _take_turn(person)
    _check_group(person, name)
    return ContactGroup.objects.create(person=person, name=name)


@transaction.atomic
def rename_group(group: ContactGroup, *, name: str) -> None:
    """Raises PolicyError where there is another of that name."""
    if name != group.name:
        _check_group(group.person, name)
        group.name = name
        group.save(update_fields=["name"])


def delete_group(group: ContactGroup) -> None:
    """End a group; its contacts stay in the book."""
    group.delete()


@transaction.atomic
def add_to_group(group: ContactGroup, cards: Sequence[Card]) -> int:
    """Put people into a group, and into the book where they are new; how many."""
    contacts, _ = _merge(group.person, cards)
    group.contacts.add(*contacts)
    return len(contacts)


@transaction.atomic
def merge(person: Person, cards: Sequence[Card]) -> Merged:
    """Import: who is new is added, who is known learns only what was not known.

    Nothing that the person wrote is overwritten. Doing it again changes nothing.
    """
    contacts, merged = _merge(person, cards)
    by_key = {contact.key: contact for contact in contacts}
    groups = _groups(person, {name for card in cards for name in card.groups})
    for name, group in groups.items():
        group.contacts.add(*(by_key[c.key] for c in cards if name in c.groups))
    return merged


def foreseen(person: Person, cards: Sequence[Card]) -> Merged:
    """What `merge` would do."""
    known = _known(person, cards)
    added = {card.key for card in cards} - known.keys()
    filled = {c.key for c in cards if c.key in known and _gaps(known[c.key], c)}
    return Merged(len(added), len(filled), len(known) - len(filled))


def _take_turn(person: Person) -> None:
    """Let one window change the book at a time."""
    Person.objects.select_for_update().get(pk=person.pk)


def _merge(person: Person, cards: Sequence[Card]) -> tuple[list[Contact], Merged]:
    _take_turn(person)
    known = _known(person, cards)
    fresh: dict[str, Contact] = {}
    filled: dict[str, Contact] = {}
    for card in cards:
        contact = known.get(card.key) or fresh.get(card.key)
        if contact is None:
            fresh[card.key] = Contact(**_fields(person, card))
        elif _fill(contact, card) and card.key in known:
            filled[card.key] = contact
    if Contact.objects.filter(person=person).count() + len(fresh) > CONTACTS_LIMIT:
        raise PolicyError(f"An address book holds at most {CONTACTS_LIMIT:,} contacts.")
    made = Contact.objects.bulk_create(fresh.values(), batch_size=500)
    Contact.objects.bulk_update(filled.values(), _FACTS, batch_size=500)
    unchanged = len(known) - len(filled)
    return [*known.values(), *made], Merged(len(made), len(filled), unchanged)


def _known(person: Person, cards: Iterable[Card]) -> dict[str, Contact]:
    keys = list({card.key for card in cards})
    chunks = [keys[at : at + 500] for at in range(0, len(keys), 500)]
    rows = (Contact.objects.filter(person=person, key__in=chunk) for chunk in chunks)
    return {contact.key: contact for found in rows for contact in found}


def _gaps(contact: Contact, card: Card) -> dict[str, str]:
    """What the card knows and the contact does not."""
    return {
        name: getattr(card, name)
        for name in _FACTS
        if getattr(card, name) and not getattr(contact, name)
    }


def _fill(contact: Contact, card: Card) -> bool:
    gaps = _gaps(contact, card)
    for name, value in gaps.items():
        setattr(contact, name, value)
    return bool(gaps)


def _groups(person: Person, names: Collection[str]) -> dict[str, ContactGroup]:
    found = {g.name: g for g in ContactGroup.objects.filter(person=person)}
    if len(found.keys() | names) > GROUPS_LIMIT:
        raise PolicyError(f"An address book holds at most {GROUPS_LIMIT} groups.")
    for name in sorted(names - found.keys()):
        found[name] = ContactGroup.objects.create(person=person, name=name)
    return {name: found[name] for name in names}


def _check_group(person: Person, name: str) -> None:
    groups = ContactGroup.objects.filter(person=person)
    if groups.filter(name=name).exists():
        raise PolicyError(f"You have a group called {name} already.")
    if groups.count() >= GROUPS_LIMIT:
        raise PolicyError(f"An address book holds at most {GROUPS_LIMIT} groups.")


def _check_address(person: Person, text: str, besides: int | None = None) -> None:
    try:
        key = Address.parse(text).key
    except InvalidAddressError as error:
        raise PolicyError(
            f"{text} is not an address. Write one like name@court.example"
        ) from error
    known = (
        Contact.objects.filter(person=person, key=key).exclude(pk=besides or 0).first()
    )
    if known is not None:
        raise PolicyError(f"{known.name} has this address in your book already.")


def _fields(person: Person, card: Card) -> dict[str, object]:
    return {
        "person": person,
        # Out of somebody else's file it may hide, turn or cover what stands beside it.
        "name": lookalike.shown(card.name) or card.address,
        "address": card.address,
        "key": card.key,
        **{name: getattr(card, name) for name in _FACTS},
    }
