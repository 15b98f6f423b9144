"""Sends the service's own notices, and nothing else, out of the community."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from engine.mail.address import Address
from engine.mail.smtp_replies import OK, Reply
from engine.secrets import state_folder
from engine.signing.keyring import Keyring
from engine.storage import content
from engine.transport.connection_errors import ConversationError
from engine.transport.message_transfer import Transmission, broken
from engine.transport.next_hop import Hop
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer
from engine.transport.session_pool import Pool

NOT_A_NOTICE = Reply(550, "5.7.1", "Mail does not leave the community")
NO_SMART_HOST = Reply(451, "4.3.5", "No smart host: set POSTERN_SMARTHOST")
SUBMISSION_PORT = 587


class Outside:
    """The transport for addresses outside the community."""

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring

    async def deliver(self, parcel: Parcel) -> list[Outcome]:
        """Sends through the smart host, or writes to the outbox folder in development."""
        if not parcel.is_notice:
            return answer(parcel, OutcomeState.FAILED, NOT_A_NOTICE)
        if settings.POSTERN.smarthost:
            return await self._send(parcel, smart_host(settings.POSTERN.smarthost))
        if settings.POSTERN.env == "production":
            return answer(parcel, OutcomeState.DEFERRED, NO_SMART_HOST)
        path = await asyncio.to_thread(_keep, parcel)
        return answer(parcel, OutcomeState.RELAYED, OK, {"outbox": path.name})

    async def close(self) -> None:
        """Closes the idle sessions."""
        await self._pool.close()

    async def _send(self, parcel: Parcel, hop: Hop) -> list[Outcome]:
        addresses = tuple(recipient.address for recipient in parcel.recipients)
        transmission = Transmission(
            parcel, content.header(parcel), addresses, self._keyring.signers
        )
        try:
            async with self._pool.session(hop) as session:
                return await transmission.send_over(session)
        except ConversationError as error:
            return broken(parcel, hop, error)


def smart_host(text: str) -> Hop:
    """Parses `user:password@host:port`; user, password and port are optional."""
    parts = urlsplit(f"//{text}")
    host = parts.hostname or ""
    return Hop(
        host,
        parts.port or SUBMISSION_PORT,
        host,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        is_ours=True,
    )


def outbox() -> Path:
    """Returns the folder for notices to the outside in development, one file each."""
    path: Path = settings.POSTERN.path("outbox")
    return path


def _keep(parcel: Parcel) -> Path:
    to = [recipient.address for recipient in parcel.recipients]
    return put_into_outbox(content.read(parcel), to)


def put_into_outbox(raw: bytes, to: Sequence[Address]) -> Path:
    """Writes a message to the outbox folder, which the console shows in development."""
    folder = state_folder.make_private_folder(outbox())
    target = folder / f"{secrets.token_hex(8)}.eml"
    envelope = f"X-Envelope-To: {', '.join(map(str, to))}\r\n".encode()
    state_folder.write_atomically(target, envelope + raw)
    return target
