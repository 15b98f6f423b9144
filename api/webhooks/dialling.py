"""One signed POST to an address on the open internet, and what it answered."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from engine.dns import DnsUnavailable
from engine.registry import webhooks
from engine.registry.errors import PolicyError
from engine.transport import reachable

SECONDS = 10
AGENT = "Postern-Webhooks/1"


class NotHeard(Exception):
    """The endpoint did not say that it heard. The message says what it did."""


class Gone(NotHeard):
    """The endpoint says that it wants no more (410)."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Return what the endpoint answered, such as "204 No Content". Raises NotHeard.

    The name is looked up once and its address dialled, so that nobody sends us into our
    own network by changing it in between. Redirects are answers like any other.
    """
    try:
        webhooks.check_url(url)
        parts = urlsplit(url)
        connection = _Pinned(parts)
        try:
            said = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
            connection.request("POST", _target(parts), body, said)
            response = connection.getresponse()
        finally:
            connection.close()
    except PolicyError as refusal:
        raise NotHeard(str(refusal)) from refusal
    except DnsUnavailable as error:
        raise NotHeard("The name could not be looked up") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotHeard(f"No answer: {type(error).__name__}") from error
    answer = f"{response.status} {response.reason}"[:100]
    if response.status == 410:
        raise Gone(answer)
    if not 200 <= response.status < 300:
        raise NotHeard(answer)
    return answer


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Pinned(HTTPConnection):
    """A connection to the address that was looked at, under the name that was asked."""

    def __init__(self, parts: SplitResult) -> None:
        self.is_secure = parts.scheme == "https"
        port = parts.port or (443 if self.is_secure else 80)
        super().__init__(parts.hostname or "", port, timeout=SECONDS)

    def connect(self) -> None:
        found = reachable.addresses(self.host)
        if not found:
            raise PolicyError(f"{self.host} is on no address that we may dial.")
        self.sock = socket.create_connection((str(found[0]), self.port), SECONDS)
        if self.is_secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
