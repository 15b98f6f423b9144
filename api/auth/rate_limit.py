"""Rate-limits API calls for each key, and reports the limit in response headers."""

from __future__ import annotations

from math import ceil

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.auth.caller import Caller
from engine.caches.counting import Count, count

WINDOW_SECONDS = 60


class KeyRateLimit(BaseThrottle):
    """Allows POSTERN_API_CALLS_A_MINUTE calls for each key, whichever token is used.

    The window begins with the first call; refused calls count, but do not extend it. The
    REST framework's own throttle reads a list of timestamps and writes it back, so that
    concurrent calls overwrite each other's and are not counted.
    """

    def __init__(self) -> None:
        self._counted: Count | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, Caller):
            return True
        key = f"api.calls.{request.user.pk}"
        self._counted = count(key, seconds=WINDOW_SECONDS)
        return self._counted.number <= settings.POSTERN.api_calls_a_minute

    def wait(self) -> float | None:
        return None if self._counted is None else self._counted.seconds_left

    def set_headers(self, response: Response) -> None:
        """Adds the header fields of the IETF draft on RateLimit fields."""
        if self._counted is None:
            return
        allowed = settings.POSTERN.api_calls_a_minute
        number, seconds_left = self._counted
        response["RateLimit-Limit"] = str(allowed)
        response["RateLimit-Remaining"] = str(max(0, allowed - number))
        response["RateLimit-Reset"] = str(ceil(seconds_left))
