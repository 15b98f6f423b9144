from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.clamd import Clamd


@pytest.fixture(scope="session")
def clamd() -> Iterator[Clamd]:
    """A clamd that stays up; tests that stop one start their own."""
    with tempfile.TemporaryDirectory() as folder:
        peer = Clamd(Path(folder))
        peer.start()
        yield peer
        peer.stop()
