"""Files that somebody brings to a page: scanned before anything reads or keeps them."""

from __future__ import annotations

from engine.antivirus import scanner
from engine.antivirus.scanner import ScannerUnavailable
from engine.queue import alerts
from engine.registry.errors import PolicyError
from engine.registry.models import Person


def check_is_clean(data: bytes, *, name: str = "the file", by: Person | None) -> None:
    """Raises PolicyError, with the sentence to show, for what must not be taken.

    An infected file goes into quarantine, and those concerned are told; a stranger's
    (`by` is None) is only refused, or strangers could fill the disk. The scan may take
    seconds: call it outside every transaction.
    """
    try:
        verdict = scanner.scan_file([data])
    except ScannerUnavailable as error:
        raise PolicyError(
            "Files cannot be scanned for viruses at the moment. Try again in a few "
            "minutes."
        ) from error
    if verdict.is_infected:
        if by is not None:
            alerts.infected_file(data, verdict=verdict, by=by)
        raise PolicyError(
            f"The virus scanner found {verdict.signature} in {name}. It was not taken. "
            "Tell your IT department."
        )
