from __future__ import annotations

from datetime import timedelta

import pytest

from engine.incidents import key_index, search
from engine.incidents.message_keys import Kind
from engine.incidents.search import Criteria
from engine.registry.models import Person, RoleName
from tests import factories
from tests.engine.queue.conftest import (
    authority,
    firm_connection,
    hop,
    make_hop,
    queue,
    read,
    trust_authority,
    var,
)

__all__ = [
    "authority",
    "firm_connection",
    "hop",
    "make_hop",
    "queue",
    "read",
    "trust_authority",
    "var",
]


@pytest.fixture(autouse=True)
def _without_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "LAG", timedelta(0))


@pytest.fixture
def operators(db: None, olive: Person) -> list[Person]:
    """Olive, who asks, and two others."""
    others = []
    for name in ("oscar", "otto"):
        person = factories.make_person(f"{name}@secure.example", name=name.title())
        factories.make_staff(person, RoleName.OPERATOR)
        others.append(person)
    return [olive, *others]


def criteria(**typed: str) -> Criteria:
    """What is typed, in the day around now."""
    now = key_index.clock.now()
    day = timedelta(days=1)
    given = {Kind(name): text for name, text in typed.items()}
    return search.criteria(given, since=now - day, until=now + day)


def found(**typed: str) -> list[str]:
    """The references of the messages that meet what is typed, the oldest first."""
    wanted = criteria(**typed)
    rows = search.find(wanted.keys, wanted.since, wanted.until)
    return [row.reference for row in rows.order_by("at", "pk")]
