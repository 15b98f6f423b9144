"""Classifies refusals by their reply codes, for the labels of metrics."""

from __future__ import annotations

# Parts of reply code and enhanced status code (RFC 5321 §4.2, RFC 3463) in order: the
# first that occurs decides.
_REASONS = (
    ("554 5.7.1", "content"),
    ("451 4.7.1", "scanner"),
    ("450 4.7.1", "rate"),
    ("452 4.5.3", "rate"),
    ("5.7.8", "authentication"),
    (".7.0", "authentication"),
    (".1.7", "sender"),
    (".1.8", "sender"),
    (".1.", "recipient"),
    (".2.", "mailbox"),
    (".3.4", "size"),
    (".3.", "fault"),
    (".4.", "route"),
    (".5.", "protocol"),
    (".6.", "form"),
    (".7.", "policy"),
)


def reason_of(code: int, enhanced: str) -> str:
    """Returns the reason of a refusal, one of a small set of words."""
    codes = f"{code} {enhanced}"
    return next((reason for part, reason in _REASONS if part in codes), "other")
