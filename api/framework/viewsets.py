"""Base viewsets: authentication by scope, rate limiting, listing, suspending."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from api.auth.caller import Caller, caller_of
from api.auth.rate_limit import KeyRateLimit
from api.framework.etags import response_with_etag
from api.framework.request_validation import ReasonRequest, validated
from engine.registry.models import Actor
from engine.registry.scopes import Scope


class Resource(GenericViewSet[Any]):
    """A resource whose operations each name the scope that they require.

    An operation without a scope is refused with 405, so that an oversight never opens one
    to every key.
    """

    scopes: ClassVar[dict[str, Scope]]
    lookup_value_converter = "int"

    def check_permissions(self, request: Request) -> None:
        """Refuses a request without a key, or whose key lacks the operation's scope."""
        super().check_permissions(request)
        if not isinstance(request.user, Caller):
            self.permission_denied(request)
        scope = self.scopes.get(self.action or "")
        if scope is None:
            return self.http_method_not_allowed(request)
        if not request.user.has(scope):
            raise PermissionDenied(f"The key lacks the scope {scope}.")
        return None

    @property
    def caller(self) -> Caller:
        """The authenticated caller of this request."""
        return caller_of(self.request)

    def get_throttles(self) -> list[Any]:
        self._rate_limit = KeyRateLimit()
        return [self._rate_limit]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        done = super().finalize_response(request, response, *args, **kwargs)
        # Missing where the request failed before throttling was reached.
        rate_limit = getattr(self, "_rate_limit", None)
        if rate_limit is not None:
            rate_limit.set_headers(done)
        return done


class ListResource(ListModelMixin, Resource):
    """A resource that is listed page by page."""


class ReadResource(RetrieveModelMixin, ListResource):
    """A resource that is listed, and read one by one with an entity tag."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return response_with_etag(self.get_serializer(self.get_object()).data)


class SuspendVerbs(Protocol):
    """The registry verbs of a kind of row that can be suspended."""

    def suspend(self, row: Any, /, *, reason: str, by: Actor | None) -> None:
        """Suspends the row. Raises PolicyError with the reason if it may not be."""

    def resume(self, row: Any, /, *, by: Actor | None) -> None:
        """Makes a suspended row active again. Raises PolicyError if it is not."""


class SuspendableResource(Resource):
    """A resource whose rows can be suspended and resumed."""

    verbs: ClassVar[SuspendVerbs]

    def check_can_change(self, row: Any) -> None:
        """Raises the error that keeps this caller from changing this row."""

    @extend_schema(summary="Suspend", request=ReasonRequest)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: int) -> Response:
        """Stops mail, and for a person also sign-in. Suspending twice is harmless."""
        row = self.get_object()
        self.check_can_change(row)
        reason = validated(request, ReasonRequest)["reason"]
        self.verbs.suspend(row, reason=reason, by=self.caller.key)
        return Response(self.get_serializer(row).data)

    @extend_schema(summary="Resume", request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: int) -> Response:
        """Lets mail flow again, including messages that were held in the meantime."""
        row = self.get_object()
        self.check_can_change(row)
        self.verbs.resume(row, by=self.caller.key)
        return Response(self.get_serializer(row).data)
