"""The result of one check, and how several are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """A warning may be intended; with a fault the service would not start or work."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Result:
    """What was checked, and in a sentence what was found and what to do."""

    check: str
    status: Status
    detail: str


def ok(check: str, detail: str) -> Result:
    """Returns the result of a check that found nothing wrong."""
    return Result(check, Status.OK, detail)


def warning(check: str, detail: str) -> Result:
    """Returns a result that the administrator should know and may have intended."""
    return Result(check, Status.WARNING, detail)


def fault(check: str, detail: str) -> Result:
    """Returns a result that keeps this host from serving."""
    return Result(check, Status.FAULT, detail)


def has_faults(results: Iterable[Result]) -> bool:
    """Returns whether any result is a fault."""
    return any(one.status is Status.FAULT for one in results)


def as_lines(results: Iterable[Result]) -> str:
    """Returns one line for each result: status, check, detail."""
    return "\n".join(
        f"{one.status:8} {one.check:16} {' '.join(one.detail.split())}"
        for one in results
    )


def as_json(results: Sequence[Result]) -> str:
    """Returns {"ready": bool, "checks": [{"check", "status", "detail"}]}."""
    document = {
        "ready": not has_faults(results),
        "checks": [asdict(one) for one in results],
    }
    return json.dumps(document, indent=2)
