"""Sending what mailboxes owe because of what arrived: forwards, and words of absence.

An errand and what it sends are settled in one transaction, so that a crash at any moment
neither loses nor doubles anything. What cannot be sent now is put off, not spun on.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from django.db import transaction

from engine import clock
from engine.audit.record import record as audit
from engine.mail.address import Address, InvalidAddressError
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.queue.automatic_mail import out_of_office_reply
from engine.queue.automatic_mail.list_expansion import PASSED, has_passed
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.models import Source
from engine.registry.models import Actor
from engine.routing import policies, routes
from engine.storage import content
from engine.storage.models import FAULT_LENGTH, Errand, ErrandKind, Message

log = logging.getLogger(__name__)

LIMIT = 100  # errands in one go
PUT_OFF = timedelta(minutes=1)
MAX_ATTEMPTS = 10


def run() -> int:
    """Run what is due; return how many errands that were.

    One that fails is put off, and set aside in the end; it stops no other.
    """
    due = Errand.objects.filter(due_at__lte=clock.now(), set_aside_at=None)
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:LIMIT])
    for errand_id in ids:
        try:
            _run(errand_id)
        except Exception as error:
            log.exception("errand %s is put off", errand_id)
            _put_off(errand_id, str(error) or type(error).__name__)
    return len(ids)


@transaction.atomic
def _run(errand_id: int) -> None:
    errand = _claimed(errand_id)
    if errand is None:
        return
    try:
        incoming = _incoming(errand)
    except (PermanentFailure, InvalidAddressError) as refusal:
        log.info("errand %s has nobody to go to: %s", errand_id, refusal)
        incoming = None
    errand.delete()
    if incoming is not None:
        commit.commit([incoming])


def _claimed(errand_id: int) -> Errand | None:
    """The errand, unless another process is at it or has done it."""
    rows = Errand.objects.select_for_update(skip_locked=True, of=("self",))
    return (
        rows.filter(pk=errand_id)
        .select_related("message__content", "message__mailbox")
        .first()
    )


def _put_off(errand_id: int, fault: str) -> None:
    """Try it again later; the last time, leave it to the operators, who see it in Health."""
    errand = Errand.objects.filter(pk=errand_id).first()
    if errand is None:
        return  # another process did it meanwhile
    errand.attempts += 1
    errand.fault = fault[:FAULT_LENGTH]
    now = clock.now()
    errand.due_at = now + PUT_OFF * 2**errand.attempts
    if errand.attempts >= MAX_ATTEMPTS:
        log.error("errand %s is set aside", errand_id)
        errand.set_aside_at = now
    errand.save(update_fields=["attempts", "fault", "due_at", "set_aside_at"])


@transaction.atomic
def retry(*, by: Actor | None) -> int:
    """Try again now what was set aside; return how many errands that are."""
    rows = list(Errand.objects.exclude(set_aside_at=None).select_for_update())
    for row in rows:
        row.set_aside_at, row.attempts, row.due_at = None, 0, clock.now()
        audit("errand.retried", row, detail={"fault": row.fault}, by=by)
    Errand.objects.bulk_update(rows, ["set_aside_at", "attempts", "due_at"])
    return len(rows)


def _incoming(errand: Errand) -> Incoming | None:
    """What it sends; None for nothing.

    Raises PermanentFailure for nobody.
    """
    if errand.kind == ErrandKind.ANSWER:
        return out_of_office_reply.answer(errand.message)
    return _forward(errand.message, Address.parse(errand.target))


def _forward(message: Message, target: Address) -> Incoming | None:
    """The same bytes to somebody else in the community, once round no circle."""
    own = Address.parse(message.mailbox.address)
    header = HeaderBlock.salvage(bytes(message.content.header))
    if has_passed(header, own):
        return None
    known = routes.current()
    route = known.resolve(target)
    policies.check_can_reach(known, route, sender=own)
    marked = header.prepended(PASSED, own.key)
    return Incoming(
        envelope=Envelope.simple(own, route.address),
        destinations=(route.destination,),
        kept=content.under(message.content, marked.to_bytes()),
        source=Source.SYSTEM,
        organisation_id=message.mailbox.organisation_id,
        person_id=message.mailbox.owner_id,
        fingerprint=_fingerprint(message, header, route.address),
        detail={"forwarded_from": str(own)},
    )


def _fingerprint(message: Message, header: HeaderBlock, target: Address) -> str:
    """The same for one message on one way, by however many detours it comes here.

    Otherwise ten mailboxes that all forward to each other would make millions of one.
    """
    facts = (
        message.mailbox.address,
        target.key,
        header.text("Message-ID"),
        header.text("Received"),  # with our own reference of it
        message.content.body_digest,
    )
    return hashlib.sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()
