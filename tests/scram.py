"""The client's side of SCRAM over SMTP, by a library of another make."""

from __future__ import annotations

import base64
import smtplib
import ssl

import scramp


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


def connect(port: int, context: ssl.SSLContext) -> smtplib.SMTP:
    """Returns a client inside TLS that has said EHLO."""
    client = smtplib.SMTP("localhost", port, timeout=20)
    client.starttls(context=context)
    client.ehlo()
    return client


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
