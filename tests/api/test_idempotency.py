from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from api.models import IdempotentResponse
from engine.audit.models import Entry
from engine.registry.models import ApiKey, Organisation
from engine.registry.scopes import Scope
from tests.api.conftest import Api, Key

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

    assert other.status_code == 409
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

    assert call("POST", "/organisations/", NEW, Idempotency_Key="a1").status_code == 409


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
