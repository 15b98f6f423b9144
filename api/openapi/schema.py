"""Extends drf-spectacular with headers, security and problem details."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from api.framework.idempotency import HEADER
from api.framework.problem_types import ProblemType
from api.openapi import webhook_section
from engine.registry.scopes import Scope

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "What kind of problem it is: always the same URI, which leads "
            "to a page that says what to do.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "The field in the request (RFC 6901).",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "example": {
        "type": ProblemType.INVALID_FIELDS.uri,
        "title": ProblemType.INVALID_FIELDS.title,
        "status": 400,
        "detail": "Some fields of the request are not valid; see `errors`.",
        "errors": [{"pointer": "/name", "detail": "This field is required."}],
    },
}
PROBLEM_CONTENT = {
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
}
REFUSED = {
    "description": "The request was refused; `detail` says what to change.",
    "content": PROBLEM_CONTENT,
}
ANY_PROBLEM = {"description": "Any other error", "content": PROBLEM_CONTENT}
CLIENT = {
    "type": "http",
    "scheme": "basic",
    "description": "The client's id and its secret, the API key (RFC 6749 §2.3.1).",
}
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text that you choose. A request repeated with the same key within "
    "24 hours is executed once, and gets the first response.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag that you read. The change is refused if the resource has "
    "changed since then.",
)


class OperationSchema(AutoSchema):
    """Describes operations with the header fields that their handlers are marked with."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Returns False for searches, whose response is one object with `results`."""
        if getattr(self.view, "pagination_class", None) is None:
            return False
        return bool(super()._is_list_view(serializer))

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        found = list(super().get_override_parameters())
        if getattr(handler, "takes_idempotency_key", False):
            found.append(IDEMPOTENCY_KEY)
        if getattr(handler, "takes_if_match", False):
            found.append(IF_MATCH)
        return found


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the two ways to authenticate: the API key itself, or an OAuth token."""

    target_class = "api.auth.bearer.BearerAuthentication"
    name = ["key", "oauth2"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        action = getattr(auto_schema.view, "action", None) or ""
        scope = getattr(auto_schema.view, "scopes", {}).get(action)
        return [{"key": []}, {"oauth2": [str(scope)] if scope else []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        scopes = {str(scope): str(scope.label) for scope in Scope}
        flow = {"tokenUrl": "/api/v1/oauth/token", "scopes": scopes}
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key."},
            {"type": "oauth2", "flows": {"clientCredentials": flow}},
        ]


def keep_own_endpoints(endpoints: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leaves out the endpoints that Wagtail's admin has for itself."""
    return [one for one in endpoints if one[0].startswith("/api/v1/")]


def leave_out_trailing_slashes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describes each path without the slash that it may end with (`api.urls`)."""
    paths = result["paths"].items()
    result["paths"] = {path.rstrip("/"): operations for path, operations in paths}
    return result


def add_problem_responses(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds webhooks and the error response of every operation, and closes request objects.

    drf-spectacular neither describes these nor says that a body is required or that
    unknown fields are refused.
    """
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    result["webhooks"] = webhook_section.section()
    result["components"]["securitySchemes"]["client"] = CLIENT
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
            for field in schema.get("properties", {}).values():
                _say_default(field)
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"] |= {"4XX": REFUSED, "default": ANY_PROBLEM}
            # Tokens alone are asked for by the client's own id and secret.
            operation.setdefault("security", [{"client": []}, {}])
            body = operation.get("requestBody", {"content": {}})
            forms = body["content"].values()
            if any(_has_required_field(one["schema"], schemas) for one in forms):
                body["required"] = True
    return result


def _say_default(field: dict[str, Any]) -> None:
    """Says the default of a field in words.

    openapi-typescript takes a field with a `default` for one that is always there, also
    in requests, where it can be left out.
    """
    default = field.pop("default", None)
    if default in (None, "", []):
        return
    text = field.get("description", "").strip()
    field["description"] = f"{text} Without it, {json.dumps(default)}.".strip()


def _has_required_field(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    name = schema.get("$ref", "").rpartition("/")[2]
    return bool(schemas.get(name, schema).get("required"))
