"""Submits mail composed inside the service: webmail, the API, and the service's notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.conf import settings

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.verdict import Verdict
from engine.mail import smtp_replies
from engine.mail.authors import authors
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime import part_walker
from engine.mail.reading import attachments
from engine.queue.enqueue import commit, local_refusals
from engine.queue.enqueue.accepted_message import AcceptedMessage, new_reference
from engine.queue.models import Source
from engine.queue.notifications import infection_alerts, notice_routing
from engine.queue.sending_rates import rate_alerts, rate_limits
from engine.registry import senders
from engine.registry.models import Actor, ApiKey, Person
from engine.registry.senders import Sender
from engine.routing import author_claims, policies, routes
from engine.routing.routes import Routes
from engine.routing.sending_stops import check_not_stopped
from engine.storage import content


def submit(
    raw: bytes,
    *,
    envelope: Envelope,
    source: Source,
    fingerprint: str = "",
    is_everyday: bool = False,
    by: Actor | None,
) -> str:
    """Checks, scans and commits a message, and returns its reference.

    `by` is the person who sends, or an API key that sends as a mailbox of its
    organisation. None is the service itself, which alone may write to addresses outside
    the community; with `is_everyday`, also to those in a member's own domain. A second
    message with the same fingerprint is accepted once. Raises MailError, whose text is
    shown to the sender.
    """
    accepted = prepare(
        raw,
        envelope=envelope,
        source=source,
        fingerprint=fingerprint,
        is_everyday=is_everyday,
        by=by,
    )
    return commit.commit_messages([accepted])[0]


def prepare(
    raw: bytes,
    *,
    envelope: Envelope,
    source: Source,
    by: Actor | None,
    fingerprint: str = "",
    is_everyday: bool = False,
    release_at: datetime | None = None,
) -> AcceptedMessage:
    """Checks and scans a message, for a caller that commits it together with its own rows.

    The scan may take seconds: call this outside every transaction. Raises MailError.
    """
    reference = new_reference()
    with local_refusals.traced(reference, envelope, source, by=by):
        return _prepare(
            raw,
            reference=reference,
            envelope=envelope,
            source=source,
            by=by,
            fingerprint=fingerprint,
            is_everyday=is_everyday,
            release_at=release_at,
        )


def _prepare(
    raw: bytes,
    *,
    reference: str,
    envelope: Envelope,
    source: Source,
    by: Actor | None,
    fingerprint: str,
    is_everyday: bool,
    release_at: datetime | None,
) -> AcceptedMessage:
    if b"\0" in raw:
        raise PermanentFailure(smtp_replies.NUL_INSIDE)
    header, body = split(raw)
    if by is not None and len(raw) > settings.POSTERN.message_size_limit:
        raise PermanentFailure(smtp_replies.TOO_BIG)

    known, routed, destinations = _addressed(
        envelope, header, is_everyday=is_everyday, by=by
    )
    # Before the scan, which is what a sender over the limit must not be able to cost us.
    _check_rates(known, routed, destinations, by=by)
    verdict, unscanned, has_attachments = _scan(raw, routed, reference, by=by)
    header = _mark_unscanned(header, unscanned)
    return AcceptedMessage(
        envelope=routed,
        destinations=destinations,
        kept=content.keep(header, body, has_attachments=has_attachments),
        source=source,
        organisation_id=by.organisation_id if by else None,
        person_id=by.pk if isinstance(by, Person) else None,
        key_id=by.pk if isinstance(by, ApiKey) else None,
        reference=reference,
        fingerprint=fingerprint,
        release_at=release_at,
        detail={
            "scanner": verdict.scanner,
            **({"unscanned": unscanned} if unscanned else {}),
        },
    )


def _addressed(
    envelope: Envelope, header: bytes, *, is_everyday: bool, by: Actor | None
) -> tuple[Routes, Envelope, tuple[str, ...]]:
    """Checks the sender and the recipients.

    Returns the routes by which they are allowed, the envelope with aliases resolved, and
    the destination of each recipient.
    """

    for known in routes.tries():
        try:
            if by is not None:
                _check_sender(known, envelope, header, by)
            return known, *_route(known, envelope, is_everyday=is_everyday, by=by)
        except PermanentFailure as error:
            refusal = error
    raise refusal


def _mark_unscanned(header: bytes, unscanned: list[str]) -> bytes:
    """Adds our mark for unscanned content, and removes a mark that is not ours."""
    # Without either, the header is not parsed: the bytes stay exactly as composed.
    if not unscanned and policy.MARK.lower().encode() not in header.lower():
        return header
    return policy.marked(HeaderBlock.salvage(header), unscanned).to_bytes()


def _check_rates(
    known: Routes, envelope: Envelope, destinations: Sequence[str], *, by: Actor | None
) -> None:
    """Raises RateExceededError, and sends the alert, where the sender is over a rate."""
    if by is None:
        return
    try:
        rate_limits.check_message(
            known, _senders(by), len(envelope.recipients), destinations
        )
    except rate_limits.RateExceededError:
        rate_alerts.send_due_alerts()
        raise


def _senders(by: Actor) -> list[Sender]:
    if isinstance(by, Person):
        return senders.of(by.organisation_id, person_id=by.pk)
    return senders.of(by.organisation_id, key_id=by.pk)


def _check_sender(known: Routes, envelope: Envelope, header: bytes, by: Actor) -> None:
    block = HeaderBlock.parse(header)
    check = _address_check(known, by)
    if envelope.sender is not None:
        check(address=envelope.sender)
    written_by = authors(block)
    for author in written_by:
        check(address=author)
    author_claims.check_claims(known, block, check)
    check_not_stopped(
        known,
        by.organisation_id,
        person_id=by.pk if isinstance(by, Person) else None,
        addresses=[envelope.sender, *written_by],
    )


def _address_check(known: Routes, by: Actor) -> Callable[..., None]:
    """Returns the check whether the person or the key may write as an address."""
    if isinstance(by, Person):
        return partial(policies.check_can_send_as, known, person_id=by.pk)
    return partial(policies.check_key_can_send_as, known, by.organisation_id)


def _route(
    known: Routes, envelope: Envelope, *, is_everyday: bool, by: Actor | None
) -> tuple[Envelope, tuple[str, ...]]:
    """Resolves aliases; returns the envelope and the destination of each recipient."""
    recipients, destinations = [], []
    for recipient in envelope.recipients:
        if by is None:
            address, destination = notice_routing.route_notice(
                known, recipient.address, is_everyday=is_everyday
            )
        else:
            route = known.resolve(recipient.address)
            policies.check_can_reach(known, route, sender=envelope.sender)
            address, destination = route.address, route.destination
        recipients.append(replace(recipient, address=address))
        destinations.append(destination)
    return replace(envelope, recipients=tuple(recipients)), tuple(destinations)


def _scan(
    raw: bytes, envelope: Envelope, reference: str, *, by: Actor | None
) -> tuple[Verdict, list[str], bool]:
    """Refuses infected and forbidden content.

    Returns the verdict, what could not be scanned, and whether a reader is offered
    attachments.
    """
    # The verdict comes before the attachment policy: an infected file of a forbidden
    # kind must raise the alarm, not just be refused for its kind.
    verdict = message_scan.scan_bytes(raw)
    _refuse_infected(verdict, raw, envelope, reference, by=by)
    tree = part_walker.strict_tree(*split(raw))
    examined = policy.check_can_carry(tree.parts(), unopened=coverage_proof.current())
    verdict = message_scan.scan_inner(examined.inner, verdict)
    _refuse_infected(verdict, raw, envelope, reference, by=by)
    unscanned = policy.unscanned(examined, verdict)
    return verdict, unscanned, attachments.offers_files(tree)


def _refuse_infected(
    verdict: Verdict,
    raw: bytes,
    envelope: Envelope,
    reference: str,
    *,
    by: Actor | None,
) -> None:
    if verdict.is_infected:
        infection_alerts.refuse_infected(
            raw,
            reference=reference,
            envelope=envelope,
            verdict=verdict,
            organisation_id=by.organisation_id if by else None,
        )
