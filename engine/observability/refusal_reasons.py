"""Names the reason of a refusal in one of few words, which a metric's label can hold."""

from __future__ import annotations

# By the reply's codes (RFC 5321 §4.2, RFC 3463), the closest match first.
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
    """A refusal's codes as one of few words, which a label can hold."""
    codes = f"{code} {enhanced}"
    return next((reason for part, reason in _REASONS if part in codes), "other")
