"""Logs and traces what people in webmail and API keys were refused."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.caches import counting
from engine.database import clock
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.mail.smtp_replies import Reply
from engine.queue import log_lines
from engine.queue.models import Source
from engine.registry.models import Actor, Person
from engine.trace import event_log

log = logging.getLogger(__name__)

# Recipients of one refused message that are traced.
RECIPIENTS = 100
# Refusals of one sender in a minute that are traced; the log has every one.
LIMIT = 100
MINUTE = 60  # seconds


@contextmanager
def traced(
    reference: str, envelope: Envelope, source: Source, *, by: Actor | None
) -> Iterator[None]:
    """Traces a MailError under the reference that the message would have had.

    A permanent refusal then quotes the reference. What the service itself could not send
    is logged only. Call it outside transactions, which the error would roll back.
    """
    try:
        yield
    except MailError as error:
        try:
            _note(error, envelope, source, reference=reference, by=by)
        except Exception:
            # What was refused, and why, is said all the same.
            log.exception("a refusal was not traced: %s", reference)
        raise


def _note(
    error: MailError,
    envelope: Envelope,
    source: Source,
    *,
    reference: str,
    by: Actor | None,
) -> None:
    owner = by.organisation_id if by else None
    log_lines.log_refusal(
        error.reply, envelope, source, reference=reference, organisation_id=owner
    )
    if by is None or not _is_worth_a_trace(error.reply, by):
        return
    detail = _detail(error.reply, envelope, source, by)
    rows = [
        (reference, str(address), detail, owner)
        for address in envelope.addresses[:RECIPIENTS]
    ]
    rows = rows or [(reference, "", detail, owner)]
    event_log.insert_refusals(rows, at=clock.now())
    if error.reply.is_permanent:
        error.reply = error.reply.quoting(reference)


def _is_worth_a_trace(reply: Reply, by: Actor) -> bool:
    """Bounds what one sender may write; a temporary refusal is repeated by itself."""
    key = f"refused-{by.audit_key}"
    if reply.is_temporary:
        # Without numbers, such as the seconds until a rate allows more.
        kind = re.sub(r"\d+", "", reply.text)
        key += hashlib.sha256(kind.encode()).hexdigest()[:16]
        return counting.count(key, seconds=MINUTE).number == 1
    return counting.count(key, seconds=MINUTE).number <= LIMIT


def _detail(
    reply: Reply, envelope: Envelope, source: Source, by: Actor
) -> dict[str, Any]:
    own = {"person_id": by.pk} if isinstance(by, Person) else {"key_id": by.pk}
    return {
        "reply": str(reply),
        "sender": str(envelope.sender or ""),
        "source": str(source),
        "organisation_id": by.organisation_id,
        **own,
    }
