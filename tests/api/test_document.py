from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from openapi_spec_validator import validate

from api.openapi import document as openapi
from tests.peers import openapi_linters

HASHED = re.compile("[0-9a-f]{3}Enum$")


@pytest.mark.django_db
def test_document_is_openapi_3_1(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "/api/v1/organisations" in document["paths"]


@pytest.mark.django_db
def test_document_is_valid_and_says_what_each_tag_is_about(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()

    validate(document)
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert described == {tag for one in operations for tag in one["tags"]}
    assert all("4XX" in one["responses"] and "security" in one for one in operations)
    assert document["servers"] == [{"url": settings.POSTERN.site_url}]
    assert "nullable" not in json.dumps(document)
    # What drf-spectacular calls two sets of choices that have one name.
    assert not [n for n in document["components"]["schemas"] if HASHED.search(n)]


@pytest.mark.parametrize("lint", [openapi_linters.spectral, openapi_linters.redocly])
def test_linters_find_nothing(
    lint: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(openapi.openapi_document()))

    assert lint(document) == []


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
