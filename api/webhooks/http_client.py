"""Posts a webhook call to an address on the public internet, within a deadline."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import urlsplit

from engine.network.dns import DnsUnavailable
from engine.registry import webhooks
from engine.registry.errors import PolicyError
from engine.transport.pinned_http import PinnedConnection, target

# For the whole call.
SECONDS = 10.0
AGENT = "Postern-Webhooks/1"


class NotAccepted(Exception):
    """The endpoint did not accept the call. The message is the reply or the fault."""


class Gone(NotAccepted):
    """The endpoint wants no further calls (410)."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Posts a body, and returns the endpoint's status line, such as "204 No Content".

    Raises NotAccepted for any other status, redirects included, and after SECONDS,
    however slowly the endpoint keeps answering. The name is resolved once and that
    address is dialled: otherwise a name that changes between check and connection could
    lead us into our own network (DNS rebinding).
    """
    try:
        webhooks.check_url(url)
        parts = urlsplit(url)
        connection = PinnedConnection(parts, seconds=SECONDS)
        try:
            sent = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
            connection.request("POST", target(parts), body, sent)
            response = connection.getresponse()
        finally:
            connection.close()
    except PolicyError as refusal:
        raise NotAccepted(str(refusal)) from refusal
    except DnsUnavailable as error:
        raise NotAccepted("The host name could not be resolved") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotAccepted(f"No answer: {type(error).__name__}") from error
    answer = f"{response.status} {response.reason}"[:100]
    if response.status == 410:
        raise Gone(answer)
    if not 200 <= response.status < 300:
        raise NotAccepted(answer)
    return answer
