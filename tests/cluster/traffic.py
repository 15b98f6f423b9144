"""What flows besides the soak's mail: mail by the API, and calls to a webhook."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from portal.demo.certificates import Certificate
from tests.cluster.network import EDGE
from tests.cluster.world import Cluster
from tests.soak.ledger import Sent
from tests.soak.world import SUFFIX

TIMEOUT = 30.0
AUTHOR = f"ben@northgate.{SUFFIX}"


class ByApi:
    """A case system, which sends with an Idempotency-Key until it has an answer."""

    def __init__(self, name: str, world: Cluster) -> None:
        self.name = name
        self._world = world
        self._mailbox: int | None = None

    def send(self, sent: Sent) -> None:
        if self._mailbox is None:
            path = f"/api/v1/mailboxes/?address={quote(AUTHOR)}"
            self._mailbox = call(self._world, "GET", path)["results"][0]["id"]
        letter = {
            "mailbox": self._mailbox,
            "to": [self._world.readers[self.name]["address"]],
            "subject": f"soak-{sent.number} {self.name}",
            "text": "At ten in court two.",
        }
        key = {"Idempotency-Key": f"soak-{sent.number}"}
        call(self._world, "POST", "/api/v1/messages/", letter, key)


def call(
    world: Cluster,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """Returns the JSON of an answer. Raises ConnectionError unless it is a success."""
    connection = http.client.HTTPSConnection(
        "localhost",
        world.balancer.ports["web"],
        timeout=TIMEOUT,
        context=world.web_context,
    )
    try:
        connection.request(
            method,
            path,
            None if body is None else json.dumps(body),
            {
                "Authorization": f"Bearer {world.api_key}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise ConnectionError(f"{path} answered {answer.status}")
    return json.loads(said)


@dataclass
class Hook:
    """A member's endpoint for webhooks. Each call has an id, under which it is repeated."""

    calls: Counter[str] = field(default_factory=Counter)
    # How many calls report one message, by its subject.
    subjects: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, body: dict[str, Any]) -> None:
        with self._lock:
            self.calls[name] += 1
            if self.calls[name] == 1:
                self.subjects[str(body["data"].get("reference", name))] += 1


@contextmanager
def webhook(hook: Hook, certificate: Certificate) -> Iterator[str]:
    """Serves the endpoint with TLS; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.take(self.headers["webhook-id"], json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    server = ThreadingHTTPServer((EDGE, 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, name="webhook")
    thread.start()
    try:
        yield f"https://{EDGE}:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
