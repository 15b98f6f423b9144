"""What the OpenAPI document says beyond what serializers show."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from api.framework.idempotency import HEADER
from engine.registry.scopes import Scope

PROBLEM = {
    "type": "object",
    "description": "What is wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
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
                        "description": "Where in the request (RFC 6901).",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some of what was sent is not right.",
        "errors": [{"pointer": "/name", "detail": "This field is required."}],
    },
}
ANY_PROBLEM = {
    "description": "Anything else",
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    },
}
KEY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text of yours. A request that is made again with it is done once.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag you read: what changed since then is not changed.",
)


class Operations(AutoSchema):
    """Operations with their headers, as their handlers mark them."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Searches answer with one object that holds what they found."""
        if getattr(self.view, "pagination_class", None) is None:
            return False
        return bool(super()._is_list_view(serializer))

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        found = list(super().get_override_parameters())
        if getattr(handler, "takes_idempotency_key", False):
            found.append(KEY)
        if getattr(handler, "takes_if_match", False):
            found.append(IF_MATCH)
        return found


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key as it is, or a token taken out with it."""

    target_class = "api.auth.bearer.BearerAuthentication"
    name = ["key", "oauth2"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        action = getattr(auto_schema.view, "action", None) or ""
        scope = getattr(auto_schema.view, "scopes", {}).get(action)
        return [{"key": []}, {"oauth2": [str(scope)] if scope else []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        scopes = {str(scope): str(scope.label) for scope in Scope}
        flow = {"tokenUrl": "/api/v1/oauth/token/", "scopes": scopes}
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "oauth2", "flows": {"clientCredentials": flow}},
        ]


def own(endpoints: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out the interfaces that Wagtail's admin brings for itself."""
    return [one for one in endpoints if one[0].startswith("/api/v1/")]


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the one shape of every error, and close the shapes of requests."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", ANY_PROBLEM)
            body = operation.get("requestBody", {"content": {}})
            if any(_asks(one["schema"], schemas) for one in body["content"].values()):
                body["required"] = True
    return result


def _asks(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether something must be said, so that a request without a body is wrong."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return bool(schemas.get(name, schema).get("required"))
