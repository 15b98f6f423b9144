"""An S3 server for the tests that keep something in a bucket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.fault_proxy import FaultProxy
from tests.peers.rclone import Rclone


@pytest.fixture(scope="session")
def rclone() -> Iterator[Rclone]:
    with Rclone() as server:
        yield server


@pytest.fixture
def bucket(rclone: Rclone) -> Rclone:
    """The server, with an empty bucket."""
    rclone.empty()
    return rclone


@pytest.fixture
def proxy(bucket: Rclone) -> Iterator[FaultProxy]:
    with FaultProxy(bucket.port) as between:
        yield between
