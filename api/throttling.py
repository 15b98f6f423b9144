"""How often a key may call, and how it is told."""

from __future__ import annotations

import time

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from api.caller import Caller


class KeyThrottle(SimpleRateThrottle):
    """So many calls a minute for each key, whatever tokens it took out."""

    scope = "key"

    def get_rate(self) -> str:
        return f"{settings.POSTERN.api_calls_a_minute}/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not isinstance(request.user, Caller):
            return None
        return f"api.calls.{request.user.pk}"

    def tell(self, response: Response) -> None:
        """What is left, in the words of the IETF's draft on RateLimit fields."""
        allowed, seconds = self.parse_rate(self.get_rate())
        calls: list[float] = getattr(self, "history", [])
        if allowed is None or seconds is None or not calls:
            return
        response["RateLimit-Limit"] = str(allowed)
        response["RateLimit-Remaining"] = str(max(0, allowed - len(calls)))
        response["RateLimit-Reset"] = str(int(seconds - (time.time() - calls[-1])) + 1)
