"""People, mailboxes, aliases, lists and allowances by id, and by what they are known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from engine.registry.models import SenderKind
from engine.registry.senders import Sender
from engine.routing.facts import (
    AliasFacts,
    AllowanceFacts,
    ListFacts,
    MailboxRow,
    PersonRow,
)
from engine.routing.persistent import Index, Map, moves

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, and two kinds of addresses: of those who are suspended, and with a plus.

    An index of everybody's would hold hundreds of thousands.
    """

    rows: Map[int, PersonRow] = field(default_factory=Map)
    suspended: Index[str] = field(default_factory=Index)
    with_a_plus: Index[str] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, PersonRow | None]) -> People:
        """The same with these rows set; None takes one out."""
        suspended = self.suspended.changed(*moves(self.rows, rows, _if_suspended))
        with_a_plus = self.with_a_plus.changed(*moves(self.rows, rows, _if_with_a_plus))
        return People(self.rows.changed(rows), suspended, with_a_plus)


def _if_with_a_plus(row: PersonRow) -> list[str]:
    return [row[0]] if "+" in row[0] else []


def _if_suspended(row: PersonRow) -> list[str]:
    address, _, is_active = row
    return [] if is_active else [address]


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """Mailboxes that are kept here, by id and by address."""

    rows: Map[int, MailboxRow] = field(default_factory=Map)
    addresses: Index[str] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, MailboxRow | None]) -> Mailboxes:
        """The same with these rows set; None takes one out."""
        addresses = self.addresses.changed(*moves(self.rows, rows, lambda row: row[:1]))
        return Mailboxes(self.rows.changed(rows), addresses)


@dataclass(frozen=True, slots=True)
class Aliases:
    """Aliases by id and by address."""

    rows: Map[int, AliasFacts] = field(default_factory=Map)
    addresses: Index[str] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, AliasFacts | None]) -> Aliases:
        """The same with these rows set; None takes one out."""
        addresses = self.addresses.changed(*moves(self.rows, rows, lambda row: row[:1]))
        return Aliases(self.rows.changed(rows), addresses)

    def target_of(self, key: str) -> str | None:
        """The key that an alias leads to; None where the key is no alias."""
        row_id = self.addresses.first(key)
        return None if row_id is None else self.rows[row_id].target


@dataclass(frozen=True, slots=True)
class Lists:
    """Distribution lists by id, address and bounce address."""

    rows: Map[int, ListFacts] = field(default_factory=Map)
    addresses: Index[str] = field(default_factory=Index)
    bounces: Index[str] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, ListFacts | None]) -> Lists:
        """The same with these rows set; None takes one out."""
        return Lists(
            rows=self.rows.changed(rows),
            addresses=self.addresses.changed(
                *moves(self.rows, rows, lambda row: [row.address.key])
            ),
            bounces=self.bounces.changed(
                *moves(self.rows, rows, lambda row: [row.bounce_address.key])
            ),
        )


@dataclass(frozen=True, slots=True)
class Allowances:
    """Senders that may send more than usual. Few: an operator gave each, with a reason."""

    rows: Map[int, AllowanceFacts] = field(default_factory=Map)
    senders: Index[tuple[str, int]] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, AllowanceFacts | None]) -> Allowances:
        """The same with these rows set; None takes one out."""
        senders = self.senders.changed(
            *moves(self.rows, rows, lambda row: [(row.kind, row.subject_id)])
        )
        return Allowances(self.rows.changed(rows), senders)

    def factor_of(self, sender: Sender, now: datetime) -> int:
        """How many times the usual rates: its own or its organisation's, the larger."""
        if not self.rows:
            return 1
        given = [self._of(sender.kind, sender.id)]
        if sender.organisation_id is not None:
            given.append(self._of(SenderKind.ORGANISATION, sender.organisation_id))
        return max(
            (one.factor for one in given if one and one.counts_at(now)), default=1
        )

    def _of(self, kind: str, subject_id: int) -> AllowanceFacts | None:
        row_id = self.senders.first((kind, subject_id))
        return None if row_id is None else self.rows[row_id]
