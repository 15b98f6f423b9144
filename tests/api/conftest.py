"""Calls the API as other systems do: JSON in and out, a key in the header."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from engine.registry.credentials import generated_secrets
from engine.registry.models import Organisation
from engine.registry.scopes import Scope
from tests import factories

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


class Api:
    """A client with one key."""

    def __init__(self, secret: str) -> None:
        self._client = Client(
            headers={"Authorization": f"Bearer {secret}"} if secret else None
        )

    def __call__(
        self, method: str, path: str, data: object = None, **headers: str
    ) -> HttpResponse:
        return self._client.generic(
            method,
            f"/api/v1{path}",
            b"" if data is None else json.dumps(data).encode(),
            content_type="application/json",
            headers={name.replace("_", "-"): said for name, said in headers.items()},
        )


Key = Callable[..., Api]


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate-limit counters must not carry over from one test to the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def key(db: None) -> Key:
    """Creates a key with all scopes, for an organisation or the community."""

    def make(organisation: Organisation | None, *scopes: Scope, **over: Any) -> Api:
        secret = generated_secrets.new_secret()
        allowed = scopes or [
            scope
            for scope in Scope
            if organisation is None or not scope.is_community_wide
        ]
        factories.make_api_key(
            organisation, generated_secrets.digest(secret), *map(str, allowed), **over
        )
        return Api(secret)

    return make


@pytest.fixture
def anonymous() -> Api:
    return Api("")
