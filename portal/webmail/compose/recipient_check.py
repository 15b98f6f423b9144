"""The recipients of a message being written, each with who it is."""

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
from portal.webmail.access import Desk
from portal.webmail.drafts.draft import TYPED, Draft
from portal.webmail.rendering import parsed_message

# Recipients that are looked at while somebody writes.
LIMIT = recipient_input.LIMIT

# People whose name is looked up for others who have it too.
NAMES_LIMIT = 10

# Characters of a name that is repeated in a warning, and of what somebody says who is
# away.
NAME_LIMIT = 60
AWAY_LIMIT = 200

WORDS = {
    RecipientKind.PERSON: "",
    RecipientKind.GROUP: "Group mailbox",
    RecipientKind.LIST: "Distribution list",
    RecipientKind.SERVER: "On the organisation's own mail server",
    RecipientKind.REFUSED: "Cannot be sent",
}


@dataclass(frozen=True, slots=True)
class Addressed:
    """One recipient as the page shows it."""

    field: str
    typed_name: str
    facts: RecipientFacts
    is_new: bool = False
    is_twice: bool = False
    away: str = ""
    """The answer that the mailbox sends while its holder is away."""
    namesakes: tuple[str, ...] = ()
    """Organisations in which others of the same name are."""

    @property
    def name(self) -> str:
        """The directory's name, else the typed one."""
        return self.facts.name or self.typed_name or str(self.facts.address)

    @property
    def what(self) -> str:
        """What stands behind the address, in a few words."""
        members = self.facts.members
        if members is None:
            return WORDS[self.facts.kind]
        return f"Distribution list, {members} member{'' if members == 1 else 's'}"

    @property
    def warnings(self) -> list[str]:
        """What to look at twice."""
        found = []
        if self.facts.is_refused:
            found.append(recipient_input.unbracketed(self.facts.refusal))
        if self.is_new:
            found.append("Not in this conversation so far")
        if self.is_twice:
            found.append("Named more than once: the message goes there once")
        if self.away:
            found.append(f"Away: {self.away}")
        if self.namesakes:
            where = ", ".join(self.namesakes)
            found.append(f"There is another {self.facts.name}: {where}")
        if self._is_other_name:
            typed = Truncator(self.typed_name).chars(NAME_LIMIT)
            found.append(f"You wrote {typed}, the directory says {self.facts.name}")
        return found

    @property
    def _is_other_name(self) -> bool:
        typed, known = (
            set(lookalike.words(n)) for n in (self.typed_name, self.facts.name)
        )
        # "Bob" and "Bob Hale, Northfield" are the same; a namesake's other half is not.
        return bool(typed and known) and not (typed <= known or known <= typed)


def look_at(
    draft: Draft, *, viewer: Person, sender: Address, desk: Desk
) -> list[Addressed]:
    """The recipients of the draft, in the order of its fields."""
    named = [
        (field, one)
        for field in TYPED
        for one in recipient_input.read(getattr(draft, field)).recipients
    ][:LIMIT]
    if not named:
        return []
    facts = registry.about_all(
        [one.address for _, one in named], viewer=viewer, sender=sender
    )
    before = _conversation(draft, desk)
    namesakes = _namesakes(facts, viewer)
    away = _away(facts)
    times = Counter(one.address.key for _, one in named)
    return [
        Addressed(
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


def _away(facts: Sequence[RecipientFacts]) -> dict[int | None, str]:
    """By mailbox, what an answer would say now, cut to a line or two."""
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
    """By address, where else somebody of the same name is; of the first few people."""
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


def _conversation(draft: Draft, desk: Desk) -> set[str] | None:
    """Who took part in what the draft answers; None where it answers nothing known."""
    if not draft.in_reply_to:
        return None
    answered = (
        Message.objects.filter(mailbox=desk.mailbox, message_id=draft.in_reply_to)
        .select_related("content")
        .first()
    )
    if answered is None:
        return None
    opened = parsed_message.read(answered)
    fields = ("From", "Reply-To", "To", "Cc", "Bcc")
    people = {n.address.key for f in fields for n in opened.everybody(f)}
    return people | {Address.parse(desk.mailbox.address).key}
