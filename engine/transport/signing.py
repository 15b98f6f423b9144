"""Signs and seals each message as it is handed on: DKIM (RFC 6376) and ARC (RFC 8617).

After everything else that changes it, suffix, subject tag and conversion to 7 bit, and so
over the octets that the next hop gets. Each next hop may get others.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from django.conf import settings

from engine.mail.authentication import arc_sealing
from engine.mail.authors import author_domain
from engine.mail.dkim import signing
from engine.mail.dkim.canonical_forms import BodyDigest, Form
from engine.mail.header import Field, HeaderBlock
from engine.signing import mail_keys
from engine.signing.keyring import Signers
from engine.transport.dot_stuffing import with_whole_line_ends
from engine.transport.wire_format import WireMessage

log = logging.getLogger(__name__)

# Two signatures by RSA take a millisecond each, and a large body a second: neither on the
# event loop. Few threads, because all of them need a processor.
_threads = ThreadPoolExecutor(2, thread_name_prefix="sign")


async def signed(message: WireMessage, signers: Signers) -> WireMessage:
    """Returns the message with our ARC set and signatures on top of its header.

    Unchanged while the community publishes no key.
    """
    if not signers.community:
        return message
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, partial(_signed, message, signers))


def _signed(message: WireMessage, signers: Signers) -> WireMessage:
    body_hash = _body_hash(message)
    try:
        fields = _fields(message.header, body_hash, signers)
    except Exception:
        # A fault of ours that would come back with each attempt: unsigned mail arrives,
        # and mail that is deferred for it would be returned in the end.
        log.exception("a message is handed on without our signature")
        return message
    added = b"".join(field.raw for field in fields)
    return replace(
        message, header=added + message.header, size=message.size + len(added)
    )


def _fields(raw: bytes, body_hash: bytes, signers: Signers) -> list[Field]:
    # Repairs line ends as the wire does.
    header, now = HeaderBlock.salvage(raw), time.time()
    names = (settings.POSTERN.smtp_name.lower(), mail_keys.community_domain())
    arrived = arc_sealing.arrival(header, names)
    signatures = [
        signing.sign(header, key, body_hash=body_hash, now=now)
        for key in signers.of_author(author_domain(header))
    ]
    if signers.seal is None:
        return signatures
    arc_set = arc_sealing.seal(
        HeaderBlock((*signatures, *header.fields)),
        signers.seal,
        arrived=arrived,
        server_name=names[0],
        body_hash=body_hash,
        now=now,
    )
    return [*arc_set, *signatures]


def _body_hash(message: WireMessage) -> bytes:
    digest = BodyDigest(Form.RELAXED)
    try:
        for chunk in with_whole_line_ends(message.chunks()):
            digest.update(chunk)
    finally:
        message.body.seek(0)
    return digest.digest()
