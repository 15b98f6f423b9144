"""Checks the recipients of a message: who each one is, and what to look at twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.text import Truncator

from engine.mail import lookalike
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.queue.preflight.conversation import Conversation
from engine.registry import directory
from engine.registry.directory.visibility import Viewer, visibility_of
from engine.registry.models import ApiKey, Person
from engine.routing import recipients as registry
from engine.routing.recipients import RecipientFacts, RecipientKind
from engine.storage.models import OutOfOffice

# People whose namesakes are searched: each costs a directory query.
NAMES_LIMIT = 10

# Characters shown of a typed name and of an automatic reply.
NAME_LIMIT = 60
AWAY_LIMIT = 200

KIND_LABELS = {
    RecipientKind.PERSON: "",
    RecipientKind.GROUP: "Group mailbox",
    RecipientKind.LIST: "Distribution list",
    RecipientKind.SERVER: "On the organisation's own mail server",
    RecipientKind.REFUSED: "Cannot be sent",
}
_BRACKETED = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class CheckedRecipient:
    """One recipient as a sender is shown it, in the field `field`."""

    field: str
    typed_name: str
    facts: RecipientFacts
    is_new: bool = False
    is_from_elsewhere: bool = False
    """True for an organisation that has no part in the conversation so far."""
    is_twice: bool = False
    is_full: bool = False
    away: str = ""
    """The automatic reply that the mailbox sends now."""
    namesakes: tuple[tuple[str, str], ...] = ()
    """Organisation and address of other people with the same name."""

    @property
    def name(self) -> str:
        """The name in the directory, else the typed one, else the address."""
        return self.facts.name or self.typed_name or str(self.facts.address)

    @property
    def kind_label(self) -> str:
        """What kind of recipient the address is, unless it is a person."""
        members = self.facts.members
        if members is None:
            return KIND_LABELS[self.facts.kind]
        return f"Distribution list, {members} member{'' if members == 1 else 's'}"

    @property
    def warnings(self) -> list[str]:
        """Warnings about this recipient, each one sentence."""
        found = []
        if self.facts.is_refused:
            found.append(without_brackets(self.facts.refusal))
        if self.is_new:
            found.append("Not in this conversation so far")
        if self.is_twice:
            found.append("Listed more than once: one copy is sent")
        if self.is_full:
            found.append("The mailbox is full: the message waits until there is room")
        if self.away:
            found.append(f"Away: {self.away}")
        if self.namesakes:
            found.append(self.namesakes_sentence)
        if self.is_other_name:
            found.append(self.other_name_sentence)
        return found

    @property
    def namesakes_sentence(self) -> str:
        """Where the others are who have the same name."""
        where = ", ".join(dict.fromkeys(place for place, _ in self.namesakes))
        return f"Another {self.facts.name} is at {where}"

    @property
    def other_name_sentence(self) -> str:
        """Says that the typed name is not the one in the directory."""
        typed = Truncator(self.typed_name).chars(NAME_LIMIT)
        return f"You wrote {typed}, the directory says {self.facts.name}"

    @property
    def is_other_name(self) -> bool:
        """True if no word order makes the typed name the one in the directory."""
        typed, known = (
            set(lookalike.word_skeletons(n)) for n in (self.typed_name, self.facts.name)
        )
        # "Bob" matches "Bob Hale, Northfield": one name's words contain the other's.
        return bool(typed and known) and not (typed <= known or known <= typed)


def without_brackets(text: str) -> str:
    """Removes the angle brackets round addresses."""
    return _BRACKETED.sub(r"\1", text)


def check_recipients(
    named: Sequence[tuple[str, NamedAddress]],
    *,
    viewer: Viewer,
    sender: Address,
    conversation: Conversation | None,
) -> list[CheckedRecipient]:
    """Checks pairs of a field's name and a recipient, in their order.

    Shows no more than `viewer` may see: `conversation` is the message that is answered.
    """
    if not named:
        return []
    facts = _visible_facts(named, viewer, sender)
    namesakes = _namesakes(facts, viewer)
    away = _automatic_replies(facts)
    times = Counter(one.address.key for _, one in named)
    return [
        CheckedRecipient(
            field=field.title(),
            typed_name=one.name,
            facts=fact,
            is_new=_is_new(fact, conversation),
            is_from_elsewhere=_is_from_elsewhere(fact, conversation),
            is_twice=times[one.address.key] > 1,
            is_full=bool(fact.name) and fact.is_full,
            away=away.get(fact.mailbox_id, ""),
            namesakes=namesakes.get(fact.address.key, ()),
        )
        for (field, one), fact in zip(named, facts, strict=True)
    ]


def _visible_facts(
    named: Sequence[tuple[str, NamedAddress]], viewer: Viewer, sender: Address
) -> list[RecipientFacts]:
    """Returns the facts, without the directory's names for a key that may not search it."""
    person = viewer if isinstance(viewer, Person) else None
    addresses = [one.address for _, one in named]
    facts = registry.about_all(addresses, viewer=person, sender=sender)
    if isinstance(viewer, ApiKey) and not visibility_of(viewer).may_search:
        return [replace(one, name="", job_title="", members=None) for one in facts]
    return facts


def _is_new(facts: RecipientFacts, conversation: Conversation | None) -> bool:
    if conversation is None or facts.is_refused:
        return False
    return facts.address.key not in conversation.people


def _is_from_elsewhere(
    facts: RecipientFacts, conversation: Conversation | None
) -> bool:
    if not _is_new(facts, conversation) or not facts.organisation:
        return False
    return conversation is None or facts.organisation not in conversation.organisations


def _automatic_replies(facts: Sequence[RecipientFacts]) -> Mapping[int | None, str]:
    """Returns the current automatic reply by mailbox, of those that the sender may see."""
    ids = {one.mailbox_id for one in facts if one.mailbox_id is not None and one.name}
    if not ids:
        return {}
    now = OutOfOffice.objects.on_at(timezone.now()).filter(mailbox__in=ids)
    return {
        mailbox_id: " ".join(text.split())[:AWAY_LIMIT]
        for mailbox_id, text in now.values_list("mailbox_id", "text")
    }


def _namesakes(
    facts: Sequence[RecipientFacts], viewer: Viewer
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns, by address, the organisations and addresses of others of the same name."""
    people = [f for f in facts if f.kind == RecipientKind.PERSON and f.name]
    found = {}
    for one in people[:NAMES_LIMIT]:
        listed = directory.suggest(one.name, viewer=viewer, limit=5)
        found[one.address.key] = tuple(
            (entry.organisation, entry.address)
            for entry in listed
            if entry.name.casefold() == one.name.casefold()
            and entry.address.casefold() != str(one.address).casefold()
        )
    return found
