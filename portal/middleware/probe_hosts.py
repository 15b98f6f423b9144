"""Health probes and metrics, answered under any host name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

LIVE = "/health/live"
PATHS = frozenset({LIVE, "/health/ready", "/metrics"})


class AnyHostMiddleware:
    """Accepts any Host header for probes.

    A load balancer sends the host's own address, which POSTERN_ALLOWED_HOSTS does not
    contain. The answers hold no link, so the forged name cannot appear in one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            allowed = next(iter(settings.ALLOWED_HOSTS), "localhost")
            request.META["HTTP_HOST"] = allowed.lstrip(".")
            request.META.pop("HTTP_X_FORWARDED_HOST", None)
        return self.get_response(request)
