from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from api.models import IdempotentResponse
from engine.audit.models import Entry
from engine.registry.models import ApiKey, Organisation
from engine.registry.scopes import Scope
from tests.api.conftest import Api, Key
from tests.api.test_permissions import ALL

NEW = {"name": "Kingsmead Court", "kind": "court", "account_type": "webmail"}


@pytest.fixture
def call(key: Key) -> Api:
    return key(None, Scope.WRITE_ORGANISATIONS)


def test_request_made_twice_is_done_once(call: Api) -> None:
    first = call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    second = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Organisation.objects.count() == 1


def test_audit_names_the_key_that_acted(call: Api) -> None:
    call("POST", "/organisations/", NEW)

    key = ApiKey.objects.get()
    entry = Entry.objects.get(event="organisation.added")
    assert (entry.by_key, entry.by_name) == (f"key:{key.pk}", str(key))


def test_other_request_with_the_same_key_is_refused(call: Api) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    other = call(
        "POST", "/organisations/", NEW | {"name": "Other"}, Idempotency_Key="a1"
    )

    assert other.status_code == 422
    assert other.json()["type"].endswith("/api/problems#idempotency-key-reused")
    assert Organisation.objects.count() == 1


def test_request_that_was_wrong_can_be_mended(call: Api) -> None:
    wrong = call("POST", "/organisations/", {"kind": "court"}, Idempotency_Key="a1")
    right = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert wrong.status_code == 400
    assert {"pointer": "/name", "detail": "This field is required."} in wrong.json()[
        "errors"
    ]
    assert right.status_code == 201


def test_second_waits_for_the_first(call: Api) -> None:
    IdempotentResponse.objects.all().delete()
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    IdempotentResponse.objects.update(status=None)

    again = call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    assert again.status_code == 409
    assert again.json()["type"].endswith("/api/problems#request-in-progress")


@pytest.mark.usefixtures("clocks_agree")
def test_request_whose_process_died_may_be_made_again(call: Api) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    IdempotentResponse.objects.update(status=None)
    Organisation.objects.all().delete()

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        again = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert again.status_code == 201


def test_host_whose_clock_is_ahead_takes_no_request_for_dead(call: Api) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    IdempotentResponse.objects.update(status=None)

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        again = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert again.status_code == 409


@pytest.mark.usefixtures("clocks_agree")
def test_answer_is_kept_for_a_day(call: Api) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert Organisation.objects.count() == 2


def test_first_that_failed_just_now_is_no_fault_of_ours(
    call: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    nothing = IdempotentResponse.objects.none()
    monkeypatch.setattr(IdempotentResponse.objects, "filter", lambda **_: nothing)

    assert call("POST", "/organisations/", NEW, Idempotency_Key="a1").status_code == 409


def test_one_key_is_one_callers(key: Key, call: Api) -> None:
    call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    other = key(None)("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert other.status_code == 201
    assert "Idempotent-Replayed" not in other


def test_path_with_and_without_a_slash_is_one_request(call: Api) -> None:
    first = call("POST", "/organisations", NEW, Idempotency_Key="a1")
    again = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"


def test_secret_of_a_lost_answer_is_shown_again_and_kept_sealed(
    key: Key, northfield: Organisation
) -> None:
    call = key(northfield)
    wanted = {"url": "https://cases.example/hook", "events": ["message.delivered"]}

    first, again = (
        call("POST", "/webhooks", wanted, Idempotency_Key="a1") for _ in range(2)
    )

    assert again.json() == first.json()
    assert first.json()["secret"] not in IdempotentResponse.objects.get().body


def test_answer_that_the_version_before_stored_is_replayed(call: Api) -> None:
    first = call("POST", "/organisations/", NEW, Idempotency_Key="a1")
    IdempotentResponse.objects.update(body=json.dumps(first.json()))

    again = call("POST", "/organisations/", NEW, Idempotency_Key="a1")

    assert again.json() == first.json()


# What a repetition makes no second of, with the reason.
REPEATED_WITHOUT_HARM = {
    "suspend": "it is suspended already",
    "resume": "it is active already",
    "activate": "it is active already",
    "hold": "it is held already",
    "release": "it is queued already",
    "retry": "the next attempt is due already",
    "drop": "it is given up already",
    "preflight": "nothing is kept",
    "recall": "a repetition tries again what could not be recalled",
}


def test_every_post_that_makes_something_takes_a_key() -> None:
    posts = [(action, view) for method, _, action, view in ALL if method == "POST"]

    without = {
        action
        for action, view in posts
        if not getattr(getattr(view, action), "takes_idempotency_key", False)
    }
    assert len(posts) > 20
    assert without == {*REPEATED_WITHOUT_HARM}
