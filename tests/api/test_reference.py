from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape

from api.framework.problem_types import ProblemType
from api.openapi.reference import operations_by_resource
from engine.registry.models import Organisation
from engine.registry.scopes import Scope
from tests.api.conftest import Key

pytestmark = pytest.mark.django_db


def test_reference_shows_every_operation_of_the_document(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    page = client.get("/api/").content.decode()

    shown = {
        (o.method.lower(), o.path)
        for group in operations_by_resource().values()
        for o in group
    }
    known = {(m, path) for path, methods in document["paths"].items() for m in methods}
    assert shown == known
    for _, path in known:
        assert f"<code>{path}</code>" in page


def test_document_names_what_each_operation_asks(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    add = document["paths"]["/api/v1/people"]["post"]

    assert add["security"] == [{"key": []}, {"oauth2": [str(Scope.WRITE_PEOPLE)]}]
    assert {"name": "Idempotency-Key", "in": "header"}.items() <= add["parameters"][
        0
    ].items()
    schemes = document["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer"
    assert set(schemes["oauth2"]["flows"]["clientCredentials"]["scopes"]) == {*Scope}
    problem = add["responses"]["default"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_guides_are_read(key: Key, northfield: Organisation) -> None:
    call_command("load_guides")
    call = key(northfield)

    listed = call("GET", "/guides/?limit=3").json()["results"]
    whole = call("GET", f"/guides/{listed[0]['id']}/").json()

    assert len(listed) == 3
    assert whole["title"] == listed[0]["title"]
    assert len(whole["text"]) > 200


def test_every_type_of_problem_is_explained_where_it_leads(client: Client) -> None:
    for kind in ProblemType:
        path, _, anchor = kind.uri.removeprefix(settings.POSTERN.site_url).partition(
            "#"
        )
        page = client.get(path).content.decode()
        assert f'id="{anchor}"' in page
        assert escape(kind.advice) in page
