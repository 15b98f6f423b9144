"""Finds accepted messages by what an operator knows of them, over a span of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from engine.incidents import message_keys
from engine.incidents.message_keys import Kind
from engine.incidents.models import KeyIndex, MessageKey
from engine.mail.address import Address, InvalidAddressError
from engine.registry.errors import PolicyError
from engine.routing import routes

# Messages that one search counts, and one withdrawal takes.
MOST = 10_000
LONGEST = timedelta(days=366)
# The most telling first: by it the index is entered, and the others are looked up.
ORDER = (Kind.MESSAGE_ID, Kind.FILE, Kind.SUBJECT, Kind.SENDER)
ERRORS = {
    Kind.FILE: "Enter the SHA-256 of the file: 64 digits and letters a to f.",
    Kind.SENDER: "Enter the whole address of the sender.",
    Kind.SUBJECT: "Enter the whole subject.",
    Kind.MESSAGE_ID: "Enter the Message-ID.",
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to find: keys in hexadecimal for each thing that was typed, and the span."""

    typed: dict[str, str]
    keys: list[list[str]]
    since: datetime
    until: datetime


def criteria(
    typed: Mapping[Kind, str], *, since: datetime, until: datetime
) -> Criteria:
    """Returns what was typed as criteria, of which all must be met. Raises PolicyError."""
    given = {kind: typed[kind].strip() for kind in ORDER if typed.get(kind, "").strip()}
    if not given:
        raise PolicyError("Enter at least one thing to search for.")
    if not since < until:
        raise PolicyError("The last day must not be before the first.")
    if until - since > LONGEST:
        raise PolicyError("Search at most a year.")
    keys = []
    for kind, text in given.items():
        value = message_keys.normal(kind, text)
        if not value:
            raise PolicyError(ERRORS[kind])
        forms = [value, _community_form(value)] if kind is Kind.SENDER else [value]
        found = [key for one in forms for key in message_keys.searched(kind, one)]
        keys.append(list(dict.fromkeys(found)))
    return Criteria(
        {str(kind): text for kind, text in given.items()}, keys, since, until
    )


def find(
    keys: Sequence[Sequence[str]], since: datetime, until: datetime
) -> QuerySet[MessageKey]:
    """Returns a row for each message that has one of each of these keys.

    Order it by `at` and id: the index has that order.
    """
    first, *others = ([bytes.fromhex(key) for key in some] for some in keys)
    rows = MessageKey.objects.filter(at__gte=since, at__lt=until)
    rows = rows.filter(key=first[0]) if len(first) == 1 else rows.filter(key__in=first)
    for other in others:
        same = MessageKey.objects.filter(
            key__in=other, at=OuterRef("at"), reference=OuterRef("reference")
        )
        rows = rows.filter(Exists(same))
    return rows


def count(rows: QuerySet[MessageKey]) -> int:
    """Returns how many messages were found; MOST + 1 for more than MOST."""
    # In the order of the index: without one, PostgreSQL looks through the table for the
    # first MOST of a sender with very many.
    return len(rows.order_by("-at", "-pk").values_list("pk")[: MOST + 1])


def indexed() -> KeyIndex:
    """Returns from when until when accepted messages can be found."""
    return KeyIndex.objects.filter(pk=KeyIndex.ONLY).first() or KeyIndex()


def _community_form(key: str) -> str:
    try:
        return routes.current().domains.to_community(Address.parse(key)).key
    except InvalidAddressError:
        return key
