from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.actions import api_keys, organisations
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope

SCOPES = [Scope.READ_PEOPLE, Scope.SEARCH_DIRECTORY]


def test_key_opens_what_it_was_made_for(
    northfield: Organisation, alice: Person
) -> None:
    key, secret = api_keys.add(northfield, name="Case system", scopes=SCOPES, by=alice)

    found = authentication.authenticate_api_key(secret)

    assert found == key
    assert set(key.scopes) == {"people:read", "directory:read"}
    assert secret not in str(Entry.objects.values_list("detail", flat=True))


def test_made_up_secret_opens_nothing(northfield: Organisation, alice: Person) -> None:
    api_keys.add(northfield, name="Case system", scopes=SCOPES, by=alice)

    assert authentication.authenticate_api_key(generated_secrets.new_secret()) is None


def test_revoked_key_opens_nothing(northfield: Organisation, alice: Person) -> None:
    key, secret = api_keys.add(northfield, name="Case system", scopes=SCOPES, by=alice)

    api_keys.revoke(key, by=alice)
    api_keys.revoke(key, by=alice)

    assert authentication.authenticate_api_key(secret) is None
    assert Entry.objects.filter(event="api_key.revoked").count() == 1


def test_key_ends_when_it_was_said_to(northfield: Organisation, alice: Person) -> None:
    end = timezone.now() + timedelta(days=30)
    _, secret = api_keys.add(
        northfield, name="Trial", scopes=SCOPES, expires_at=end, by=alice
    )

    with time_machine.travel(end + timedelta(seconds=1)):
        assert authentication.authenticate_api_key(secret) is None


def test_key_of_suspended_organisation_opens_nothing(
    northfield: Organisation, alice: Person, olive: Person
) -> None:
    _, secret = api_keys.add(northfield, name="Case system", scopes=SCOPES, by=alice)

    organisations.suspend(northfield, reason="Unpaid", by=olive)

    assert authentication.authenticate_api_key(secret) is None


@pytest.mark.parametrize("scope", [s for s in Scope if s.is_community_wide])
def test_one_organisation_cannot_hold_what_is_the_communitys(
    northfield: Organisation, alice: Person, scope: Scope
) -> None:
    with pytest.raises(
        PolicyError, match="only available to a key for the whole community"
    ):
        api_keys.add(northfield, name="Too much", scopes=[scope], by=alice)


def test_key_that_could_do_nothing_is_refused(
    northfield: Organisation, alice: Person
) -> None:
    with pytest.raises(PolicyError, match="at least one"):
        api_keys.add(northfield, name="Nothing", scopes=[], by=alice)
