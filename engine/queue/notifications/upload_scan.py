"""Scans uploaded files before anything reads or stores them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.antivirus.attachments import policy
from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.mail.errors import MailError
from engine.mail.mime.file_names import canonical
from engine.queue.notifications import infection_alerts
from engine.registry.errors import PolicyError
from engine.registry.models import Person


def check_is_clean(
    data: bytes, *, name: str = "the file", content_type: str = "", by: Person | None
) -> None:
    """Raises PolicyError, with the sentence to show, for a file that must not be taken.

    A kind of file that may not travel as an attachment is not taken either. An infected
    file is quarantined and reported. One from an anonymous visitor (`by` is None) is
    only refused: quarantine would let anonymous visitors fill the disk. The scan may
    take seconds: call this outside every transaction.
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
            infection_alerts.report_infected_file(data, verdict=verdict, by=by)
        raise PolicyError(
            f"The virus scanner found {verdict.signature} in {name}. It was not "
            "added. Tell your IT department."
        )
    with as_policy_error(name):
        policy.unscanned(examined, verdict)


def check_can_carry(data: bytes, *, name: str, content_type: str) -> policy.Examined:
    """Raises PolicyError for a file of a kind that may not travel here."""
    with as_policy_error(name):
        file = policy.File(name, content_type, data)
        return policy.check_can_carry([file], unopened=coverage_proof.current())


@contextmanager
def as_policy_error(name: str) -> Iterator[None]:
    """Converts a refusal of the attachment policy into a PolicyError that names the file."""
    try:
        yield
    except MailError as refusal:
        shown = canonical(name) or "The file"
        raise PolicyError(f"{shown} was not added. {refusal.reply.text}.") from refusal
