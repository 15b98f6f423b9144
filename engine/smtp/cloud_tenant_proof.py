"""Mail from a cloud provider's servers, which every tenant of it shares.

MAIL and RCPT are answered as for the organisation whose domain the sender's is; only
the message itself shows whether it is that organisation's.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.dkim.verification import Result
from engine.mail.errors import MailError, PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.registry.connections import cloud_providers
from engine.registry.models import Proof
from engine.routing.routes import ConnectionFacts, Routes
from engine.smtp.authentication_results import has_signed, may_have_signed
from engine.smtp.session_binding import Binding

# RFC 5322 §3.6, RFC 2045 §3 and §5: once at most. A signature covers one of several.
_ONCE = (
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
)


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
        raise MailError(smtp_replies.AUTH_REQUIRED)
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
    missing = list(_missing(found[0], mine, evidence))
    if missing:
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"Not accepted from <{address}>: the message lacks "
                f"{' and '.join(missing)}; ask your mail administrator"
            )
        )
    _check_is_once(evidence.header)
    if mine is None or not _covering(evidence, mine):
        raise TemporaryFailure(smtp_replies.KEY_UNAVAILABLE)
    return Binding(mine.organisation_id, str(Proof.CLOUD), connection_id=mine.id)


def _missing(
    candidate: ConnectionFacts, mine: ConnectionFacts | None, evidence: Evidence
) -> Iterator[str]:
    """What has not been shown, and will not be by a later attempt."""
    if mine is None:
        yield "the tenant id that the organisation has registered"
    own = candidate.verified_domains
    if _covering(evidence, candidate) or may_have_signed(evidence.signatures, own):
        return
    if has_signed(evidence.signatures, own):
        covered = ", ".join(sorted(_to_be_signed(evidence.header, candidate)))
        yield f"a DKIM signature of the organisation over {covered}"
    else:
        yield "a valid DKIM signature of a verified domain of the organisation"


def _covering(evidence: Evidence, facts: ConnectionFacts) -> list[Result]:
    """The organisation's signatures that cover every field that its provider signs.

    What a signature leaves out, anybody who repeats the message may write.
    """
    wanted = _to_be_signed(evidence.header, facts)
    return [
        result
        for result in evidence.signatures
        if has_signed([result], facts.verified_domains)
        and result.signature is not None
        and wanted <= set(result.signature.signed_fields)
    ]


def _to_be_signed(header: HeaderBlock, facts: ConnectionFacts) -> set[str]:
    if facts.provider is None:
        return {"from"}
    signed = cloud_providers.PROVIDERS[facts.provider].signed_fields
    return {name for name in signed if header.get(name)}


def _check_is_once(header: HeaderBlock) -> None:
    """Refuse what stands twice: a signature covers one, and a reader may see the other."""
    twice = [name for name in _ONCE if len(header.all(name)) > 1]
    if twice:
        raise PermanentFailure(
            smtp_replies.BAD_HEADER.saying(
                f"The header has more than one {twice[0]}; it may have one (RFC 5322)"
            )
        )


def _is_of(facts: ConnectionFacts, header: HeaderBlock) -> bool:
    if facts.provider is None or not facts.tenant_id:
        return False
    named = cloud_providers.tenant(header, facts.provider)
    return hmac.compare_digest(named.encode(), facts.tenant_id.encode())
