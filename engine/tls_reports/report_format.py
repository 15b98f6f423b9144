"""Reads a TLS report (RFC 8460 §4.4), which a stranger wrote, within fixed bounds."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

# Octets, packed and unpacked. A day's report of a large provider has some ten thousand.
PACKED_OCTETS, OCTETS = 512 * 1024, 4 * 1024 * 1024
MOST_POLICIES = 100
# Kept of one report; further ones count in its totals alone.
MOST_FAILURES = 200
# So few that no sum over all reports is too large for a database.
MOST_SESSIONS = 10**10
LONGEST_PERIOD = timedelta(days=8)

_TYPE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_POLICY_TYPES = frozenset({"tlsa", "sts", "no-policy-found"})
_GZIP = b"\x1f\x8b"
# zlib.decompressobj: a gzip member of any window size.
_GZIP_BITS = 31


class ReportError(ValueError):
    """The report cannot be read; the text says why, for its sender."""


@dataclass(frozen=True, slots=True)
class FailureDetail:
    """Sessions that failed for one reason. `result_type` is a word of RFC 8460 §4.3."""

    result_type: str
    sessions: int
    receiving_host: str
    sending_address: str
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What a report says of one policy of one domain."""

    policy_domain: str
    policy_type: str
    successes: int
    failures: int
    details: tuple[FailureDetail, ...]


@dataclass(frozen=True, slots=True)
class TlsReport:
    """A whole report."""

    reporter: str
    report_id: str
    contact: str
    starts_at: datetime
    ends_at: datetime
    policies: tuple[PolicyResult, ...]


def read(octets: bytes) -> TlsReport:
    """Reads a report, packed by gzip or not. Raises ReportError."""
    found = _object(_json(_unpacked(octets)), "The report")
    dates = _object(found.get("date-range"), "date-range")
    starts_at = _moment(dates, "start-datetime")
    ends_at = _moment(dates, "end-datetime")
    if not timedelta(0) < ends_at - starts_at <= LONGEST_PERIOD:
        raise ReportError("date-range must be a period of at most eight days")
    policies = _list(found.get("policies"), "policies")
    if not 0 < len(policies) <= MOST_POLICIES:
        raise ReportError(f"policies must have 1 to {MOST_POLICIES} entries")
    return TlsReport(
        reporter=_named(found, "organization-name"),
        report_id=_named(found, "report-id"),
        contact=_text(found.get("contact-info"), 200),
        starts_at=starts_at,
        ends_at=ends_at,
        policies=tuple(map(_policy, policies)),
    )


def _unpacked(octets: bytes) -> bytes:
    if not octets.startswith(_GZIP):
        if len(octets) > OCTETS:
            raise ReportError("The report is too large")
        return octets
    if len(octets) > PACKED_OCTETS:
        raise ReportError("The report is too large")
    stream = zlib.decompressobj(_GZIP_BITS)
    try:
        found = stream.decompress(octets, OCTETS + 1)
    except zlib.error as error:
        raise ReportError("The report is not packed by gzip") from error
    if len(found) > OCTETS:
        raise ReportError("The report is too large")
    if not stream.eof:
        raise ReportError("The packed report is cut off")
    return found


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ReportError("The report is not valid JSON") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _policy(given: Any) -> PolicyResult:
    entry = _object(given, "Each of policies")
    policy = _object(entry.get("policy"), "policy")
    summary = _object(entry.get("summary"), "summary")
    details = _list(entry.get("failure-details", []), "failure-details")
    kind = _text(policy.get("policy-type"), 20)
    return PolicyResult(
        policy_domain=_named(policy, "policy-domain").lower().rstrip("."),
        policy_type=kind if kind in _POLICY_TYPES else "",
        successes=_count(summary, "total-successful-session-count"),
        failures=_count(summary, "total-failure-session-count"),
        details=tuple(_details(details[:MOST_FAILURES])),
    )


def _details(given: list[Any]) -> Iterator[FailureDetail]:
    for one in given:
        detail = _object(one, "Each of failure-details")
        kind = _text(detail.get("result-type"), 40).lower()
        said = ("additional-information", "failure-reason-code")
        texts = [_text(detail.get(name), 300) for name in said]
        yield FailureDetail(
            result_type=kind if _TYPE.fullmatch(kind) else "validation-failure",
            sessions=_count(detail, "failed-session-count"),
            receiving_host=_text(detail.get("receiving-mx-hostname"), 255),
            sending_address=_text(detail.get("sending-mta-ip"), 45),
            reason=" ".join(filter(None, texts))[:300],
        )


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ReportError(f"{name} must be an object")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ReportError(f"{name} must be a list")
    return value


def _count(found: dict[str, Any], name: str) -> int:
    value = found.get(name)
    if type(value) is not int or not 0 <= value <= MOST_SESSIONS:
        raise ReportError(f"{name} must be a number of sessions")
    return value


def _named(found: dict[str, Any], name: str) -> str:
    text = _text(found.get(name), 200)
    if not text:
        raise ReportError(f"{name} is missing")
    return text


def _text(value: Any, length: int) -> str:
    """Returns a text on one line, of characters that a database takes; empty for others."""
    if not isinstance(value, str):
        return ""
    shown = (c if c.isprintable() else " " for c in value[: 4 * length])
    return " ".join("".join(shown).split())[:length]


def _moment(found: dict[str, Any], name: str) -> datetime:
    """Returns a moment of RFC 3339, to the second."""
    try:
        moment = datetime.fromisoformat(_text(found.get(name), 40)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ReportError(f"{name} must be a date and time") from error
    return moment.replace(microsecond=0)
