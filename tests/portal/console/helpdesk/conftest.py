from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.models import Person
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import open_ticket

__all__ = ["open_ticket"]


@pytest.fixture
def staff_client(signed_in: SignIn, hugh: Person) -> Client:
    return signed_in(hugh, second_factor=True)
