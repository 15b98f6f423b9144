"""What a request says, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# What the databases keep as an id.
HIGHEST_ID = 2**63 - 1


class Asked(serializers.Serializer[Any]):
    """The fields of a request. One that nobody knows is a mistake worth telling."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                raise ValidationError(
                    {name: ["There is no such field."] for name in unknown}
                )
        return super().to_internal_value(data)


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
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
