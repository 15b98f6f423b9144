"""The client's side of SCRAM, over SMTP too, by a library of another make."""

from __future__ import annotations

import base64
import smtplib
import ssl

import scramp

from engine.registry.credentials import scram_keys
from engine.registry.credentials.scram_exchange import ScramExchange


def sign_in(client: smtplib.SMTP, username: str, secret: str) -> tuple[int, bytes]:
    """Signs in and returns the last reply."""
    scram = scramp.ScramClient(["SCRAM-SHA-256"], username, secret)
    first = encoded(scram.get_client_first())
    code, said = client.docmd("AUTH", f"SCRAM-SHA-256 {first}")
    if code != 334:
        return code, said
    scram.set_server_first(base64.b64decode(said).decode())
    code, said = client.docmd(encoded(scram.get_client_final()))
    if code != 334:
        return code, said
    scram.set_server_final(base64.b64decode(said).decode())
    return client.docmd("")


def proved(username: str, secret: str) -> ScramExchange:
    """Returns an exchange with a client's proof, as a server has it then."""
    client = scramp.ScramClient(["SCRAM-SHA-256"], username, secret)
    exchange = ScramExchange(client.get_client_first().encode())
    asked = exchange.challenge(scram_keys.salt(), scram_keys.ITERATIONS)
    client.set_server_first(asked.decode())
    exchange.read_proof(client.get_client_final().encode())
    return exchange


def connect(port: int, context: ssl.SSLContext) -> smtplib.SMTP:
    """Returns a client inside TLS that has said EHLO."""
    client = smtplib.SMTP("localhost", port, timeout=20)
    client.starttls(context=context)
    client.ehlo()
    return client


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
