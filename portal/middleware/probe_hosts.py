"""What machines ask a host about itself: whether it lives, is ready, and what it counts."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

LIVE = "/health/live"
PATHS = frozenset({LIVE, "/health/ready", "/metrics"})


class AnyHostMiddleware:
    """Lets probes ask by whatever name or address they know this host.

    A load balancer says the host's own address, which is in no POSTERN_ALLOWED_HOSTS.
    These answers hold no link, so that the name they were asked by shows nowhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            allowed = next(iter(settings.ALLOWED_HOSTS), "localhost")
            request.META["HTTP_HOST"] = allowed.lstrip(".")
            request.META.pop("HTTP_X_FORWARDED_HOST", None)
        return self.get_response(request)
