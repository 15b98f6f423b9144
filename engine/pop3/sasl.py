"""Reads credentials by SASL PLAIN and SCRAM over POP3 (RFC 5034, RFC 4616, RFC 5802)."""

from __future__ import annotations

import base64
import binascii

from engine.pop3 import replies
from engine.pop3.connection import Connection
from engine.pop3.replies import Refused
from engine.registry.credentials import scram_keys
from engine.registry.credentials.scram_exchange import ScramError, ScramExchange


async def challenge(connection: Connection, octets: bytes) -> str:
    """Sends a challenge and returns the response, still in base64.

    Raises Refused where the client cancels the exchange.
    """
    await connection.write(b"+ " + base64.b64encode(octets) + replies.CRLF)
    response = (await connection.read_line()).decode("ascii", "replace")
    if response == "*":
        raise Refused(replies.CANCELLED)
    return response


async def scram(connection: Connection, first: str) -> ScramExchange:
    """Returns the exchange that a first message began, its proof not yet checked.

    Raises Refused.
    """
    try:
        exchange = ScramExchange(_octets(first))
        asked = exchange.challenge(scram_keys.salt(), scram_keys.ITERATIONS)
        exchange.read_proof(_octets(await challenge(connection, asked)))
    except ScramError as error:
        raise Refused(replies.ErrorReply(str(error))) from error
    return exchange


def read_plain(response: str) -> tuple[str, str]:
    """Returns the user name and secret of a SASL PLAIN response. Raises Refused.

    An authorisation identity may only repeat the user name.
    """
    try:
        acts_as, username, secret = _octets(response).decode("utf-8").split("\0")
    except ValueError as error:
        raise Refused(replies.BAD_SASL) from error
    if acts_as not in ("", username):
        raise Refused(replies.WRONG)
    return username, secret


def _octets(response: str) -> bytes:
    # RFC 5034 §4: "=" is an empty initial response, "*" cancels.
    if response == "*":
        raise Refused(replies.CANCELLED)
    try:
        return base64.b64decode("" if response == "=" else response, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(replies.BAD_SASL) from error
