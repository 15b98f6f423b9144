"""Checks the recipients of a draft: who each one is, and what to look at twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.text import Truncator

from engine.mail import lookalike
from engine.mail.address import Address
from engine.registry import directory
from engine.registry.models import Person
from engine.routing import recipients as registry
from engine.routing.recipients import RecipientFacts, RecipientKind
from engine.storage.models import Message, OutOfOffice
from portal.webmail import recipient_input
from portal.webmail.access import MailboxAccess
from portal.webmail.drafts.draft import RECIPIENT_FIELDS, Draft
from portal.webmail.rendering import parsed_message

# Recipients that are checked while the message is written.
LIMIT = recipient_input.LIMIT

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


@dataclass(frozen=True, slots=True)
class CheckedRecipient:
    """One recipient as the compose page shows it."""

    field: str
    typed_name: str
    facts: RecipientFacts
    is_new: bool = False
    is_twice: bool = False
    away: str = ""
    """The automatic reply that the mailbox sends now."""
    namesakes: tuple[str, ...] = ()
    """Organisations of other people with the same name."""

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
            found.append(recipient_input.strip_brackets(self.facts.refusal))
        if self.is_new:
            found.append("Not in this conversation so far")
        if self.is_twice:
            found.append("Listed more than once: one copy is sent")
        if self.away:
            found.append(f"Away: {self.away}")
        if self.namesakes:
            where = ", ".join(self.namesakes)
            found.append(f"Another {self.facts.name} is at {where}")
        if self._is_other_name:
            typed = Truncator(self.typed_name).chars(NAME_LIMIT)
            found.append(f"You wrote {typed}, the directory says {self.facts.name}")
        return found

    @property
    def _is_other_name(self) -> bool:
        typed, known = (
            set(lookalike.word_skeletons(n)) for n in (self.typed_name, self.facts.name)
        )
        # "Bob" matches "Bob Hale, Northfield": one name's words contain the other's.
        return bool(typed and known) and not (typed <= known or known <= typed)


def check_recipients(
    draft: Draft, *, viewer: Person, sender: Address, access: MailboxAccess
) -> list[CheckedRecipient]:
    """Returns the draft's recipients, at most LIMIT, in the order of its fields."""
    named = [
        (field, one)
        for field in RECIPIENT_FIELDS
        for one in recipient_input.parse_recipients(getattr(draft, field)).recipients
    ][:LIMIT]
    if not named:
        return []
    facts = registry.about_all(
        [one.address for _, one in named], viewer=viewer, sender=sender
    )
    before = _conversation(draft, access)
    namesakes = _namesakes(facts, viewer)
    away = _automatic_replies(facts)
    times = Counter(one.address.key for _, one in named)
    return [
        CheckedRecipient(
            field=field.title(),
            typed_name=one.name,
            facts=fact,
            is_new=before is not None
            and one.address.key not in before
            and not fact.is_refused,
            is_twice=times[one.address.key] > 1,
            away=away.get(fact.mailbox_id, ""),
            namesakes=namesakes.get(fact.address.key, ()),
        )
        for (field, one), fact in zip(named, facts, strict=True)
    ]


def _automatic_replies(facts: Sequence[RecipientFacts]) -> dict[int | None, str]:
    """Returns the current automatic reply of each mailbox, by id, shortened."""
    ids = {one.mailbox_id for one in facts if one.mailbox_id is not None}
    if not ids:
        return {}
    now = OutOfOffice.objects.on_at(timezone.now()).filter(mailbox__in=ids)
    return {
        mailbox_id: " ".join(text.split())[:AWAY_LIMIT]
        for mailbox_id, text in now.values_list("mailbox_id", "text")
    }


def _namesakes(
    facts: Sequence[RecipientFacts], viewer: Person
) -> dict[str, tuple[str, ...]]:
    """Returns, by address, the organisations of others with the same name."""
    people = [f for f in facts if f.kind == RecipientKind.PERSON and f.name]
    found = {}
    for one in people[:NAMES_LIMIT]:
        listed = directory.suggest(one.name, viewer=viewer, limit=5)
        found[one.address.key] = tuple(
            dict.fromkeys(
                entry.organisation
                for entry in listed
                if entry.name.casefold() == one.name.casefold()
                and entry.address.casefold() != str(one.address).casefold()
            )
        )
    return found


def _conversation(draft: Draft, access: MailboxAccess) -> set[str] | None:
    """Returns the keys of the participants in the answered message.

    None if the draft is no reply, or the message is not in this mailbox.
    """
    if not draft.in_reply_to:
        return None
    answered = (
        Message.objects.filter(mailbox=access.mailbox, message_id=draft.in_reply_to)
        .select_related("content", "mailbox")
        .first()
    )
    if answered is None:
        return None
    parsed = parsed_message.parse_stored(answered)
    fields = ("From", "Reply-To", "To", "Cc", "Bcc")
    people = {n.address.key for f in fields for n in parsed.all_addresses(f)}
    return people | {Address.parse(access.mailbox.address).key}
