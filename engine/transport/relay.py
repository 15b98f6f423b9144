"""Relays to the next hop of an organisation's connection, over verified TLS only."""

from __future__ import annotations

from dataclasses import replace

from engine.mail.address import Address
from engine.mail.header import HeaderBlock
from engine.mail.mime.encoded_words import encode_text
from engine.mail.smtp_replies import Reply
from engine.registry.connections.cloud_providers import TENANT_FIELDS, without_tenant
from engine.routing.routes import ConnectionFacts
from engine.signing.keyring import Keyring
from engine.storage import content
from engine.transport.connection_errors import ConversationError
from engine.transport.message_transfer import Transmission, broken
from engine.transport.next_hop import Hop
from engine.transport.parcel import Outcome, OutcomeState, Parcel, answer
from engine.transport.session_pool import Pool
from engine.transport.sts_enforcement import Binder
from engine.transport.tls_attempts import PolicyType

NO_NEXT_HOP = Reply(451, "4.4.4", "The connection has no next hop yet")


class Relay:
    """The transport for destinations that are connections."""

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring

    async def deliver(self, parcel: Parcel) -> list[Outcome]:
        """Sends the parcel in one conversation; header addresses stay as they are."""
        facts = parcel.connection
        if facts is None or not facts.next_hop_host:
            return answer(parcel, OutcomeState.DEFERRED, NO_NEXT_HOP)
        hop = Hop(facts.next_hop_host, facts.next_hop_port, facts.tls_name)
        binder = Binder.of(parcel, hop)
        try:
            async with self._pool.session(hop) as session:
                if session.is_bound_by_dane:
                    return await self._transmission(parcel, facts).send_over(session)
                free, forbidden = binder.divide(parcel.recipients, facts)
                outcomes = binder.only(forbidden, facts).refused(parcel, forbidden)
                if free:
                    part = replace(parcel, recipients=tuple(free))
                    sent = await self._transmission(part, facts).send_over(session)
                    outcomes += binder.only(free, facts).named(sent)
                return outcomes
        except ConversationError as error:
            outcomes = broken(parcel, hop, error)
            is_ours = error.attempt and error.attempt.policy_type is PolicyType.NONE
            bound = binder.only(parcel.recipients, facts)
            return bound.named(outcomes) if is_ours else outcomes

    def _transmission(self, parcel: Parcel, facts: ConnectionFacts) -> Transmission:
        return Transmission(
            parcel,
            tagged(_without_tenant_claims(content.header(parcel)), facts.subject_tag),
            tuple(
                _outward(recipient.address, facts) for recipient in parcel.recipients
            ),
            self._keyring.signers,
        )

    async def close(self) -> None:
        """Closes the idle sessions."""
        await self._pool.close()


def _without_tenant_claims(header: bytes) -> bytes:
    """Removes fields that name a cloud tenant, which the next hop might believe."""
    if not any(name.encode() in header.lower() for name in TENANT_FIELDS):
        return header
    return without_tenant(HeaderBlock.parse(header)).to_bytes()


def tagged(header: bytes, tag: str) -> bytes:
    """Prepends the tag to the subject, once however often the message passes."""
    if not tag:
        return header
    block = HeaderBlock.parse(header)
    subject = block.get("Subject")
    if subject is None:
        return block.prepended("Subject", tag).to_bytes()
    mark = encode_text(tag).encode()
    if mark in subject.value:
        return header
    marked = block.with_replaced(
        "Subject", lambda written: b" " + mark + b" " + written.lstrip(b" ")
    )
    return marked.to_bytes()


def _outward(address: Address, facts: ConnectionFacts) -> Address:
    return facts.domains.to_member(address) if facts.strips_suffix else address
