"""Senders whose rates are limited: people, connections, API keys and lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.models import QuerySet

from engine.registry.models import (
    ApiKey,
    Connection,
    DistributionList,
    Organisation,
    Person,
    SenderKind,
)

Found: TypeAlias = Person | Connection | ApiKey | DistributionList | Organisation
ROWS: dict[SenderKind, type[Found]] = {
    SenderKind.PERSON: Person,
    SenderKind.CONNECTION: Connection,
    SenderKind.KEY: ApiKey,
    SenderKind.LIST: DistributionList,
    SenderKind.ORGANISATION: Organisation,
}

# Shown with the name of their organisation, which is another row.
_WITH_ORGANISATION = (SenderKind.CONNECTION,)


@dataclass(frozen=True, slots=True)
class Sender:
    """A person, connection, key or list, and the organisation that it belongs to."""

    kind: SenderKind
    id: int
    organisation_id: int | None

    def __str__(self) -> str:
        """The key under which rates are counted, such as `person:7`."""
        return f"{self.kind.value}:{self.id}"


def of(
    organisation_id: int | None,
    *,
    person_id: int | None = None,
    connection_id: int | None = None,
    key_id: int | None = None,
) -> list[Sender]:
    """Returns the senders for whose rates a message counts; at most one id is given."""
    named = (
        (SenderKind.PERSON, person_id),
        (SenderKind.CONNECTION, connection_id),
        (SenderKind.KEY, key_id),
    )
    return [
        Sender(kind, row_id, organisation_id)
        for kind, row_id in named
        if row_id is not None
    ]


def rows(kind: SenderKind) -> QuerySet[Any]:
    """Returns the rows of all senders of a kind, ready to be shown by name."""
    found: QuerySet[Any] = ROWS[kind]._default_manager.order_by()
    return found.select_related("organisation") if kind in _WITH_ORGANISATION else found


def named(text: str) -> tuple[SenderKind, int] | None:
    """Returns kind and id of the sender with this address, domain, user name or client id."""
    key = text.strip().casefold()
    candidates: list[tuple[SenderKind, QuerySet[Any]]] = [
        (SenderKind.PERSON, Person.objects.filter(address=key)),
        (SenderKind.LIST, DistributionList.objects.filter(address=key)),
        (SenderKind.CONNECTION, Connection.objects.filter(credentials__username=key)),
        (SenderKind.KEY, ApiKey.objects.filter(client_id=text.strip())),
        (
            SenderKind.ORGANISATION,
            Organisation.objects.filter(domains__member_domain=key),
        ),
        (
            SenderKind.ORGANISATION,
            Organisation.objects.filter(domains__community_domain=key),
        ),
    ]
    for kind, matching in candidates:
        row_id = matching.values_list("pk", flat=True).first()
        if row_id is not None:
            return kind, row_id
    return None


def find(kind: SenderKind, subject_id: int) -> Found | None:
    """Returns the row of a sender, or None if it was deleted."""
    return rows(kind).filter(pk=subject_id).first()


def organisation_of(found: Found) -> int | None:
    """Returns the id of the sender's organisation; None for the community's keys and staff."""
    return found.pk if isinstance(found, Organisation) else found.organisation_id
