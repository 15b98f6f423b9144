"""The API conforms to its OpenAPI document, whatever is sent (S16)."""

from __future__ import annotations

import pytest

from tests import migrated
from tests.peers import schemathesis
from tests.peers.postern import Postern

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_every_operation_keeps_to_the_document() -> None:
    # A service of its own, as the requests suspend people. The organisation's key comes
    # first, because the community's may suspend the organisation.
    demo = migrated.prepared(migrated.DEMO)
    with Postern(demo, POSTERN_API_CALLS_A_MINUTE="1000000") as service:
        api = service.demo["api"]
        outcomes = [
            schemathesis.run(api["base"], api["key"], phases="fuzzing,stateful"),
            schemathesis.run(api["base"], api["community_key"], phases="coverage"),
        ]

    for outcome in outcomes:
        assert outcome.is_clean, outcome.log
        assert outcome.tested == outcome.operations > 80
