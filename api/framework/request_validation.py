"""Validates what a request sends, in its body and in its query string."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# The largest id that both databases store (a signed 64-bit integer).
HIGHEST_ID = 2**63 - 1

FieldError = tuple[str, list[str]]


class RequestSerializer(serializers.Serializer[Any]):
    """The fields of a request. Unknown fields and JSON values of another type are refused.

    The REST framework ignores unknown fields and converts 0 to false: a misspelt name
    would then look as if it had been obeyed.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            errors = dict(self._unknown_fields(data))
            if self.context.get("is_json"):
                errors |= dict(self._wrong_types(data))
            if errors:
                raise ValidationError(errors)
        return super().to_internal_value(data)

    def _unknown_fields(self, data: Mapping[str, object]) -> Iterator[FieldError]:
        for name in sorted(str(name) for name in data if name not in self.fields):
            yield name, ["This field does not exist."]

    def _wrong_types(self, data: Mapping[str, object]) -> Iterator[FieldError]:
        for name, field in self.fields.items():
            expected, refusal = _json_type(field)
            value = data.get(name)
            # In Python a bool is an int.
            is_other = isinstance(value, bool) and expected is not bool
            if value is not None and (is_other or not isinstance(value, expected)):
                yield name, [refusal]


class IdField(serializers.IntegerField):
    """The id of a row, within what the databases can store."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=HIGHEST_ID, **kwargs)


class OrganisationRequest(RequestSerializer):
    """A request that creates something in an organisation."""

    organisation = IdField(
        required=False, help_text="Required only of the community's keys."
    )


# The schema keeps the name under which clients have generated this type.
@extend_schema_serializer(component_name="ReasonAsked")
class ReasonRequest(RequestSerializer):
    """A request that must give a reason, which goes into the audit trail."""

    reason = serializers.CharField(max_length=300)


def validated(request: Request, serializer: type[RequestSerializer]) -> dict[str, Any]:
    """Returns the fields of the body. Raises ValidationError naming every fault."""
    return validated_json(request.data, serializer)


def validated_json(data: object, serializer: type[RequestSerializer]) -> dict[str, Any]:
    """Returns the fields of parsed JSON. Raises ValidationError naming every fault."""
    found = serializer(data=data, context={"is_json": True})
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def validated_query(
    request: Request, serializer: type[RequestSerializer], ignore: Collection[str] = ()
) -> dict[str, Any]:
    """Returns the query parameters, except those to ignore. Raises ValidationError."""
    sent = request.query_params.dict()
    found = serializer(data={k: v for k, v in sent.items() if k not in ignore})
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _json_type(field: object) -> tuple[type | UnionType, str]:
    """Returns the type that a field takes, with the error for any other.

    Lists, choices and nested objects check their own values.
    """
    if isinstance(field, serializers.BooleanField):
        return bool, "Must be true or false."
    if isinstance(field, serializers.IntegerField):
        return int | float, "Must be a number."
    if isinstance(field, serializers.CharField):
        return str, "Must be text."
    return object, ""
