"""Quarantines infected content, and alerts operators, administrators and the sender."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import IO, NoReturn

from django.db import transaction

from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict
from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue.accepted_message import new_reference
from engine.queue.notifications import service_notices
from engine.registry.models import Person
from engine.trace import event_log
from engine.trace.models import EventKind

TEXT = """\
The virus scanner found {signature} in a message and refused it. It was not delivered
to anybody.

From: {sender}
To: {recipients}
Reference: {reference}

If you sent this message, tell your IT department: your computer may be infected.
Do not send it again. If you need help, call the helpdesk and quote the reference.
"""


# An infected computer sends the same virus repeatedly; alerts for it are this far apart.
ALERT_INTERVAL = timedelta(minutes=15)


def refuse_infected(
    raw: bytes,
    *,
    reference: str,
    envelope: Envelope,
    verdict: Verdict,
    organisation_id: int | None,
) -> NoReturn:
    """Reports an infected message, then raises PermanentFailure for its sender."""
    report_infected_message(
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


def report_infected_message(
    raw: bytes | IO[bytes],
    *,
    reference: str,
    envelope: Envelope,
    verdict: Verdict,
    organisation_id: int | None,
) -> None:
    """Quarantines an infected message, traces it, and alerts those responsible: the
    operators, the organisation's administrators, and the sender.

    All of it or nothing, because a quarantine row without its alerts would suppress the
    next alert.
    """
    # The copy is written before the transaction: on SQLite every writer would otherwise
    # wait for the disk.
    source = io.BytesIO(raw) if isinstance(raw, bytes) else raw
    copied = quarantine.copied(source, organisation_id=organisation_id)
    with copied as copy, transaction.atomic():
        kept = quarantine.keep(
            copy,
            reference=reference,
            verdict=verdict,
            envelope=envelope,
            organisation_id=organisation_id,
        )
        _trace_and_notify(kept, envelope, verdict)


def report_infected_file(
    data: bytes | IO[bytes], *, verdict: Verdict, by: Person
) -> None:
    """Quarantines an infected upload and alerts, as for a message without recipients."""
    report_infected_message(
        data,
        reference=new_reference(),
        envelope=Envelope.simple(Address.parse(by.address)),
        verdict=verdict,
        organisation_id=by.organisation_id,
    )


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
    event.refused_for_id = kept.organisation_id
    event_log.save([event])
    if _was_alerted(kept):
        return
    recipients = set(service_notices.alert_recipients(kept.organisation_id))
    if envelope.sender is not None:
        recipients.add(envelope.sender)
    for recipient in recipients:
        _notify(recipient, reference=kept.reference, envelope=envelope, verdict=verdict)


def _was_alerted(kept: QuarantinedMessage) -> bool:
    earlier = QuarantinedMessage.objects.filter(
        sender=kept.sender,
        organisation_id=kept.organisation_id,
        signature=kept.signature,
        at__gt=kept.at - ALERT_INTERVAL,
    )
    return earlier.exclude(pk=kept.pk).exists()


def _notify(
    recipient: Address, *, reference: str, envelope: Envelope, verdict: Verdict
) -> None:
    text = TEXT.format(
        signature=verdict.signature,
        sender=envelope.sender or "unknown",
        recipients=", ".join(str(address) for address in envelope.addresses[:20]),
        reference=reference,
    )
    subject = f"A message was refused: {verdict.signature}"
    service_notices.send_notice(recipient, subject=subject, text=text)
