"""Mail from a cloud provider's servers, which every tenant of it shares.

MAIL and RCPT are answered as for the organisation whose domain the sender's is; only
the message itself shows whether it is that organisation's.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail import reply
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.dkim.verify import Result
from engine.mail.errors import MailError, PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.registry import providers
from engine.registry.models import Proof
from engine.registry.routes import ConnectionFacts, Routes
from engine.smtp.authentication import has_signed, may_have_signed
from engine.smtp.binding import Binding


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a message shows of where it comes from, before anything in it is changed."""

    sender: Address | None
    header: HeaderBlock
    signatures: list[Result]


def candidates(
    known: Routes, binding: Binding, address: Address
) -> tuple[ConnectionFacts, ...]:
    """The connections that a message from this address may be bound to.

    Raises MailError, the same as for any server that is not known, where there is none.
    """
    found = known.cloud_connections(binding.providers, address)
    if not found:
        raise MailError(reply.AUTH_REQUIRED)
    return found


def confirmed(known: Routes, binding: Binding, evidence: Evidence) -> Binding:
    """Bind a message to the one connection that all three proofs agree on.

    The source class has been seen already; what is left are the tenant, named by the
    provider itself, and a signature of one of the organisation's own domains. Raises
    PermanentFailure naming what is missing; TemporaryFailure while a key cannot be had.
    """
    # A bounce has no sender: what it is from, its author says.
    address = evidence.sender or authors(evidence.header)[0]
    found = candidates(known, binding, address)
    mine = next((facts for facts in found if _is_of(facts, evidence.header)), None)
    missing = list(_missing(found[0], mine, evidence.signatures))
    if missing:
        raise PermanentFailure(
            reply.SENDER_NOT_ALLOWED.saying(
                f"Not accepted from <{address}>: the message lacks "
                f"{' and '.join(missing)}; ask your mail administrator"
            )
        )
    if mine is None or not has_signed(evidence.signatures, mine.verified_domains):
        raise TemporaryFailure(reply.KEY_UNAVAILABLE)
    return Binding(mine.organisation_id, str(Proof.CLOUD), connection_id=mine.id)


def _missing(
    candidate: ConnectionFacts, mine: ConnectionFacts | None, found: list[Result]
) -> Iterator[str]:
    """What has not been shown, and will not be by a later attempt."""
    if mine is None:
        yield "the tenant id that the organisation has registered"
    own = candidate.verified_domains
    if not has_signed(found, own) and not may_have_signed(found, own):
        yield "a valid DKIM signature of a verified domain of the organisation"


def _is_of(facts: ConnectionFacts, header: HeaderBlock) -> bool:
    if facts.provider is None or not facts.tenant_id:
        return False
    named = providers.tenant(header, facts.provider)
    return hmac.compare_digest(named.encode(), facts.tenant_id.encode())
