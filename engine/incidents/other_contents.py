"""Lets other apps have what they store beside messages scanned again by a re-scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.antivirus.verdict import Verdict
from engine.storage.models import Content


class Scan(Protocol):
    """Scans a content; returns None where the app does not hold it.

    Raises ScannerUnavailable, and what reading a content raises.
    """

    def __call__(self, row: Content) -> Verdict | None: ...


class Close(Protocol):
    """Withdraws an infected content, and notifies its author and the operators."""

    def __call__(self, row: Content, *, signature: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """What an app does with the contents that it holds."""

    scan: Scan
    close: Close


_holders: list[Holder] = []


def register(holder: Holder) -> None:
    """Adds an app's holder, when the app is ready."""
    _holders.append(holder)


def scanned(row: Content) -> tuple[Holder, Verdict] | None:
    """Returns the verdict on a content that another app holds, with its holder."""
    for holder in _holders:
        verdict = holder.scan(row)
        if verdict is not None:
            return holder, verdict
    return None
