"""The API keeps to its document, whatever is sent (S16)."""

from __future__ import annotations

import pytest

from tests import migrated
from tests.peers import schemathesis
from tests.peers.postern import Postern

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_every_operation_keeps_to_the_document() -> None:
    # A service of its own: what is tried suspends the people it finds. So the organisation
    # tries first, whose key ends when the community has found it.
    demo = migrated.made(migrated.DEMO)
    with Postern(demo, POSTERN_API_CALLS_A_MINUTE="1000000") as service:
        api = service.demo["api"]
        outcomes = [
            schemathesis.run(api["base"], api["key"], phases="fuzzing,stateful"),
            schemathesis.run(api["base"], api["community_key"], phases="coverage"),
        ]

    for outcome in outcomes:
        assert outcome.is_clean, outcome.log
        assert outcome.tested == outcome.operations > 80
