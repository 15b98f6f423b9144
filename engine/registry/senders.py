"""Senders whose rates are counted, and how many times the usual each may send."""

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

# A connection is called by its organisation's name.
_NAMED_BY = (SenderKind.CONNECTION,)


@dataclass(frozen=True, slots=True)
class Sender:
    """One person, connection, key or list, and the organisation whose it is."""

    kind: SenderKind
    id: int
    organisation_id: int | None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def of(
    organisation_id: int | None,
    *,
    person_id: int | None = None,
    connection_id: int | None = None,
    key_id: int | None = None,
) -> list[Sender]:
    """Whose rates a message counts for; at most one of the ids is set."""
    named = {
        SenderKind.PERSON: person_id,
        SenderKind.CONNECTION: connection_id,
        SenderKind.KEY: key_id,
    }
    return [
        Sender(kind, row_id, organisation_id)
        for kind, row_id in named.items()
        if row_id is not None
    ]


def rows(kind: SenderKind) -> QuerySet[Any]:
    """All of the kind, as they are shown by name."""
    found: QuerySet[Any] = ROWS[kind]._default_manager.order_by()
    return found.select_related("organisation") if kind in _NAMED_BY else found


def named(text: str) -> tuple[SenderKind, int] | None:
    """Whose address, domain, user name or client id this is."""
    key = text.strip().casefold()
    asked: list[tuple[SenderKind, QuerySet[Any]]] = [
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
    for kind, matching in asked:
        row_id = matching.values_list("pk", flat=True).first()
        if row_id is not None:
            return kind, row_id
    return None


def find(kind: SenderKind, subject_id: int) -> Found | None:
    """The row that is meant; None where it is gone."""
    return rows(kind).filter(pk=subject_id).first()


def organisation_of(found: Found) -> int | None:
    """The organisation whose it is; None for the community's own keys and staff."""
    return found.pk if isinstance(found, Organisation) else found.organisation_id
