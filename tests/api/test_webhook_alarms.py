from __future__ import annotations

from datetime import timedelta

import pytest

from api.models import WebhookCall, WebhookState
from api.webhooks import alarms
from engine.database import clock
from engine.health.checks import alarm_rules
from engine.health.checks.findings import CheckContext
from engine.health.metrics import exposition
from engine.health.metrics.database_collector import DatabaseCollector
from engine.registry.models import Organisation, WebhookEndpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(northfield: Organisation) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        organisation=northfield,
        url="https://cases.example/hook?key=secret",
        sealed_secret="s",
    )


def call(endpoint: WebhookEndpoint, *, minutes: int, **over: object) -> WebhookCall:
    now = clock.now()
    fields = {
        "created_at": now - timedelta(minutes=minutes),
        "next_attempt_at": now,
        "source": f"trace:{WebhookCall.objects.count()}",
        "payload": {},
        "attempts": 3,
    }
    return WebhookCall.objects.create(endpoint=endpoint, **(fields | over))


def check_webhooks() -> list:
    return list(alarms.check(CheckContext(clock.now(), [], 3600.0)))


def test_an_endpoint_that_does_not_hear_is_an_alarm_until_it_hears(
    endpoint: WebhookEndpoint,
) -> None:
    waiting = call(endpoint, minutes=20)
    call(endpoint, minutes=2)

    [finding] = check_webhooks()
    assert finding.subject == f"cases.example ({endpoint.pk})"
    assert "secret" not in str(finding)

    waiting.state = WebhookState.DELIVERED
    waiting.save()
    assert check_webhooks() == []


def test_a_call_that_was_given_up_is_an_alarm_for_an_hour(
    endpoint: WebhookEndpoint,
) -> None:
    given_up = call(endpoint, minutes=4000, state=WebhookState.FAILED)
    assert len(check_webhooks()) == 1

    given_up.next_attempt_at -= timedelta(hours=2)
    given_up.save()
    assert check_webhooks() == []


def test_an_endpoint_that_is_switched_off_is_none(endpoint: WebhookEndpoint) -> None:
    call(endpoint, minutes=20)
    endpoint.is_active = False
    endpoint.save()

    assert check_webhooks() == []


def test_the_watch_knows_of_it(endpoint: WebhookEndpoint) -> None:
    call(endpoint, minutes=20)

    page = exposition.render([DatabaseCollector()])

    assert any(check is alarms.check for _, check, _ in alarm_rules.checks)
    assert alarm_rules.get("webhooks").remedy
    assert b"postern_webhook_calls_waiting 1.0" in page
