"""Ends files that a re-scan finds infected with newer signatures."""

from __future__ import annotations

from django.db import transaction

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.clamd import TooLargeError
from engine.antivirus.verdict import Verdict
from engine.incidents import rescans
from engine.linked_files import downloads, ending, upload
from engine.linked_files.models import End, LinkedFile
from engine.mail.address import Address
from engine.queue.notifications import service_notices, upload_scan
from engine.registry.errors import PolicyError
from engine.storage.models import Content

AUTHOR = """\
The virus scanner has found {signature} in {name}, a file that you added to a message as a
link. It was not known when you added it. We have deleted the file, and its link no longer
works.

Tell your IT department now: the computer that the file came from may be infected. Warn those
who downloaded it: they are under Files sent as links. Questions are for the helpdesk.
"""
FOUND = """\
The re-scan has found {signature} in a file that was sent as a link, with newer signatures.

From: {sender}
Reference of its message: {reference}

The file was deleted, and its author is notified. Who downloaded it is in the trace of the
message.
"""


def scan(row: Content) -> Verdict | None:
    """Scans a file again, and what is inside it; None for a content that is no file.

    Raises ScannerUnavailable and TooLargeError, and as `downloads.open_content` does.
    """
    file = _file_of(row)
    if file is None:
        return None
    # Opened here: the pieces are read in a thread, which must not ask the database.
    with downloads.open_content(file) as body:
        verdict = message_scan.scan_file(iter(lambda: body.read(upload.CHUNK), b""))
    if verdict.signature.startswith(upload.OVER_LIMITS):
        # The scanner's limits are lower than when the file was added: no virus was found.
        raise TooLargeError("the file is over the scanner's limits")
    if verdict.is_infected:
        return verdict
    try:
        with downloads.open_content(file) as body:
            data = body.read()
        examined = upload_scan.check_can_carry(data, name=file.name, content_type="")
    except PolicyError:
        # Of a kind that is refused today; it was scanned as a whole.
        return verdict
    return message_scan.scan_inner(examined.inner, verdict)


@transaction.atomic
def close(row: Content, *, signature: str) -> None:
    """Ends the file, and notifies its author and the operators."""
    file = _file_of(row)
    if file is None or not ending.end(file, End.INFECTED, by=None):
        return
    # The address of a person without a mailbox takes no mail: the sending mailbox does.
    service_notices.send_notice(
        Address.parse(file.author.address),
        subject="A file that you sent as a link is infected, and was deleted",
        text=AUTHOR.format(signature=signature, name=file.name),
    )
    rescans.notify_operators(
        f"Found in a file sent as a link: {signature}",
        FOUND.format(
            signature=signature,
            sender=file.author.address,
            reference=file.reference or "none: it is a draft's",
        ),
    )


def _file_of(row: Content) -> LinkedFile | None:
    rows = LinkedFile.objects.live().filter(content=row)
    return rows.select_related("content", "mailbox", "sender").first()
