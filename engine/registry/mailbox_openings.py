"""Records who opened a mailbox without being its holder, and lists it for the holder."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from engine.audit import openings
from engine.audit.models import Opening
from engine.registry.models import ApiKey, Mailbox, Person

EVENT = "mailbox.opened"


class OpeningMethod(StrEnum):
    """How a mailbox was opened, in the words that its holder reads."""

    WEBMAIL = "webmail"
    POP3 = "mail program"
    API = "API key"
    BREAK_GLASS = "emergency access"


def note(
    mailbox: Mailbox,
    *,
    by: Person | ApiKey,
    method: OpeningMethod,
    occasion: str = "",
    hidden_until: datetime | None = None,
) -> None:
    """Records that somebody opened a mailbox; its holder is never recorded.

    `occasion` names what is recorded once, such as one approved access; by default the
    day. Until `hidden_until` the holder does not see it, nor their administrators.
    """
    if isinstance(by, Person) and mailbox.owner_id == by.pk:
        return
    openings.note(
        EVENT,
        mailbox,
        by=by,
        method=method,
        organisation_key=mailbox.organisation_id,
        occasion=occasion,
        hidden_until=hidden_until,
    )


def reveal(mailbox: Mailbox, *, occasion: str) -> None:
    """Shows from now on what is hidden of an occasion, to the holder too."""
    openings.reveal(mailbox, occasion=occasion)


def by_others(mailbox: Mailbox, person: Person) -> QuerySet[Opening]:
    """Returns the openings of a mailbox by all but the person who asks."""
    return openings.of(mailbox, but_by=person)


def visible_to(person: Person) -> QuerySet[Mailbox]:
    """Returns the mailboxes whose openings a person sees: their own, and the group
    mailboxes that they may read.
    """
    own = Mailbox.objects.filter(owner=person).order_by().values("pk")
    shared = person.grants.filter(can_read=True).values("mailbox")
    # By their ids: a condition on either would read every mailbox there is.
    return Mailbox.objects.filter(pk__in=own.union(shared, all=True), is_active=True)
