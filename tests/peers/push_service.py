"""A push service and the browsers that subscribe to it, on loopback (RFC 8030, 8291, 8292).

It decrypts and verifies by itself, without the libraries that our own requests are made
with. `answers` are the statuses of the next requests; then it accepts again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import ssl
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.demo.certificates import Authority

MOST_OCTETS = 4096  # RFC 8030 section 7.2
MOST_SECONDS = 24 * 3600  # RFC 8292 section 2


@dataclass
class Browser:
    """One subscription, bound to the key of its application server."""

    endpoint: str
    server_key: bytes
    private: ec.EllipticCurvePrivateKey
    auth: bytes
    heard: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    octets: list[int] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        """What `PushSubscription.toJSON()` gives: the endpoint and its keys."""
        return {
            "endpoint": self.endpoint,
            "p256dh": encoded(_point(self.private.public_key())),
            "auth": encoded(self.auth),
        }

    def decrypt(self, body: bytes) -> bytes:
        """Returns the payload. Raises InvalidTag, ValueError."""
        salt, record_size, length = body[:16], body[16:20], body[20]
        sender, cipher = body[21 : 21 + length], body[21 + length :]
        if int.from_bytes(record_size, "big") < len(cipher):
            raise ValueError("more than one record")
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private.exchange(ec.ECDH(), peer)
        own = _point(self.private.public_key())
        secret = _derive(shared, self.auth, b"WebPush: info\0" + own + sender, 32)
        key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, cipher, b"").rstrip(b"\0")
        if padded[-1:] != b"\2":
            raise ValueError("no last record")
        return padded[:-1]


class PushService:
    """Listens on loopback at `url`, with a certificate of `ca_file`."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder / "push-service")
        certificate = authority.issue("127.0.0.1")
        self.ca_file = authority.ca_file
        self.browsers: dict[str, Browser] = {}
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.refused: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = service.answer(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Logs nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def subscribe(self, server_key: str) -> Browser:
        """Returns a new subscription for the application server with this key."""
        path = f"/push/{secrets.token_urlsafe(24)}"
        private = ec.generate_private_key(ec.SECP256R1())
        made = Browser(
            self.url + path, decoded(server_key), private, secrets.token_bytes(16)
        )
        self.browsers[path] = made
        return made

    def answer(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str]]:
        """Returns the status and header fields for a request."""
        given = {name.lower(): value for name, value in headers.items()}
        if self.answers:
            return self.answers.pop(0)
        browser = self.browsers.get(path)
        if browser is None:
            return 404, {}
        fault = self._fault(browser, given, body)
        if fault:
            self.refused.append(fault[1])
            return fault[0], {}
        browser.headers.append(given)
        browser.octets.append(len(body))
        browser.heard.append(json.loads(browser.decrypt(body)))
        return 201, {"Location": f"{self.url}/message/{secrets.token_urlsafe(8)}"}

    def _fault(
        self, browser: Browser, given: dict[str, str], body: bytes
    ) -> tuple[int, str] | None:
        if not re.fullmatch("[0-9]+", given.get("ttl", "")):
            return 400, "no TTL (RFC 8030 section 5.2)"
        if not re.fullmatch("[A-Za-z0-9_-]{1,32}", given.get("topic", "x")):
            return 400, "no topic of RFC 8030 section 5.4"
        if given.get("urgency", "normal") not in ("very-low", "low", "normal", "high"):
            return 400, "no urgency of RFC 8030 section 5.3"
        if len(body) > MOST_OCTETS:
            return 413, "too long"
        if given.get("content-encoding") != "aes128gcm":
            return 415, "not encrypted"
        refusal = self._vapid_fault(browser, given.get("authorization", ""))
        return (403, refusal) if refusal else None

    def _vapid_fault(self, browser: Browser, authorization: str) -> str:
        found = re.fullmatch(
            r"vapid t=([\w-]+\.[\w-]+)\.([\w-]+), ?k=([\w-]+)", authorization
        )
        if found is None:
            return "no VAPID"
        signed, signature, key = found[1], decoded(found[2]), decoded(found[3])
        if key != browser.server_key:
            return "another application server's key"
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        halves = [
            int.from_bytes(half, "big") for half in (signature[:32], signature[32:])
        ]
        try:
            der = encode_dss_signature(*halves)
            public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "not signed with it"
        head, claims = (json.loads(decoded(part)) for part in signed.split("."))
        if head.get("alg") != "ES256" or claims.get("aud") != self.url:
            return "not for this service"
        if not time.time() < claims.get("exp", 0) <= time.time() + MOST_SECONDS:
            return "expired, or valid for more than a day"
        return "" if claims.get("sub", "").startswith("mailto:") else "no contact"


def decoded(text: str) -> bytes:
    """Decodes base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(octets: bytes) -> str:
    """Encodes as base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 and one block (RFC 5869)."""
    drawn = hmac.digest(salt, material, hashlib.sha256)
    return hmac.digest(drawn, info + b"\1", hashlib.sha256)[:length]
