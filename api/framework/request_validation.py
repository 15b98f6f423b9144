"""What a request says, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# What the databases keep as an id.
HIGHEST_ID = 2**63 - 1

Fault = tuple[str, list[str]]


class Asked(serializers.Serializer[Any]):
    """The fields of a request. One that nobody knows is a mistake worth telling."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            faults = dict(self._unknown(data))
            if self.context.get("is_json"):
                faults |= dict(self._of_another_kind(data))
            if faults:
                raise ValidationError(faults)
        return super().to_internal_value(data)

    def _unknown(self, data: Mapping[str, object]) -> Iterator[Fault]:
        for name in sorted(str(name) for name in data if name not in self.fields):
            yield name, ["There is no such field."]

    def _of_another_kind(self, data: Mapping[str, object]) -> Iterator[Fault]:
        """JSON says what is a number and what is a word: 0 is not taken for false."""
        for name, field in self.fields.items():
            kind, refusal = _kind(field)
            said = data.get(name)
            is_other = isinstance(said, bool) and kind is not bool
            if said is not None and (is_other or not isinstance(said, kind)):
                yield name, [refusal]


class IdField(serializers.IntegerField):
    """The id of something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=HIGHEST_ID, **kwargs)


class PlacedAsked(Asked):
    """A request that makes something in an organisation."""

    organisation = IdField(
        required=False, help_text="Asked only of the community's keys."
    )


class ReasonAsked(Asked):
    """Why something is stopped."""

    reason = serializers.CharField(max_length=300)


def asked(request: Request, serializer: type[Asked]) -> dict[str, Any]:
    """The fields that the request holds. Raises ValidationError with each fault."""
    return checked(request.data, serializer)


def checked(data: object, serializer: type[Asked]) -> dict[str, Any]:
    """The fields of something that came as JSON."""
    found = serializer(data=data, context={"is_json": True})
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def queried(
    request: Request, serializer: type[Asked], leaving: Collection[str] = ()
) -> dict[str, Any]:
    """What the address asks after its question mark, but for what others read there."""
    said = request.query_params.dict()
    found = serializer(data={k: v for k, v in said.items() if k not in leaving})
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _kind(field: object) -> tuple[type | UnionType, str]:
    """What a field takes. Lists, choices and whole objects look for themselves."""
    if isinstance(field, serializers.BooleanField):
        return bool, "Must be true or false."
    if isinstance(field, serializers.IntegerField):
        return int | float, "Must be a number."
    if isinstance(field, serializers.CharField):
        return str, "Must be text."
    return object, ""
