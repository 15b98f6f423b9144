"""The recipients of traced messages, as far as an organisation may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, Count, F, Min, Q, Value, When

from engine.database.id_in import IdIn
from engine.queue.models import WORDS_OF_REPLY, Recipient, status_words

# Only the replies that say more than the status: each server's would be a group of its own.
SAID = Case(
    *(
        When(status=status, last_reply__in=replies, then=F("last_reply"))
        for status, replies in WORDS_OF_REPLY.items()
    ),
    default=Value(""),
)

Recipients = dict[int, tuple[str, Counter[str]]]


def seen(
    sent: Iterable[int], received: Iterable[int], domains: Iterable[str]
) -> Recipients:
    """Returns the first recipient of each message, and how many have each status.

    All recipients of the messages that the organisation sent, and those in its own
    domains of the ones that it received. A message without any is left out.
    """
    own = reduce(or_, (Q(address__endswith=f"@{one}") for one in domains), Q(pk=None))
    visible = Q(IdIn("message_id", sent)) | (Q(IdIn("message_id", received)) & own)
    rows: Any = Recipient.objects.filter(visible).annotate(said=SAID)
    rows = rows.values("message", "status", "said").order_by()
    found: dict[int, Counter[str]] = {}
    first: dict[int, int] = {}
    for row in rows.annotate(number=Count("pk"), first=Min("pk")):
        pk = row["message"]
        words = status_words(row["status"], row["said"])
        found.setdefault(pk, Counter())[words] += row["number"]
        first[pk] = min(row["first"], first.get(pk, row["first"]))
    addresses = dict(
        Recipient.objects.filter(IdIn("pk", first.values())).values_list(
            "message", "address"
        )
    )
    return {pk: (addresses.get(pk, ""), counts) for pk, counts in found.items()}
