"""The API reference page, made from the OpenAPI document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from api.openapi import webhook_section
from api.openapi.document import openapi_document
from engine.registry.permissions.view_guards import public
from engine.registry.scopes import Scope

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request or a response, or one parameter."""

    name: str
    kind: str
    is_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    scope: str
    parameters: list[Field]
    request_fields: list[Field]
    response_fields: list[Field]

    @property
    def curl(self) -> str:
        """An example command, with the required fields of the body."""
        lines = [f"curl -X {self.method} {settings.POSTERN.site_url}{self.path}"]
        lines.append('-H "Authorization: Bearer $KEY"')
        if self.request_fields:
            required = [field for field in self.request_fields if field.is_required]
            body = ", ".join(
                f'"{f.name}": {_EXAMPLES.get(f.kind, "…")}' for f in required
            )
            lines.append("-H 'Content-Type: application/json'")
            lines.append(f"-d '{{{body}}}'")
        return " \\\n  ".join(lines)


_EXAMPLES = {"text": '"…"', "number": "1", "yes or no": "true", "list": '["…"]'}
_KINDS = {
    "string": "text",
    "integer": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "object",
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event of which other systems are notified, as the page shows it."""

    name: str
    summary: str
    text: str
    fields: list[Field]


@public
@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    """Shows every operation, by resource."""
    context = {
        "groups": operations_by_resource(),
        "scopes": Scope,
        "webhooks": webhooks(),
        "webhook_headers": [
            Field(name, "text", False, text)
            for name, text in webhook_section.HEADERS.items()
        ],
    }
    return render(request, "api/reference.html", context)


@lru_cache(maxsize=1)
def operations_by_resource() -> dict[str, list[Operation]]:
    """Returns every operation of the document, by the tag of its resource."""
    document = openapi_document()
    schemas = document["components"]["schemas"]
    found: defaultdict[str, list[Operation]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, spec in methods.items():
            found[spec["tags"][0]].append(_operation(method, path, spec, schemas))
    return dict(sorted(found.items()))


@lru_cache(maxsize=1)
def webhooks() -> list[Webhook]:
    """Returns every webhook of the document."""
    return [
        _webhook(name, one["post"])
        for name, one in openapi_document()["webhooks"].items()
    ]


def _webhook(name: str, spec: Schema) -> Webhook:
    body = _body(spec["requestBody"])["properties"]
    fields = [
        Field(f"data.{field.name}", field.kind, False, field.text)
        for field in _fields(body["data"], {})
    ]
    return Webhook(name, spec["summary"], spec["description"], fields)


def _operation(method: str, path: str, spec: Schema, schemas: Schema) -> Operation:
    responses = spec["responses"].items()
    success = next((_body(one) for status, one in responses if status[0] == "2"), {})
    return Operation(
        name=spec["operationId"],
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        text=" ".join(spec.get("description", "").split()),
        scope=_scope(spec),
        parameters=list(_parameters(spec)),
        request_fields=list(_fields(_body(spec.get("requestBody", {})), schemas)),
        response_fields=list(_fields(success, schemas)),
    )


def _scope(spec: Schema) -> str:
    scopes = (one["oauth2"] for one in spec.get("security", []) if "oauth2" in one)
    return next((one[0] for one in scopes if one), "")


def _parameters(spec: Schema) -> Iterator[Field]:
    for one in spec.get("parameters", []):
        text = str(one.get("description", ""))
        is_required = bool(one.get("required"))
        yield Field(one["name"], _kind(one.get("schema", {})), is_required, text)


def _body(spec: Schema) -> Schema:
    """Returns the JSON schema of a body; empty where the body is not JSON."""
    return dict(spec.get("content", {}).get("application/json", {}).get("schema", {}))


def _fields(schema: Schema, schemas: Schema) -> Iterator[Field]:
    resolved = _resolve(schema, schemas)
    required = resolved.get("required", [])
    for name, field in resolved.get("properties", {}).items():
        text = str(field.get("description", ""))
        yield Field(name, _kind(_resolve(field, schemas)), name in required, text)
    if "items" in resolved.get("properties", {}).get("results", {}):
        results = resolved["properties"]["results"]["items"]
        for field in _fields(results, schemas):
            yield Field(f"results[].{field.name}", field.kind, True, field.text)


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    while "$ref" in schema or "allOf" in schema:
        schema = schema["allOf"][0] if "allOf" in schema else schema
        schema = (
            schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        )
    return schema


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"] if one)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if schema.get("format") == "date-time":
        return "date and time"
    return _KINDS.get(kind, str(kind))
