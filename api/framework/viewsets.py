"""What every resource has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from api.auth.caller import Caller, caller
from api.auth.rate_limit import KeyThrottle
from api.framework.etags import tagged
from engine.registry.scopes import Scope


class Resource(GenericViewSet[Any]):
    """A resource, each of whose operations names the scope that it asks for.

    An operation without one is refused, so that none is open by an oversight.
    """

    scopes: ClassVar[dict[str, Scope]]
    lookup_value_converter = "int"

    def check_permissions(self, request: Request) -> None:
        """Deny whoever shows no key, or one that was not made for this."""
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
        return caller(self.request)

    def get_throttles(self) -> list[Any]:
        self._throttle = KeyThrottle()
        return [self._throttle]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        done = super().finalize_response(request, response, *args, **kwargs)
        throttle = getattr(self, "_throttle", None)
        if throttle is not None:
            throttle.tell(done)
        return done


class Listed(ListModelMixin, Resource):
    """A resource that is listed page by page."""


class Readable(RetrieveModelMixin, Listed):
    """A resource that is listed, and read one by one with an entity tag."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return tagged(self.get_serializer(self.get_object()).data)
