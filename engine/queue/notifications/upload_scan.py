"""Files that somebody brings to a page: scanned before anything reads or keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.message_scan import ScannerUnavailable
from engine.mail.errors import MailError
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import infection_alerts
from engine.registry.errors import PolicyError
from engine.registry.models import Person


def check_is_clean(
    data: bytes, *, name: str = "the file", content_type: str = "", by: Person | None
) -> None:
    """Raises PolicyError, with the sentence to show, for what must not be taken.

    A kind of file that may not travel as an attachment is not taken either. An infected
    file goes into quarantine, and those concerned are told; a stranger's (`by` is None)
    is only refused, or strangers could fill the disk. The scan may take seconds: call
    it outside every transaction.
    """
    examined = check_can_carry(data, name=name, content_type=content_type)
    try:
        verdict = message_scan.scan_file([data])
        verdict = message_scan.scan_inner(examined.inner, verdict)
    except ScannerUnavailable as error:
        raise PolicyError(
            "Files cannot be scanned for viruses at the moment. Try again in a few "
            "minutes."
        ) from error
    if verdict.is_infected:
        if by is not None:
            infection_alerts.infected_file(data, verdict=verdict, by=by)
        raise PolicyError(
            f"The virus scanner found {verdict.signature} in {name}. It was not taken. "
            "Tell your IT department."
        )
    with refused(name):
        policy.unscanned(examined, verdict)


def check_can_carry(data: bytes, *, name: str, content_type: str) -> policy.Examined:
    """Raises PolicyError for a file of a kind that may not travel here."""
    with refused(name):
        file = policy.File(name, content_type, data)
        return policy.check_can_carry([file], unopened=coverage_proof.current())


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Say a refusal of the policy as PolicyError, for the page with the file."""
    try:
        yield
    except MailError as refusal:
        shown = canonical(name) or "The file"
        raise PolicyError(f"{shown} was not added. {refusal.reply.text}.") from refusal
