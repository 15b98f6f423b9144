"""How often a key may call, and how it is told."""

from __future__ import annotations

from math import ceil

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.auth.caller import Caller
from engine import caches
from engine.caches import Count

SECONDS = 60


class KeyThrottle(BaseThrottle):
    """So many calls within a minute of the first for each key, whatever tokens it took
    out. What is refused counts too, and moves nothing.

    The REST framework's own throttle reads a list of times and writes it back: calls at
    once overwrite each other's.
    """

    def __init__(self) -> None:
        self._counted: Count | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, Caller):
            return True
        key = f"api.calls.{request.user.pk}"
        self._counted = caches.count(key, seconds=SECONDS)
        return self._counted.number <= settings.POSTERN.api_calls_a_minute

    def wait(self) -> float | None:
        return None if self._counted is None else self._counted.seconds_left

    def tell(self, response: Response) -> None:
        """What is left, in the words of the IETF's draft on RateLimit fields."""
        if self._counted is None:
            return
        allowed = settings.POSTERN.api_calls_a_minute
        number, seconds_left = self._counted
        response["RateLimit-Limit"] = str(allowed)
        response["RateLimit-Remaining"] = str(max(0, allowed - number))
        response["RateLimit-Reset"] = str(ceil(seconds_left))
