"""Compresses pages on their way to the browser."""

from __future__ import annotations

import re

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/html", "application/json", "application/manifest+json")


# What an address may ask for without the page repeating somebody's words: positions and
# switches, which are numbers, and words of a fixed choice.
_NUMBERS = frozenset(
    {"all", "back", "checked", "expand", "from", "p", "page", "past", "review"}
)
_NUMBER = re.compile(r"[0-9]{0,10}", re.ASCII)
_WORDS = {
    "order": ("newest", "oldest", "largest", "smallest", "sender"),
    "show": ("all", "unread", "flagged", "files", "large", "mine", "nobodys"),
    "view": ("text",),
}


class PageCompressionMiddleware(GZipMiddleware):
    """Compresses HTML and JSON; never downloads and streams.

    The length of a compressed page may disclose a secret in it to an attacker who sees the
    length, and has the page repeat guesses (BREACH). Django masks CSRF tokens afresh in each
    response, nonces are new in each, and Django's middleware adds a random length to every
    response. A page may repeat what its address says, as a search does beside people's mail:
    it is compressed only where the address has numbers and words of a fixed choice.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in COMPRESSED or not _is_fixed(request.GET):
            return response
        return super().process_response(request, response)


def _is_fixed(query: QueryDict) -> bool:
    """True where no part of a query is free text."""
    return all(
        bool(_NUMBER.fullmatch(value))
        if name in _NUMBERS
        else value in _WORDS.get(name, ())
        for name, values in query.lists()
        for value in values
    )
