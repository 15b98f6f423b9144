"""An infected message: a copy for the operator, and word to those who must know."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError, PermanentFailure
from engine.mail.message import split
from engine.queue.enqueue import commit
from engine.queue.models import Source
from engine.queue.notifications import notice_routing
from engine.registry.models import Person, RoleName
from engine.routing import routes
from engine.storage import content
from engine.trace import event_log
from engine.trace.models import EventKind

log = logging.getLogger(__name__)

TEXT = """\
The virus scanner found {signature} in a message and refused it. It was not delivered
to anybody.

From: {sender}
To: {recipients}
Reference: {reference}

If you sent this message, tell your IT department: your computer may be infected.
Do not send it again. If you need help, call the helpdesk and quote the reference.
"""


# Whoever sends the same again and again is written about once in so long.
QUIET = timedelta(minutes=15)


def refuse(
    raw: bytes,
    *,
    reference: str,
    envelope: Envelope,
    verdict: Verdict,
    organisation_id: int | None,
) -> NoReturn:
    """Raise the alarm, and then PermanentFailure with what whoever sends it reads."""
    infected(
        raw,
        reference=reference,
        envelope=envelope,
        verdict=verdict,
        organisation_id=organisation_id,
    )
    text = f"The virus scanner found {verdict.signature}; nothing was sent"
    raise PermanentFailure(
        smtp_replies.INFECTED.saying(f"{text} (our reference {reference})")
    )


def infected(
    raw: bytes,
    *,
    reference: str,
    envelope: Envelope,
    verdict: Verdict,
    organisation_id: int | None,
) -> None:
    """Put an infected message into quarantine, trace it, and tell those concerned:
    the operator, the organisation's administrators, and the sender.

    All of it or nothing: a row without its notices would keep the next alarm quiet.
    """
    # Copied first: on SQLite all that write would wait for the disk.
    with quarantine.copied(io.BytesIO(raw)) as copy, transaction.atomic():
        kept = quarantine.keep(
            copy,
            reference=reference,
            verdict=verdict,
            envelope=envelope,
            organisation_id=organisation_id,
        )
        _trace_and_notify(kept, envelope, verdict)


def _trace_and_notify(
    kept: QuarantinedMessage, envelope: Envelope, verdict: Verdict
) -> None:
    event = event_log.event(
        kept.reference,
        EventKind.QUARANTINED,
        sender=kept.sender,
        signature=verdict.signature,
        organisation_id=kept.organisation_id,
    )
    event_log.events([event])
    if _was_told(kept):
        return
    told = set(concerned(kept.organisation_id))
    if envelope.sender is not None:
        told.add(envelope.sender)
    for recipient in told:
        _tell(recipient, reference=kept.reference, envelope=envelope, verdict=verdict)


def infected_file(data: bytes, *, verdict: Verdict, by: Person) -> None:
    """The same for a file that somebody brought to a page: it went nowhere."""
    infected(
        data,
        reference=commit.new_reference(),
        envelope=Envelope.simple(Address.parse(by.address)),
        verdict=verdict,
        organisation_id=by.organisation_id,
    )


def _was_told(kept: QuarantinedMessage) -> bool:
    earlier = QuarantinedMessage.objects.filter(
        sender=kept.sender,
        organisation_id=kept.organisation_id,
        signature=kept.signature,
        at__gt=kept.at - QUIET,
    )
    return earlier.exclude(pk=kept.pk).exists()


def concerned(organisation_id: int | None) -> Iterator[Address]:
    """Where the operators and the organisation's administrators read."""
    people = Person.objects.filter(
        Q(staff_roles__role=RoleName.OPERATOR)
        | Q(
            organisation_roles__role=RoleName.ADMINISTRATOR,
            organisation_roles__organisation_id=organisation_id,
        ),
        is_active=True,
    ).select_related("mailbox")
    for person in people.distinct():
        # Whoever has no mailbox here reads elsewhere: at best where they read every day.
        elsewhere = "" if hasattr(person, "mailbox") else person.everyday_address
        try:
            yield Address.parse(elsewhere or person.address)
        except InvalidAddressError:
            # One broken row must not keep the alarm from all the others.
            log.warning("no notice to person %s, who has no valid address", person.pk)


def _tell(
    recipient: Address, *, reference: str, envelope: Envelope, verdict: Verdict
) -> None:
    text = TEXT.format(
        signature=verdict.signature,
        sender=envelope.sender or "unknown",
        recipients=", ".join(str(address) for address in envelope.addresses[:20]),
        reference=reference,
    )
    notify(recipient, subject=f"A message was refused: {verdict.signature}", text=text)


def notify(recipient: Address, *, subject: str, text: str) -> None:
    """Queue a notice of the service; where it may not go, leave a line in the log."""
    raw = compose(
        sender=_service(),
        to=[NamedAddress("", recipient)],
        subject=subject,
        text=text,
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        address, destination = notice_routing.of_notice(routes.current(), recipient)
    except MailError as error:
        log.warning("no notice to %s, %s: %s", recipient, subject, error)
        return
    commit.commit(
        [
            commit.Incoming(
                envelope=Envelope.simple(None, address),
                destinations=(destination,),
                kept=content.keep(*split(raw)),
                source=Source.SYSTEM,
            )
        ]
    )


def _service() -> NamedAddress:
    posting = settings.POSTERN
    return NamedAddress(
        posting.community_name, Address("notices", posting.community_domain)
    )
