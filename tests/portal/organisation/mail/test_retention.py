from __future__ import annotations

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from engine.storage import retention_periods
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path


def test_an_administrator_says_how_long_thrown_away_mail_is_kept(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    answer = admin_client.post(
        path_to("deleted-mail/"), {"deleted_days": "7", "junk_days": "90"}
    )

    assert answer.status_code == 302
    kept = retention_periods.retention_of(northfield)
    assert (kept.deleted_days, kept.junk_days) == (7, 90)
    assert Entry.objects.filter(event="retention.set").exists()
    assert 'value="7"' in admin_client.get(path_to("deleted-mail/")).text


@pytest.mark.parametrize("days", ["", "0", "366", "soon", "-1", "9" * 40])
def test_days_that_cannot_be_are_refused_in_words(
    admin_client: Client, path_to: Path, northfield: Organisation, days: str
) -> None:
    answer = admin_client.post(
        path_to("deleted-mail/"), {"deleted_days": days, "junk_days": "30"}
    )

    assert "Enter a number of days from 1 to 365 for Deleted" in answer.text
    assert retention_periods.retention_of(northfield).deleted_days == 30


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_sets_it(
    signed_in: SignIn, path_to: Path, who: str, request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(who)

    answer = signed_in(person, second_factor=True).post(
        path_to("deleted-mail/"), {"deleted_days": "7", "junk_days": "7"}
    )

    assert answer.status_code in {403, 404}
    assert not Entry.objects.filter(event="retention.set").exists()
