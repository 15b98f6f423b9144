"""Connections, and what each proves itself by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.registry.models import Proof
from engine.routing.facts import ConnectionRow
from engine.routing.persistent import Index, Map, moves
from engine.routing.sources import Claim, SourceIndex


@dataclass(frozen=True, slots=True)
class Connections:
    """The rows of all connections, by organisation, source network and certificate."""

    rows: Map[int, ConnectionRow] = field(default_factory=Map)
    organisations: Index[int] = field(default_factory=Index)
    sources: SourceIndex = field(default_factory=SourceIndex)
    certificates: Index[str] = field(default_factory=Index)

    def changed(self, rows: Mapping[int, ConnectionRow | None]) -> Connections:
        """The same with these rows set; None takes one out."""
        before = [self.rows.get(row_id) for row_id in rows]
        return Connections(
            rows=self.rows.changed(rows),
            organisations=self.organisations.changed(
                *moves(self.rows, rows, lambda row: [row.organisation_id])
            ),
            sources=self.sources.changed(_networks(before), _networks(rows.values())),
            certificates=self.certificates.changed(
                *moves(self.rows, rows, _certificate)
            ),
        )

    def of_organisation(self, organisation_id: int) -> list[ConnectionRow]:
        """An organisation's connections, the oldest first."""
        ids = self.organisations.every(organisation_id)
        return [self.rows[row_id] for row_id in ids]

    def relay_of(self, organisation_id: int) -> int | None:
        """The connection by which an organisation's mail leaves: the oldest that works."""
        for row in self.of_organisation(organisation_id):
            if row.is_active and row.next_hop_host:
                return row.id
        return None

    def by_certificate(self, names: Iterable[str]) -> int | None:
        """The one connection that a certificate with these names proves.

        A name that two connections claim proves neither.
        """
        # A certificate that names two connections does not say which of them is
        # speaking.
        found = {self.certificates.only(name.casefold()) for name in names}
        found.discard(None)
        return found.pop() if len(found) == 1 else None


def _certificate(row: ConnectionRow) -> list[str]:
    is_proved_by_it = row.proof == Proof.CERTIFICATE and row.certificate_name
    return [row.certificate_name] if is_proved_by_it else []


def _networks(rows: Iterable[ConnectionRow | None]) -> set[Claim]:
    return {
        (network, row.id)
        for row in rows
        if row is not None and row.proof == Proof.SOURCE
        for network in row.networks
    }
