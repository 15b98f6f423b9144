"""Sends checkpoints out of the reach of those who control the database.

To a file that is appended to, to addresses, or to a URL: whichever the environment names.
Each of the last day's checkpoints goes to each place once, several in one message. What a
longer outage has kept from a place is not sent later, because each checkpoint covers all
entries before it.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from engine.audit.checkpoints import (
    http_post,
    signing_keys,
    statements,
    time_stamps,
)
from engine.audit.checkpoints.statements import StatementError
from engine.audit.models import Checkpoint
from engine.audit.record import record
from engine.database import clock
from engine.secrets import state_folder

log = logging.getLogger(__name__)

WITHIN = time_stamps.WITHIN
LINES = "application/x-ndjson"
FILE, MAIL, URL = "file", "mail", "url"
# Under this name a row has the host and the file that it was appended to.
APPENDED_TO = "appended_to"
LOCAL_FILE = ("audit", "checkpoints.jsonl")  # under POSTERN_VAR


def send_waiting() -> int:
    """Stamps and sends what was not sent yet. Returns how many were sent somewhere.

    A place that fails stops no other. Raises the first of their errors at the end, so that
    the job is shown to the operators and repeated.
    """
    since = clock.now() - WITHIN
    rows = list(Checkpoint.objects.filter(at__gte=since).order_by("pk"))
    errors: list[Exception] = []
    _stamp(rows, errors)
    sent = 0
    for name, send in _places():
        waiting = [row for row in rows if name not in row.sent]
        if not waiting:
            continue
        try:
            send(waiting)
        except Exception as error:
            log.exception("checkpoints were not sent: %s", name)
            errors.append(error)
            continue
        for row in waiting:
            row.sent[name] = clock.now().isoformat()
            if name == FILE:
                row.sent[APPENDED_TO] = _on_this_host()
            row.save(update_fields=["sent"])
        sent += len(waiting)
    if errors:
        raise errors[0]
    return sent


def file_here() -> str:
    """Returns the file that checkpoints are appended to; empty where there is none.

    In production one under POSTERN_VAR where none is configured: who reaches the database
    alone does not reach that.
    """
    configured = settings.POSTERN.audit_checkpoint_file
    if configured or settings.POSTERN.env != "production":
        return configured
    return str(settings.POSTERN.path(*LOCAL_FILE))


def missing_from_file() -> list[Checkpoint]:
    """Returns the checkpoints that this host appended to its file, and that it has lost.

    Without those of a compromised key, which prove nothing once they are appended again.
    Raises OSError where the file is there and cannot be read.
    """
    path = file_here()
    appended = Checkpoint.objects.filter(**{f"sent__{APPENDED_TO}": _on_this_host()})
    if not path or not appended.exists():
        return []
    kept: set[str] = set()
    try:
        for _, line in statements.lines_of(path):
            with suppress(StatementError):
                kept.add(statements.from_line(line).id)
    except FileNotFoundError:
        pass
    stolen = signing_keys.compromised()
    return [row for row in appended.order_by("pk") if _is_missed(row, kept, stolen)]


@transaction.atomic
def append_again() -> int:
    """Appends what the file has lost and the table still has, and records how many."""
    rows = missing_from_file()
    if rows:
        record(
            "audit.checkpoints_appended_again",
            signing_keys.current(),
            detail={"count": len(rows)},
            by=None,
        )
        _append(rows)
    return len(rows)


def as_lines(rows: Sequence[Checkpoint]) -> bytes:
    """Returns a line of JSON for each checkpoint."""
    return b"".join(
        statements.to_line(
            statements.parse(row.statement, row.signature, row.time_stamp)
        )
        for row in rows
    )


def _stamp(rows: Sequence[Checkpoint], errors: list[Exception]) -> None:
    if not settings.POSTERN.audit_tsa_url:
        return
    for row in rows:
        if row.time_stamp:
            continue
        try:
            token = time_stamps.request(row.signature)
            if settings.POSTERN.audit_tsa_ca_file:
                time_stamps.check(statements.parse(row.statement, row.signature, token))
            row.time_stamp = token
        except time_stamps.TimeStampError as error:
            log.warning("a checkpoint has no time stamp: %s", error)
            errors.append(error)
            return
        row.save(update_fields=["time_stamp"])


def _places() -> Iterator[tuple[str, Callable[[Sequence[Checkpoint]], None]]]:
    """Yields the name of each place that is configured, and what sends there."""
    if file_here():
        yield FILE, _append
    for address in settings.POSTERN.audit_checkpoint_addresses:
        # Each by itself, so that one that is refused does not repeat the others' mail.
        yield f"{MAIL} {address}", partial(_mail, address)
    if settings.POSTERN.audit_checkpoint_url:
        yield URL, _post


def _is_missed(row: Checkpoint, kept: Container[str], stolen: Container[str]) -> bool:
    try:
        found = statements.parse(row.statement, row.signature)
    except StatementError:
        return False  # the verification reports the row itself
    return found.id not in kept and found.key not in stolen


def _on_this_host() -> str:
    return f"{socket.gethostname()}:{file_here()}"


def _append(rows: Sequence[Checkpoint]) -> None:
    path = file_here()
    if not settings.POSTERN.audit_checkpoint_file:
        state_folder.subfolder(*LOCAL_FILE[:-1])
    with open(path, "a+b", opener=state_folder.private_opener) as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                # A line that was cut off, by a crash or a full disk, ends here.
                file.write(b"\n")
        file.write(as_lines(rows))
        file.flush()
        os.fsync(file.fileno())


def _mail(address: str, rows: Sequence[Checkpoint]) -> None:
    last = rows[-1]
    name = settings.POSTERN.community_name
    message = EmailMessage(
        f"[{name}] Audit trail: {last.length} entries",
        f"At {last.at:%-d %B %Y, %H:%M} UTC the audit trail of {name} had {last.length} "
        f"entries, and the digest of the last was\n\n{last.digest}\n\n"
        "Keep this message and its attachment where nobody who runs the service can "
        "change them. manage.py verify_audit --checkpoints FILE --key KEY compares the "
        "audit trail with the attachment. The key is\n\n"
        f"{signing_keys.current().public_key}",
        to=[address],
    )
    message.attach(f"checkpoint-{last.length}.jsonl", as_lines(rows), LINES)
    message.send()


def _post(rows: Sequence[Checkpoint]) -> None:
    http_post.post(settings.POSTERN.audit_checkpoint_url, as_lines(rows), LINES)
