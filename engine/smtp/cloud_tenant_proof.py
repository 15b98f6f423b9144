"""Proves which tenant of a cloud provider a message comes from.

All tenants of a provider send from the same servers, so that MAIL and RCPT can only be
answered as for the organisation that has the sender's domain; whether it is that
organisation's message, only the message itself shows.
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

# RFC 5322 §3.6, RFC 2045 §3 and §5: once at most. Of several, a signature covers one.
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
    """What a message shows of its origin, before anything in it is changed."""

    sender: Address | None
    header: HeaderBlock
    signatures: list[Result]


def candidates(
    routes: Routes, binding: Binding, address: Address
) -> tuple[ConnectionFacts, ...]:
    """Returns the connections that a message from this address may be bound to.

    Raises MailError where there is none: the same reply as to any unknown server.
    """
    found = routes.cloud_connections(binding.providers, address)
    if not found:
        raise MailError(smtp_replies.AUTH_REQUIRED)
    return found


def confirm_tenant(routes: Routes, binding: Binding, evidence: Evidence) -> Binding:
    """Binds a message to the one connection that all three proofs agree on.

    The servers' address or certificate was checked before; what is left are the tenant
    id, which the provider itself writes, and a signature of one of the organisation's
    own domains. Raises PermanentFailure naming the missing proof, TemporaryFailure while
    the key of a signature cannot be looked up.
    """
    # A bounce has no envelope sender: its author says where it is from.
    address = evidence.sender or authors(evidence.header)[0]
    found = candidates(routes, binding, address)
    proved = next(
        (facts for facts in found if _is_tenant(facts, evidence.header)), None
    )
    missing = list(_missing_proofs(found[0], proved, evidence))
    if missing:
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"Not accepted from <{address}>: the message lacks "
                f"{' and '.join(missing)}; ask your mail administrator"
            )
        )
    _check_no_repeats(evidence.header)
    if proved is None or not _covering_signatures(evidence, proved):
        raise TemporaryFailure(smtp_replies.KEY_UNAVAILABLE)
    return Binding(proved.organisation_id, str(Proof.CLOUD), connection_id=proved.id)


def _missing_proofs(
    candidate: ConnectionFacts, proved: ConnectionFacts | None, evidence: Evidence
) -> Iterator[str]:
    """Yields the proofs that are missing, and will be at a later attempt too."""
    if proved is None:
        yield "the tenant id that the organisation has registered"
    own = candidate.verified_domains
    if _covering_signatures(evidence, candidate) or may_have_signed(
        evidence.signatures, own
    ):
        return
    if has_signed(evidence.signatures, own):
        covered = ", ".join(sorted(_fields_to_sign(evidence.header, candidate)))
        yield f"a DKIM signature of the organisation over {covered}"
    else:
        yield "a valid DKIM signature of a verified domain of the organisation"


def _covering_signatures(evidence: Evidence, facts: ConnectionFacts) -> list[Result]:
    """Returns the organisation's signatures over every field that its provider signs.

    A replayed message may have any text in the fields that its signature leaves out.
    """
    wanted = _fields_to_sign(evidence.header, facts)
    return [
        result
        for result in evidence.signatures
        if has_signed([result], facts.verified_domains)
        and result.signature is not None
        and wanted <= set(result.signature.signed_fields)
    ]


def _fields_to_sign(header: HeaderBlock, facts: ConnectionFacts) -> set[str]:
    if facts.provider is None:
        return {"from"}
    signed = cloud_providers.PROVIDERS[facts.provider].signed_fields
    return {name for name in signed if header.get(name)}


def _check_no_repeats(header: HeaderBlock) -> None:
    """Refuses a repeated field: the signature covers one, a reader may see the other."""
    repeated = [name for name in _ONCE if len(header.all(name)) > 1]
    if repeated:
        raise PermanentFailure(
            smtp_replies.BAD_HEADER.saying(
                f"The header has more than one {repeated[0]}; "
                "it may have one (RFC 5322)"
            )
        )


def _is_tenant(facts: ConnectionFacts, header: HeaderBlock) -> bool:
    if facts.provider is None or not facts.tenant_id:
        return False
    named = cloud_providers.tenant(header, facts.provider)
    return hmac.compare_digest(named.encode(), facts.tenant_id.encode())
