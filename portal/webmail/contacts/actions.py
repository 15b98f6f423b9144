"""Changes an address book. Not audited: it is a person's own notes."""

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
class ImportResult:
    """How many contacts an import adds, completes and leaves unchanged."""

    added: int
    filled: int
    unchanged: int


@transaction.atomic
def add(
    person: Person, card: Card, *, groups: Collection[ContactGroup] = ()
) -> Contact:
    """Adds a contact. Raises PolicyError if the address is in the address book already."""
    _lock_address_book(person)
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
    """Changes a contact. Raises PolicyError if another contact has the address."""
    _lock_address_book(contact.person)
    _check_address(contact.person, card.address, besides=contact.pk)
    for name, value in _fields(contact.person, card).items():
        setattr(contact, name, value)
    contact.save()
    contact.groups.set(groups)


def delete(contact: Contact) -> None:
    """Deletes a contact."""
    contact.delete()


@transaction.atomic
def add_group(person: Person, *, name: str) -> ContactGroup:
    """Creates a group. Raises PolicyError if the name is taken."""
    _lock_address_book(person)
    _check_group(person, name)
    return ContactGroup.objects.create(person=person, name=name)


@transaction.atomic
def rename_group(group: ContactGroup, *, name: str) -> None:
    """Renames a group. Raises PolicyError if the name is taken."""
    if name != group.name:
        _check_group(group.person, name)
        group.name = name
        group.save(update_fields=["name"])


def delete_group(group: ContactGroup) -> None:
    """Deletes a group; its contacts stay in the address book."""
    group.delete()


@transaction.atomic
def add_to_group(group: ContactGroup, cards: Sequence[Card]) -> int:
    """Adds people to a group, and new ones to the address book; returns how many."""
    contacts, _ = _import(group.person, cards)
    group.contacts.add(*contacts)
    return len(contacts)


@transaction.atomic
def import_cards(person: Person, cards: Sequence[Card]) -> ImportResult:
    """Imports cards: adds new contacts and completes empty fields of known ones.

    Overwrites nothing that the person entered. Idempotent.
    """
    contacts, result = _import(person, cards)
    by_key = {contact.key: contact for contact in contacts}
    groups = _groups(person, {name for card in cards for name in card.groups})
    for name, group in groups.items():
        group.contacts.add(*(by_key[c.key] for c in cards if name in c.groups))
    return result


def preview_import(person: Person, cards: Sequence[Card]) -> ImportResult:
    """Returns what `import_cards` would do."""
    known = _known(person, cards)
    added = {card.key for card in cards} - known.keys()
    filled = {
        c.key for c in cards if c.key in known and _missing_values(known[c.key], c)
    }
    return ImportResult(len(added), len(filled), len(known) - len(filled))


def _lock_address_book(person: Person) -> None:
    """Serialises changes to one address book by locking its owner's row."""
    Person.objects.select_for_update().get(pk=person.pk)


def _import(
    person: Person, cards: Sequence[Card]
) -> tuple[list[Contact], ImportResult]:
    _lock_address_book(person)
    known = _known(person, cards)
    fresh: dict[str, Contact] = {}
    filled: dict[str, Contact] = {}
    for card in cards:
        contact = known.get(card.key) or fresh.get(card.key)
        if contact is None:
            fresh[card.key] = Contact(**_fields(person, card))
        elif _complete(contact, card) and card.key in known:
            filled[card.key] = contact
    if Contact.objects.filter(person=person).count() + len(fresh) > CONTACTS_LIMIT:
        raise PolicyError(f"An address book holds at most {CONTACTS_LIMIT:,} contacts.")
    made = Contact.objects.bulk_create(fresh.values(), batch_size=500)
    for contact in filled.values():
        contact.write_words()
    Contact.objects.bulk_update(filled.values(), (*_FACTS, "words"), batch_size=500)
    unchanged = len(known) - len(filled)
    return [*known.values(), *made], ImportResult(len(made), len(filled), unchanged)


def _known(person: Person, cards: Iterable[Card]) -> dict[str, Contact]:
    keys = list({card.key for card in cards})
    chunks = [keys[at : at + 500] for at in range(0, len(keys), 500)]
    rows = (Contact.objects.filter(person=person, key__in=chunk) for chunk in chunks)
    return {contact.key: contact for found in rows for contact in found}


def _missing_values(contact: Contact, card: Card) -> dict[str, str]:
    """Returns the card's values for fields that are empty in the contact."""
    return {
        name: getattr(card, name)
        for name in _FACTS
        if getattr(card, name) and not getattr(contact, name)
    }


def _complete(contact: Contact, card: Card) -> bool:
    gaps = _missing_values(contact, card)
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
        raise PolicyError(f"You already have a group called {name}.")
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
        raise PolicyError(
            f"{known.name} in your address book already has this address."
        )


def _fields(person: Person, card: Card) -> dict[str, object]:
    return {
        "person": person,
        # An imported name may hold characters that reverse or hide the text beside it.
        "name": lookalike.displayable(card.name) or card.address,
        "address": card.address,
        "key": card.key,
        **{name: getattr(card, name) for name in _FACTS},
    }
