"""What became of a sent message, through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Organisation, Person
from engine.trace.models import Event
from tests.api.conftest import Api, Key
from tests.api.test_messages import letter, received

pytestmark = pytest.mark.usefixtures("firm_connection")

JANE = "jane@firm.example.secure.example"


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    return key(northfield)


@pytest.fixture
def sent(call: Api, bob: Person, charlie: Person) -> dict[str, object]:
    """A message to Charlie, and to Jane whose server is down."""
    answer = call("POST", "/messages/", letter(bob, charlie, cc=[JANE])).json()
    Recipient.objects.filter(address=JANE).update(
        last_reply="451 4.4.1 The next hop does not answer",
        next_attempt_at=timezone.now() + timedelta(minutes=5),
    )
    return answer


def states(answer: dict[str, object]) -> dict[str, str]:
    return {one["recipient"]: one["state"] for one in answer["recipients"]}


def test_an_author_follows_a_message(
    call: Api, charlie: Person, sent: dict[str, object]
) -> None:
    at = f"/messages/{sent['id']}/delivery/"

    partly = call("GET", at).json()
    Recipient.objects.filter(address=JANE).update(
        status=RecipientStatus.RELAYED, finished_at=timezone.now()
    )
    done = call("GET", at).json()

    assert partly["reference"] == sent["reference"]
    assert partly["state"] == "partly"
    assert states(partly) == {charlie.address: "delivered", JANE: "waiting"}
    [jane] = [one for one in partly["recipients"] if one["recipient"] == JANE]
    assert "could not be reached" in jane["why"]
    assert jane["next_attempt_at"] and partly["expires_at"]
    assert done["state"] == "delivered" and done["expires_at"] is None
    assert [step["text"] for step in partly["steps"]] == [
        "Accepted and kept",
        "Delivered to the mailbox",
    ]


def test_each_organisation_sees_its_own(
    call: Api, key: Key, charlie: Person, sent: dict[str, object]
) -> None:
    at = f"/traces/{sent['reference']}/"

    ours = call("GET", at).json()
    theirs = key(charlie.organisation)("GET", at).json()
    staff = key(None)("GET", at).json()
    Recipient.objects.all().delete()
    QueuedMessage.objects.all().delete()
    later = key(charlie.organisation)("GET", at).json()

    assert (
        states(ours) == states(staff) == {charlie.address: "delivered", JANE: "waiting"}
    )
    for one in (theirs, later):
        assert one["state"] == "delivered"
        assert states(one) == {charlie.address: "delivered"}
        assert JANE not in str(one)


def test_only_what_a_mailbox_sent_is_followed(
    call: Api, key: Key, charlie: Person, sent: dict[str, object]
) -> None:
    neighbour = key(charlie.organisation)
    got = received(charlie)

    assert neighbour("GET", f"/messages/{got.pk}/").status_code == 200
    assert neighbour("GET", f"/messages/{got.pk}/delivery/").status_code == 404
    assert neighbour("GET", f"/messages/{sent['id']}/delivery/").status_code == 404
    Event.objects.all().delete()
    QueuedMessage.objects.all().delete()
    forgotten = call("GET", f"/messages/{sent['id']}/delivery/").json()
    assert (forgotten["state"], forgotten["recipients"]) == ("unknown", [])
