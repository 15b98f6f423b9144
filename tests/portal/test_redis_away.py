"""Pages and the API work, with per-process limits, while Redis is unavailable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings as ours
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from engine.caches.redis_cache import SharedCache
from engine.caches.redis_settings import redis_settings
from engine.registry.credentials import generated_secrets
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from tests import factories
from tests.peers.redis import Redis

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis that has just become unavailable."""
    monkeypatch.setattr(SharedCache, "_unavailable_until", 0.0)
    with Redis() as running:
        settings.CACHES = {"default": redis_settings(running.url)}
        cache.set("it", "works")
        running.stop()
        yield running
        cache.clear()


def test_pages_are_shown_and_signing_in_works(client: Client, bob: Person) -> None:
    bob.set_password("a long enough password")
    bob.save()

    for page in ("home", "account_login", "help", "status", "security"):
        assert client.get(reverse(page)).status_code == 200, page
    form = {"login": bob.address, "password": "a long enough password"}
    answer = client.post(reverse("account_login"), form)

    assert answer.status_code == 302
    assert client.get(reverse("start"), follow=True).status_code == 200


def test_limits_of_the_api_are_kept_locally(
    northfield: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours.POSTERN, "api_calls_a_minute", 2)
    secret = generated_secrets.new_secret()
    factories.make_api_key(
        northfield, generated_secrets.digest(secret), Scope.READ_ORGANISATIONS
    )
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    answers = [client.get("/api/v1/organisations/").status_code for _ in range(3)]

    assert answers == [200, 200, 429]
