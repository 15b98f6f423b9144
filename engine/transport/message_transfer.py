"""Transfers one message to one next hop: ESMTP parameters, limits, and the bytes.

Each session is over TLS whose certificate was verified, whatever the message says: a header
`TLS-Required: No` (RFC 8689 §3) is passed on as it is, and weakens nothing. So a message
sent with REQUIRETLS needs one thing more, that the next hop goes on requiring it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.mail.address import Address
from engine.mail.dsn_parameters import XTEXT
from engine.mail.errors import PermanentFailure
from engine.mail.smtp_replies import TOO_BIG, Reply
from engine.signing.keyring import Signers
from engine.transport import signing, wire_format
from engine.transport.connection_errors import ConversationError
from engine.transport.next_hop import Command
from engine.transport.parcel import (
    Outcome,
    OutcomeState,
    Parcel,
    ParcelRecipient,
    answer,
)
from engine.transport.smtp_client import Session
from engine.transport.tls_attempts import TlsAttempt
from engine.transport.wire_format import WireMessage

NOT_INTERNATIONAL = Reply(553, "5.6.7", "The next hop takes no addresses beyond ASCII")

# RFC 8689 §4.2.1.
NO_REQUIRETLS = Reply(
    550,
    "5.7.30",
    "REQUIRETLS was asked for, and the next hop does not support it; send the message "
    "again without REQUIRETLS, which goes over verified TLS as well",
)


@dataclass(frozen=True, slots=True)
class Transmission:
    """A parcel as its next hop gets it, with the header and addresses to send.

    `signers` are the keys that sign it; without any it goes unsigned.
    """

    parcel: Parcel
    header: bytes
    addresses: tuple[Address, ...]  # beside the parcel's recipients
    signers: Signers

    async def send_over(self, session: Session) -> list[Outcome]:
        """Sends the message; a refusal is an outcome, not an exception.

        Raises ConversationError where the session broke and cannot be reused.
        """
        attempt, session.attempt = session.attempt, None
        return _with_attempt(await self._outcomes(session), attempt)

    async def _outcomes(self, session: Session) -> list[Outcome]:
        try:
            if self.is_international and not session.supports("smtputf8"):
                raise PermanentFailure(NOT_INTERNATIONAL)
            if not self._may_go_over(session):
                raise PermanentFailure(NO_REQUIRETLS)
            message = await wire_format.prepare(
                self.header,
                self.parcel,
                takes_eight_bit=session.supports("8bitmime"),
            )
        except PermanentFailure as refusal:
            return self._failed(refusal.reply, session)
        try:
            message = await signing.signed(message, self.signers)
            return await self._send(message, session)
        finally:
            message.close()

    async def _send(self, message: WireMessage, session: Session) -> list[Outcome]:
        if 0 < session.size_limit < message.size:
            text = f"The next hop takes {session.size_limit} octets, this is {message.size}"
            return self._failed(TOO_BIG.saying(text), session)
        passes_dsn = session.supports("dsn")
        replies = await session.send(
            self._sender(message, session),
            [
                Command(str(address), _recipient_parameters(recipient, passes_dsn))
                for recipient, address in zip(
                    self.parcel.recipients, self.addresses, strict=True
                )
            ],
            message.wire(),
        )
        detail = session.detail | {"passes_dsn": passes_dsn}
        if message.is_converted:
            detail["converted"] = "7bit"
        if self.parcel.requires_tls:
            is_passed_on = session.supports("requiretls")
            detail["requires_tls"] = "passed on" if is_passed_on else "not supported"
        return [
            Outcome(recipient.id, _state(reply), reply, detail)
            for recipient, reply in zip(self.parcel.recipients, replies, strict=True)
        ]

    def _failed(self, reply: Reply, session: Session) -> list[Outcome]:
        return answer(self.parcel, OutcomeState.FAILED, reply, session.detail)

    @property
    def is_international(self) -> bool:
        """True when an address needs SMTPUTF8 (RFC 6531 §3.1)."""
        spoken = [*self.addresses, *filter(None, [self.parcel.sender])]
        return not all(str(address).isascii() for address in spoken)

    def _may_go_over(self, session: Session) -> bool:
        """Returns whether the session meets REQUIRETLS, if it was asked for.

        A notice with the null sender goes without it rather than be lost (RFC 8689 §5).
        """
        is_asked_for = self.parcel.requires_tls and self.parcel.sender is not None
        return not is_asked_for or session.supports("requiretls")

    def _sender(self, message: WireMessage, session: Session) -> Command:
        parameters = []
        if session.supports("size"):
            parameters.append(f"SIZE={message.size}")
        if session.supports("8bitmime"):
            parameters.append("BODY=8BITMIME")
        if self.is_international:
            parameters.append("SMTPUTF8")
        requires_tls = self.parcel.requires_tls
        if requires_tls and session.supports("requiretls"):
            parameters.append("REQUIRETLS")
        if session.supports("dsn"):
            returns_all = self.parcel.wants_full and not requires_tls
            parameters.append("RET=FULL" if returns_all else "RET=HDRS")
            parameters += _parameter("ENVID", self.parcel.envelope_id)
        return Command(str(self.parcel.sender or ""), tuple(parameters))


def broken(parcel: Parcel, hop: object, error: ConversationError) -> list[Outcome]:
    """Returns the outcomes where no conversation took place, or it was cut off."""
    outcomes = answer(
        parcel,
        OutcomeState.DEFERRED,
        error.reply,
        {"next_hop": str(hop), **(error.attempt.detail() if error.attempt else {})},
        error.cause,
    )
    return _with_attempt(outcomes, error.attempt)


def _with_attempt(outcomes: list[Outcome], attempt: TlsAttempt | None) -> list[Outcome]:
    if attempt is None or not outcomes:
        return outcomes
    return [replace(outcomes[0], tls=attempt), *outcomes[1:]]


def _state(reply: Reply) -> OutcomeState:
    if reply.is_positive:
        return OutcomeState.RELAYED
    return OutcomeState.FAILED if reply.is_permanent else OutcomeState.DEFERRED


def _recipient_parameters(
    recipient: ParcelRecipient, passes_dsn: bool
) -> tuple[str, ...]:
    if not passes_dsn:
        return ()
    notify = _parameter("NOTIFY", recipient.notify)
    return (*notify, *_parameter("ORCPT", recipient.original))


def _parameter(name: str, value: str) -> list[str]:
    # A message accepted by an older version may carry one that is malformed: better sent
    # without it than bounced for it.
    return [f"{name}={value}"] if value and XTEXT.fullmatch(value) else []
