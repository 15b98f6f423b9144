from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from engine.registry.errors import PolicyError
from onboarding.first_sign_in import passwords
from tests import factories


def test_the_first_password_is_set_once(northfield: Any) -> None:
    person = factories.make_person(
        "dora@northfield.secure.example", northfield, password=None
    )

    passwords.set_first_password(
        person, "three words together", sent_at=timezone.now(), by=person
    )

    person.refresh_from_db()
    assert person.check_password("three words together")
    with pytest.raises(PolicyError, match="already been set"):
        passwords.set_first_password(
            person, "another password", sent_at=timezone.now(), by=person
        )
