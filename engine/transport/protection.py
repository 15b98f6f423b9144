"""What protects a session with a next hop: the policy that applies to its TLS.

TLS is mandatory for every next hop, and its certificate is verified: by the connection's own
pin, by the TLSA records of its zone (see `dane`), or by the authorities that we trust. A
policy can ask for another proof; none asks for less.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from engine.mail.smtp_replies import Reply
from engine.network.dns import DnsUnavailable
from engine.network.dnssec import DnssecBogus
from engine.transport import dane, dane_verification, tls
from engine.transport.connection_errors import (
    DNSSEC_BOGUS,
    NO_DNSSEC_ANSWER,
    NOT_IN_ITS_DNS,
    ConversationError,
)
from engine.transport.dane import DanePolicy
from engine.transport.dane_verification import DaneError
from engine.transport.next_hop import Hop
from engine.transport.parcel import Cause
from engine.transport.tls_attempts import PolicyType, ResultType, TlsAttempt


@dataclass(frozen=True, slots=True)
class Protection:
    """The policy for one session with a next hop."""

    hop: Hop
    dane: DanePolicy | None = None

    @classmethod
    async def find(cls, hop: Hop) -> Protection:
        """Returns what applies to the next hop.

        Raises ConversationError where that is not known now: mail waits, because an
        attacker who holds back an answer must not lift the protection.
        """
        try:
            return cls(hop, await dane.find(hop))
        except DnssecBogus as error:
            attempt = TlsAttempt(PolicyType.DANE, hop.host, hop.host)
            raise ConversationError(
                DNSSEC_BOGUS, Cause.TLS, attempt.failed(ResultType.DNSSEC_INVALID)
            ) from error
        except DnsUnavailable as error:
            raise ConversationError(NO_DNSSEC_ANSWER, Cause.UNREACHABLE) from error

    @property
    def server_name(self) -> str:
        """The name that the server is called by, and that its certificate must carry."""
        return self.dane.base if self.dane else self.hop.tls_name

    @property
    def attempt(self) -> TlsAttempt:
        """The record of an attempt under this policy, as if it had succeeded."""
        host = self.hop.host
        if self.dane is None:
            return TlsAttempt(PolicyType.NONE, host, host)
        records = tuple(map(str, self.dane.records))
        return TlsAttempt(PolicyType.DANE, self.dane.base, host, policy=records)

    @classmethod
    def find_now(cls, hop: Hop) -> Protection:
        """Returns the same as `find`, for a thread without an event loop."""
        return asyncio.run(cls.find(hop))

    def context(self) -> ssl.SSLContext:
        """Returns the context to start TLS with. Reads files: call it in a thread."""
        return tls.dane_context() if self.dane else tls.client_context()

    def check(self, secured: ssl.SSLObject | ssl.SSLSocket) -> dict[str, Any]:
        """Checks what TLS itself did not, before anything else is said to the server.

        Returns the facts for the trace. Raises ConversationError.
        """
        facts = tls.describe(secured, self.server_name) | self.attempt.detail()
        if self.dane is None:
            return facts
        chain = dane_verification.chain_of(secured)
        try:
            matched = dane_verification.verify(self.dane, chain)
        except DaneError as error:
            raise ConversationError(
                not_in_its_dns(error), Cause.TLS, self.attempt.failed(error.result)
            ) from error
        own = x509.load_der_x509_certificate(chain[0])
        names = sorted(dane_verification.names_of(own))[: tls.NAMES_RECORDED]
        return facts | {"certificate_names": names, "tlsa": matched}


def not_in_its_dns(error: DaneError) -> Reply:
    """Returns the reply for a certificate that is none of those in the DNS."""
    return NOT_IN_ITS_DNS.saying(f"{NOT_IN_ITS_DNS.text}: {error}")
