from __future__ import annotations

import pytest

from tests.engine.registry.clock import Clock


@pytest.fixture
def clock():
    return Clock()
