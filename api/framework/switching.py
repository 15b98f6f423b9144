"""Stopping something and letting it go again."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.request_validation import ReasonAsked, asked
from api.framework.viewsets import Resource
from engine.registry.actor import Actor


class Switch(Protocol):
    """The verbs of whatever can be stopped."""

    def suspend(self, row: Any, /, *, reason: str, by: Actor | None) -> None: ...

    def resume(self, row: Any, /, *, by: Actor | None) -> None: ...


class Switched(Resource):
    """A resource whose rows can be suspended and resumed."""

    verbs: ClassVar[Switch]

    def check_can_switch(self, row: Any) -> None:
        """Raise what keeps the caller from stopping this one."""

    @extend_schema(summary="Suspend", request=ReasonAsked)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: int) -> Response:
        """Stops mail, and sign-in where it is somebody's. Doing it again is harmless."""
        row = self.get_object()
        self.check_can_switch(row)
        reason = asked(request, ReasonAsked)["reason"]
        self.verbs.suspend(row, reason=reason, by=self.caller.key)
        return Response(self.get_serializer(row).data)

    @extend_schema(summary="Resume", request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: int) -> Response:
        """Lets mail flow again, also what was held meanwhile."""
        row = self.get_object()
        self.check_can_switch(row)
        self.verbs.resume(row, by=self.caller.key)
        return Response(self.get_serializer(row).data)
