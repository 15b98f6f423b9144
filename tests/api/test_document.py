from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_document_is_openapi_3_1(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "/api/v1/organisations/" in document["paths"]


@pytest.mark.django_db
def test_document_is_made_once(client: Client, monkeypatch) -> None:
    first = client.get("/api/v1/openapi.json")
    monkeypatch.setattr("api.published.SchemaGenerator", None)

    again = client.get("/api/v1/openapi.json")

    assert again.content == first.content
    assert again["Content-Type"] == "application/vnd.oai.openapi+json"
