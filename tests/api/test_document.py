from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.test import Client

from api.openapi import document as openapi


@pytest.mark.django_db
def test_document_is_openapi_3_1(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "/api/v1/organisations/" in document["paths"]


@pytest.mark.django_db
def test_document_is_made_once(client: Client, monkeypatch) -> None:
    first = client.get("/api/v1/openapi.json")
    monkeypatch.setattr("api.openapi.document.SchemaGenerator", None)

    again = client.get("/api/v1/openapi.json")

    assert again.content == first.content
    assert again["Content-Type"] == "application/vnd.oai.openapi+json"


def test_those_who_ask_at_once_wait_for_one_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = threading.Barrier(3)
    made = []

    class Generator:
        def get_schema(self, *, public: bool) -> dict[str, str]:
            made.append(public)
            # Long enough for the other threads to enter, if they could.
            with suppress(threading.BrokenBarrierError):
                together.wait(0.2)
            return {"openapi": "3.1.0"}

    monkeypatch.setattr("api.openapi.document.SchemaGenerator", Generator)
    openapi._generate.cache_clear()
    try:
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda _: openapi.openapi_document(), range(3)))
    finally:
        openapi._generate.cache_clear()

    assert made == [True]
    assert found == [{"openapi": "3.1.0"}] * 3
