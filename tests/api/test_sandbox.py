"""Test keys: what they send goes nowhere, and what is live is out of their reach."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from api.models import SandboxMessage, WebhookCall
from api.openapi.document import openapi_document
from api.sandbox import sending
from api.tasks import forget_tokens
from api.webhooks.enqueue import enqueue_new_events
from engine.queue.models import QueuedMessage
from engine.registry.actions import api_keys, webhooks
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person, WebhookEvent
from engine.registry.scopes import IN_SANDBOX, Scope
from engine.routing import routes
from engine.routing.follower import Follower
from engine.storage.models import Message
from engine.trace.models import Event
from tests import factories
from tests.api.conftest import Api

URL = "https://cases.example/hook"
TestKey = Callable[[Organisation], Api]


@pytest.fixture
def test_key(db: None) -> TestKey:
    def make(organisation: Organisation) -> Api:
        _, secret = api_keys.add(
            organisation, name="Trial", scopes=IN_SANDBOX, is_test=True, by=None
        )
        return Api(secret)

    return make


@pytest.fixture
def call(test_key: TestKey, northfield: Organisation) -> Api:
    return test_key(northfield)


@pytest.fixture
def live(northfield: Organisation) -> Api:
    scopes = [one for one in Scope if not one.is_community_wide]
    return Api(api_keys.add(northfield, name="Live", scopes=scopes, by=None)[1])


def letter(sender: Person, *to: str) -> dict[str, object]:
    return {
        "mailbox": sender.mailbox.pk,
        "to": [*to],
        "subject": "Bail bundle",
        "text": "In the sandbox.",
    }


def test_message_of_a_test_key_goes_nowhere_and_is_seen_by_test_keys_alone(
    call: Api, live: Api, alice: Person, bob: Person
) -> None:
    sent = call("POST", "/messages", letter(alice, bob.address), Idempotency_Key="s1")
    again = call("POST", "/messages", letter(alice, bob.address), Idempotency_Key="s1")
    at = f"/messages?mailbox={bob.mailbox.pk}"
    [row] = call("GET", at).json()["results"]
    opened = call("GET", f"/messages/{row['id']}").json()
    raw = call("GET", f"/messages/{row['id']}/raw").content
    copies = call("GET", f"/messages?mailbox={alice.mailbox.pk}&folder=sent").json()

    assert (sent.status_code, again.json()) == (202, sent.json())
    assert row["reference"] == opened["reference"] == sent.json()["reference"]
    assert (row["to_addresses"], opened["to"]) == ([bob.address], [bob.address])
    assert opened["text"].strip() == "In the sandbox."
    assert raw.startswith(sending.MARK)
    assert [one["id"] for one in copies["results"]] == [sent.json()["id"]]
    assert SandboxMessage.objects.count() == 1
    for real in (QueuedMessage, Message, Event):
        assert not real.objects.exists()
    assert live("GET", at).json()["results"] == []
    assert live("GET", f"/messages/{row['id']}").status_code == 404
    assert live("GET", f"/traces/{row['reference']}").status_code == 404


def test_real_mail_is_out_of_a_test_keys_reach(
    call: Api, live: Api, alice: Person, bob: Person
) -> None:
    reference = live("POST", "/messages", letter(alice, bob.address)).json()[
        "reference"
    ]
    real = Message.objects.filter(mailbox=bob.mailbox).get()
    at = f"/messages/{real.pk}"

    assert call("GET", f"/messages?mailbox={bob.mailbox.pk}").json()["results"] == []
    tries = [
        ("GET", at, None),
        ("GET", f"{at}/raw", None),
        ("GET", f"{at}/attachments/1", None),
        ("GET", f"{at}/delivery", None),
        ("GET", f"{at}/reminders", None),
        ("POST", f"{at}/recall", {}),
        ("PATCH", at, {"is_read": True}),
        ("DELETE", at, None),
        ("GET", f"/traces/{reference}", None),
        ("GET", f"/mailboxes/{bob.mailbox.pk}/folders", None),
    ]
    for method, path, body in tries:
        assert call(method, path, body).status_code == 404, path


def test_magic_recipients_show_each_outcome(call: Api, alice: Person) -> None:
    names = ["deliver", "defer+later", "bounce"]
    to = [f"{name}@sandbox.invalid" for name in names]

    reference = call("POST", "/messages", letter(alice, *to)).json()["reference"]

    first = call("GET", f"/traces/{reference}").json()
    steps = [
        (one["kind"], one["recipient"].partition("@")[0]) for one in first["steps"]
    ]
    assert steps == [
        ("received", ""),
        ("failed", "bounce"),
        ("deferred", "defer+later"),
        ("delivered", "deliver"),
    ]
    SandboxMessage.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    later = call("GET", f"/traces/{reference}").json()["steps"]
    arrived = [one["recipient"] for one in later if one["kind"] == "delivered"]
    assert "defer+later@sandbox.invalid" in arrived


@pytest.mark.parametrize("name", ["refuse", "virus", "nobody"])
def test_magic_recipients_refuse_as_in_earnest(
    call: Api, alice: Person, name: str
) -> None:
    refused = call("POST", "/messages", letter(alice, f"{name}@sandbox.invalid"))

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("#message-refused")
    assert "andbox" in refused.json()["detail"]
    assert not SandboxMessage.objects.exists()


def test_everything_else_is_refused_as_in_earnest(
    call: Api, live: Api, alice: Person, charlie: Person
) -> None:
    unknown = letter(alice, "nobody@northfield.secure.example")

    assert call("POST", "/messages", unknown).status_code == 409
    assert call("POST", "/messages", letter(charlie, alice.address)).status_code == 404
    assert (
        live("POST", "/messages", letter(alice, "deliver@sandbox.invalid")).status_code
        == 409
    )
    checked = call(
        "POST", "/messages/preflight", letter(alice, "bounce@sandbox.invalid")
    )
    assert checked.json()["can_be_sent"]


def test_somebody_who_was_added_a_moment_ago_can_be_written_to(
    call: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_follower", Follower(max_age=60))
    assert call("POST", "/messages", letter(alice, alice.address)).status_code == 202

    dora = factories.make_person("dora@northfield.secure.example", alice.organisation)
    factories.make_mailbox(dora)

    assert call("POST", "/messages", letter(alice, dora.address)).status_code == 202


def test_a_page_of_the_sandbox_asks_no_more_for_more_messages(
    call: Api, alice: Person
) -> None:
    counts = []
    for number in (1, 6):
        for _ in range(number):
            call("POST", "/messages", letter(alice, alice.address))
        with CaptureQueriesContext(connection) as captured:
            page = call("GET", f"/messages?mailbox={alice.mailbox.pk}")
        counts.append(len(captured))

    assert len(page.json()["results"]) == 7
    assert counts[0] == counts[1]


def test_addresses_that_begin_alike_each_have_their_event(
    call: Api, alice: Person
) -> None:
    call("POST", "/webhooks", {"url": URL, "events": ["message.failed"]})
    to = [f"bounce+{'a' * 56}{number}@sandbox.invalid" for number in range(2)]

    call("POST", "/messages", letter(alice, *to))

    heard = [call.payload["data"]["recipient"] for call in WebhookCall.objects.all()]
    assert sorted(heard) == to


def test_test_endpoints_take_no_places_of_live_ones(
    call: Api, live: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MAX_ENDPOINTS", 1)
    body = {"url": URL, "events": ["message.failed"]}

    assert call("POST", "/webhooks", body).status_code == 201
    assert live("POST", "/webhooks", body).status_code == 201
    assert live("POST", "/webhooks", body).status_code == 409


def test_events_of_the_sandbox_reach_test_endpoints_alone(
    call: Api, live: Api, alice: Person, bob: Person
) -> None:
    events = [*map(str, WebhookEvent)]
    enqueue_new_events()
    trial = call("POST", "/webhooks", {"url": URL, "events": events}).json()
    live("POST", "/webhooks", {"url": URL, "events": events})
    to = [f"{name}@sandbox.invalid" for name in ("deliver", "defer", "bounce")]

    call("POST", "/messages", letter(alice, bob.address, *to))
    call("POST", "/messages", letter(alice, "virus@sandbox.invalid"))
    live("POST", "/messages", letter(alice, bob.address))
    enqueue_new_events()

    rows = WebhookCall.objects.all()
    by_mode = {
        is_test: sorted(
            row.event for row in rows if (row.endpoint_id == trial["id"]) is is_test
        )
        for is_test in (True, False)
    }
    assert by_mode[False] == ["message.delivered", "message.received"]
    assert by_mode[True] == [
        "message.delayed",
        "message.delivered",
        "message.delivered",
        "message.delivered",
        "message.failed",
        "message.received",
        "message.refused",
    ]
    webhooks = openapi_document()["webhooks"]
    for row in rows:
        assert row.payload["test"] is (row.endpoint_id == trial["id"])
        content = webhooks[row.event]["post"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(
            row.payload
        )
    [received] = [
        row.payload["data"]
        for row in rows
        if row.event == "message.received" and row.payload["test"]
    ]
    assert call("GET", f"/messages/{received['message']}").status_code == 200
    assert [one["id"] for one in call("GET", "/webhooks").json()["results"]] == [
        trial["id"]
    ]
    at = f"/webhooks/{trial['id']}"
    assert live("GET", at).status_code == 404
    assert live("GET", f"{at}/calls").status_code == 404
    assert call("GET", f"{at}/calls").json()["results"]


def test_neighbours_sandbox_is_its_own(
    call: Api, test_key: TestKey, harbour: Organisation, alice: Person, charlie: Person
) -> None:
    sent = call("POST", "/messages", letter(alice, charlie.address)).json()
    theirs = test_key(harbour)

    assert theirs("GET", f"/messages/{sent['id']}").status_code == 404
    assert theirs("GET", f"/traces/{sent['reference']}").status_code == 404
    listed = theirs("GET", f"/messages?mailbox={charlie.mailbox.pk}").json()["results"]
    assert listed == []


def test_test_key_changes_nothing_that_is_live(
    call: Api, northfield: Organisation
) -> None:
    new = {"address": "dora@northfield.secure.example", "name": "Dora"}

    assert call("POST", "/people", new).status_code == 403
    with pytest.raises(PolicyError, match="changes nothing that is live"):
        api_keys.add(
            northfield, name="T", scopes=[Scope.WRITE_PEOPLE], is_test=True, by=None
        )
    with pytest.raises(PolicyError, match="belongs to an organisation"):
        api_keys.add(None, name="T", scopes=IN_SANDBOX, is_test=True, by=None)


def test_sandbox_forgets(
    call: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "KEPT", 2)
    sent = [
        call("POST", "/messages", letter(alice, "deliver@sandbox.invalid")).json()
        for _ in range(3)
    ]

    kept = {one.reference for one in SandboxMessage.objects.all()}
    assert kept == {one["reference"] for one in sent[1:]}
    SandboxMessage.objects.update(created_at=timezone.now() - timedelta(days=8))
    forget_tokens()
    assert not SandboxMessage.objects.exists()


def test_large_message_is_no_test(
    call: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LARGEST", 100)
    to = letter(alice, "deliver@sandbox.invalid")

    assert call("POST", "/messages", to).status_code == 409
    assert settings.POSTERN.message_size_limit > sending.LARGEST


def test_secrets_tell_the_modes_apart(northfield: Organisation) -> None:
    for is_test, prefix in ((True, "postern_test_"), (False, "postern_live_")):
        _, secret = api_keys.add(
            northfield,
            name="K",
            scopes=[Scope.READ_MESSAGES],
            is_test=is_test,
            by=None,
        )
        assert secret.startswith(prefix)


def test_a_test_key_is_not_shown_where_accounts_are_recovered(
    call: Api, live: Api, alice: Person
) -> None:
    alice.everyday_address = "alice@home.example"
    alice.save()

    for api, shown in ((live, "alice@home.example"), (call, "")):
        found = api("GET", f"/people/{alice.pk}").json()
        assert found["everyday_address"] == shown
        listed = api("GET", "/people").json()["results"]
        assert shown in [one["everyday_address"] for one in listed]
        assert ("home.example" in str(listed)) is bool(shown)
