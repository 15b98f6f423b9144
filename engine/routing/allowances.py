"""Senders that may send more than usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from engine.registry.models import Allowance, SenderKind
from engine.registry.senders import Sender


@dataclass(frozen=True, slots=True)
class AllowanceFacts:
    """An allowance as processes hold it in memory."""

    factor: int
    until: datetime | None

    def counts_at(self, now: datetime) -> bool:
        return self.until is None or now < self.until


Allowances: TypeAlias = Mapping[tuple[str, int], AllowanceFacts]


def factor_of(allowances: Allowances, sender: Sender, now: datetime) -> int:
    """How many times the usual rates: the larger of its own and its organisation's."""
    given = [allowances.get((sender.kind, sender.id))]
    if sender.organisation_id is not None:
        given.append(allowances.get((SenderKind.ORGANISATION, sender.organisation_id)))
    return max((one.factor for one in given if one and one.counts_at(now)), default=1)


def load() -> dict[tuple[str, int], AllowanceFacts]:
    """Every allowance. There are few: each was given by an operator, with a reason."""
    rows = Allowance.objects.order_by().values_list(
        "kind", "subject_id", "factor", "until"
    )
    return {
        (kind, subject_id): AllowanceFacts(factor, until)
        for kind, subject_id, factor, until in rows
    }
