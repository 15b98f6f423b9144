"""Filters a list by exact values given in the query string."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from api.framework.request_validation import validated_query

# Parameters of every list, which pagination reads.
PAGING = frozenset({"cursor", "limit"})


class ExactFilter(BaseFilterBackend):
    """Filters rows by the fields of `view.filter_serializer`, where the view has one."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        known = getattr(view, "filter_serializer", None)
        if known is None or getattr(view, "action", "") != "list":
            return queryset
        return queryset.filter(**validated_query(request, known, ignore=PAGING))

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        known = getattr(view, "filter_serializer", None)
        if known is None or getattr(view, "action", "") != "list":
            return []
        return [_parameter(name, field) for name, field in known().fields.items()]


def _parameter(
    name: str, field: serializers.Field[Any, Any, Any, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": str(field.help_text or ""),
        "schema": _schema(field),
    }


def _schema(field: serializers.Field[Any, Any, Any, Any]) -> dict[str, Any]:
    if isinstance(field, serializers.IntegerField):
        return {"type": "integer", "minimum": 1, "maximum": field.max_value}
    if isinstance(field, serializers.ChoiceField):
        return {"type": "string", "enum": list(field.choices)}
    if isinstance(field, serializers.BooleanField):
        return {"type": "boolean"}
    length = getattr(field, "max_length", None)
    return {"type": "string", "minLength": 1, "maxLength": length}
