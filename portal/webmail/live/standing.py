"""What a person's event streams depend on, compared while they are open.

It decides nothing: a stream whose person's standing has changed is ended, the browser
connects again, and the guards of the view decide as they do for every page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from engine.registry.models import Grant, Mailbox, Person

Standing = tuple[Any, ...]


def of_people(person_ids: Collection[int]) -> dict[int, Standing]:
    """Returns the standing of each person, with three queries for any number.

    Two that are equal mean that nothing has changed that opens or closes a mailbox to the
    person: the account, its sessions, the organisation, and the rights to mailboxes.
    """
    reach: defaultdict[int, set[tuple[Any, ...]]] = defaultdict(set)
    grants = Grant.objects.filter(person__in=person_ids).values_list(
        "person_id",
        "can_read",
        "mailbox_id",
        "mailbox__is_active",
        "mailbox__organisation__status",
    )
    own = Mailbox.objects.filter(owner__in=person_ids).values_list(
        "owner_id", "pk", "is_active", "organisation__status"
    )
    rows: list[tuple[Any, ...]] = [*grants, *own.order_by()]
    for row in rows:
        reach[row[0]].add(row[1:])
    people = Person.objects.filter(pk__in=person_ids).values_list(
        "pk",
        "is_active",
        "session_generation",
        "mail_shut_at",
        "mail_shut_until",
        "organisation__status",
    )
    return {
        person_id: (*facts, frozenset(reach[person_id]))
        for person_id, *facts in people.order_by()
    }
