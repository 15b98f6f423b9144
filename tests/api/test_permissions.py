"""Every operation: without a key, without the scope, and by another organisation."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver

from api.framework.problem_types import type_of_status
from api.framework.viewsets import Resource
from api.urls import v1
from api.v1.messages.viewsets import Messages
from api.v1.registry.organisations import Organisations
from engine.registry.models import Organisation
from engine.registry.scopes import Scope
from tests.api.conftest import Api, Key

Operation = tuple[str, str, str, type[Resource]]


def operations() -> Iterator[Operation]:
    """Yields method, path with unknown ids, action and view of each operation."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Any]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern.callback

    for route, view in walk(v1, "/"):
        if issubclass(getattr(view, "cls", object), Resource):
            for method, action in view.actions.items():
                yield method.upper(), _filled(route), action, view.cls


def _filled(route: str) -> str:
    parts = [part if "<" not in part else "999999" for part in route.split("/")]
    return "/".join(parts)


ALL = sorted(set(operations()), key=str)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "operation", ALL, ids=[f"{method} {path}" for method, path, _, _ in ALL]
)
def test_operation_asks_for_its_scope(
    operation: Operation, key: Key, anonymous: Api, northfield: Organisation
) -> None:
    method, path, action, view = operation
    scope = view.scopes[action]
    others = [one for one in Scope if one != scope]
    body: dict[str, str] | None = {} if method in ("POST", "PATCH", "PUT") else None

    assert anonymous(method, path, body).status_code == 401
    refused = key(None, *others)(method, path, body)
    assert refused.status_code == 403
    assert str(scope) in refused.json()["detail"]
    allowed = key(None, scope)(method, path, body)
    assert allowed.status_code not in (401, 403, 405, 500)


@pytest.mark.parametrize("organisation", [None, "northfield"])
def test_operation_that_declares_no_scope_is_open_to_nobody(
    key: Key,
    northfield: Organisation,
    monkeypatch: pytest.MonkeyPatch,
    organisation: str | None,
) -> None:
    """An oversight must not open it to every key."""
    monkeypatch.delitem(Organisations.scopes, "list")
    monkeypatch.delitem(Organisations.scopes, "retrieve")
    call = key(northfield if organisation else None)

    for path in ("/organisations/", f"/organisations/{northfield.pk}/"):
        answer = call("GET", path)
        assert answer.status_code == 405
        assert northfield.name not in answer.content.decode()


# Operations that take an id, which an organisation's key may call.
ON_ONE = [
    (method, path, action, view)
    for method, path, action, view in ALL
    if "999999" in path and not view.scopes[action].is_community_wide
]


@pytest.mark.parametrize("operation", ON_ONE, ids=[f"{o[0]} {o[1]}" for o in ON_ONE])
def test_what_is_not_there_is_not_found(
    operation: Operation, key: Key, northfield: Organisation
) -> None:
    method, path, _, _ = operation

    answer = key(northfield)(method, path, {} if method == "PUT" else None)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_every_scope_opens_something() -> None:
    opened = {view.scopes[action] for _, _, action, view in ALL}

    assert opened == set(Scope)


def test_big_request_is_refused_before_it_is_read(
    key: Key, northfield: Organisation
) -> None:
    call = key(northfield)
    big = {"name": "x" * 1024 * 1024}

    answer = call("POST", "/people/", big)

    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert Messages.largest_body > 60 * 1024 * 1024


def test_request_that_nobody_may_make_is_a_problem_too(
    key: Key, northfield: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "message_size_limit", 1000)

    answer = key(northfield)("POST", "/people/", {"name": "x" * 2000})

    assert answer.status_code == answer.json()["status"] == 413
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"name": "a\\u0000b"}', "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"<a/>", "text/xml", 415),
    ],
)
def test_hostile_body_is_a_problem_of_its_sender(
    key: Key, northfield: Organisation, body: bytes, kind: str, status: int
) -> None:
    client = key(northfield)._client

    answer = client.generic("POST", "/api/v1/people/", body, content_type=kind)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "application/json; charset=base64",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded; charset=nothing",
        "application/x-www-form-urlencoded",
    ],
)
@pytest.mark.parametrize("path", ["people", "messages", "oauth/token"])
def test_body_that_is_not_what_it_says_is_a_problem_of_its_sender(
    key: Key, northfield: Organisation, kind: str, path: str
) -> None:
    client = key(northfield)._client

    answer = client.generic(
        "POST", f"/api/v1/{path}/", b"a=1&" * 2000, content_type=kind
    )

    assert 400 <= answer.status_code < 500
    assert "json" in answer["Content-Type"]


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("GET", "/nothing/", "*/*", 404),
        ("GET", "/people/0/nothing", "*/*", 404),
        ("DELETE", "/people/", "*/*", 405),
        ("GET", "/people/", "text/html", 406),
    ],
)
def test_whatever_goes_wrong_is_problem_json(
    key: Key, northfield: Organisation, method: str, path: str, accept: str, status: int
) -> None:
    answer = key(northfield)(method, path, Accept=accept)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    kind = type_of_status(HTTPStatus(status))
    assert (
        answer.json()["type"]
        == f"{settings.POSTERN.site_url}/api/problems#{kind.value}"
    )


def test_a_path_may_end_with_a_slash_or_without_one(
    key: Key, northfield: Organisation
) -> None:
    call = key(northfield)
    person = {"address": "dora@northfield.secure.example", "name": "Dora"}

    made = call("POST", "/people", person)
    at = f"/people/{made.json()['id']}"

    assert made.status_code == 201
    assert call("PATCH", at, {"town": "Hull"}).json()["town"] == "Hull"
    assert call("GET", at).json() == call("GET", f"{at}/").json()
    assert call("GET", "/people?limit=1").json()["next"] is None
    assert call("GET", "/organisations//").status_code == 404
    assert call("GET", "/openapi.json/").status_code == 404
