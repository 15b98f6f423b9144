"""The recipients of traced messages, as far as an organisation may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.db.models import Case, Count, F, Min, Value, When

from engine.queue.models import Recipient, RecipientStatus, status_words
from engine.registry.models import Organisation
from engine.routing.routes import Routes
from portal.organisation.mail import trace_visibility

# Recipients of one received message that are looked through for the organisation's own.
RECIPIENTS = 5000
# What the sender took back differs from other drops by its last reply. Of the others each
# server's reply would be a group of its own.
SAID = Case(
    When(status=RecipientStatus.DROPPED, then=F("last_reply")), default=Value("")
)

Recipients = dict[int, tuple[str, Counter[str]]]


def own_domains(organisation: Organisation, known: Routes) -> Callable[[str], bool]:
    """Returns what tells whether a domain is the organisation's, each looked up once."""
    return cache(
        lambda domain: trace_visibility.is_own(f"all@{domain}", organisation, known)
    )


def all_recipients(ids: Iterable[int]) -> Recipients:
    """Returns the first recipient of each message, and all of them by status in words."""
    rows: Any = Recipient.objects.filter(message__in=ids).annotate(said=SAID)
    rows = rows.values("message", "status", "said").order_by()
    found: dict[int, Counter[str]] = {}
    first: dict[int, int] = {}
    for row in rows.annotate(number=Count("pk"), first=Min("pk")):
        pk = row["message"]
        words = status_words(row["status"], row["said"])
        found.setdefault(pk, Counter())[words] += row["number"]
        first[pk] = min(row["first"], first.get(pk, row["first"]))
    addresses = dict(
        Recipient.objects.filter(pk__in=first.values()).values_list(
            "message", "address"
        )
    )
    return {pk: (addresses.get(pk, ""), counts) for pk, counts in found.items()}


def own_recipients(
    ids: Sequence[int], organisation: Organisation, known: Routes
) -> Recipients:
    """Returns the same of the organisation's own recipients alone."""
    rows = Recipient.objects.filter(message__in=ids).order_by("message", "pk")
    found: Recipients = {}
    is_own = own_domains(organisation, known)
    shown: Iterable[tuple[Any, ...]] = rows.values_list(
        "message", "address", "status", "last_reply"
    )[:RECIPIENTS]
    for pk, address, status, said in shown:
        if is_own(address.rpartition("@")[2]):
            counts = found.setdefault(pk, (address, Counter()))[1]
            counts[status_words(status, said)] += 1
    return found
