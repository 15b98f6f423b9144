"""The reference that people read, made from the same document as clients are."""

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

from api.openapi.document import document
from engine.registry.access import public
from engine.registry.scopes import Scope

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is said, in a request or an answer."""

    name: str
    kind: str
    is_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a key can do."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    scope: str
    parameters: list[Field]
    asks: list[Field]
    answers: list[Field]

    @property
    def curl(self) -> str:
        """A request as one types it."""
        lines = [f"curl -X {self.method} {settings.POSTERN.site_url}{self.path}"]
        lines.append('-H "Authorization: Bearer $KEY"')
        if self.asks:
            needed = [field for field in self.asks if field.is_required]
            said = ", ".join(
                f'"{f.name}": {_EXAMPLES.get(f.kind, "…")}' for f in needed
            )
            lines.append("-H 'Content-Type: application/json'")
            lines.append(f"-d '{{{said}}}'")
        return " \\\n  ".join(lines)


_EXAMPLES = {"text": '"…"', "number": "1", "yes or no": "true", "list": '["…"]'}
_KINDS = {
    "string": "text",
    "integer": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "object",
}


@public
@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    return render(request, "api/reference.html", {"groups": groups(), "scopes": Scope})


@lru_cache(maxsize=1)
def groups() -> dict[str, list[Operation]]:
    """Every operation, by the resource that it is about."""
    whole = document()
    schemas = whole["components"]["schemas"]
    found: defaultdict[str, list[Operation]] = defaultdict(list)
    for path, methods in whole["paths"].items():
        for method, said in methods.items():
            found[said["tags"][0]].append(_operation(method, path, said, schemas))
    return dict(sorted(found.items()))


def _operation(method: str, path: str, said: Schema, schemas: Schema) -> Operation:
    asked = _content(said.get("requestBody", {}))
    answered = next(
        (_content(a) for status, a in said["responses"].items() if status[0] == "2"), {}
    )
    return Operation(
        name=said["operationId"],
        method=method.upper(),
        path=path,
        summary=said.get("summary", ""),
        text=" ".join(said.get("description", "").split()),
        scope=_scope(said),
        parameters=list(_parameters(said)),
        asks=list(_fields(asked, schemas)),
        answers=list(_fields(answered, schemas)),
    )


def _scope(said: Schema) -> str:
    scopes = (one["oauth2"] for one in said.get("security", []) if "oauth2" in one)
    return next((one[0] for one in scopes if one), "")


def _parameters(said: Schema) -> Iterator[Field]:
    for one in said.get("parameters", []):
        text = str(one.get("description", ""))
        is_required = bool(one.get("required"))
        yield Field(one["name"], _kind(one.get("schema", {})), is_required, text)


def _content(said: Schema) -> Schema:
    """The JSON schema of a body, where it is JSON."""
    return dict(said.get("content", {}).get("application/json", {}).get("schema", {}))


def _fields(schema: Schema, schemas: Schema) -> Iterator[Field]:
    whole = _resolved(schema, schemas)
    needed = whole.get("required", [])
    for name, field in whole.get("properties", {}).items():
        text = str(field.get("description", ""))
        yield Field(name, _kind(_resolved(field, schemas)), name in needed, text)
    if "items" in whole.get("properties", {}).get("results", {}):
        results = whole["properties"]["results"]["items"]
        for field in _fields(results, schemas):
            yield Field(f"results[].{field.name}", field.kind, True, field.text)


def _resolved(schema: Schema, schemas: Schema) -> Schema:
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
