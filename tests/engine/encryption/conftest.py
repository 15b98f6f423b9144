"""Encryption that is switched on, and ways to look at what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests import encryption


@pytest.fixture
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)
