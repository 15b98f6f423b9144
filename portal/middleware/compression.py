"""Compresses pages on their way to the browser."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/html", "application/json", "application/manifest+json")


class PageCompressionMiddleware(GZipMiddleware):
    """Compresses HTML and JSON; never downloads and streams.

    The length of a compressed page may disclose a secret in it to an attacker who sees the
    length, and has the page repeat guesses (BREACH). Django masks CSRF tokens afresh in each
    response, nonces are new in each, and Django's middleware adds a random length to every
    response. A page that repeats what its address says in `q` is not compressed at all: a
    search shows people's mail beside it.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in COMPRESSED or "q" in request.GET:
            return response
        return super().process_response(request, response)
