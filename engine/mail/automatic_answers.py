"""Tells what a program sent by itself from what a person wrote (RFC 3834 §5, RFC 6522)."""

from __future__ import annotations

from engine.mail.header import HeaderBlock

# Not `list`: that is what mailing lists write into the mail of people.
_PRECEDENCES = {"bulk", "junk", "auto_reply"}
_REPORTS = {"delivery-status", "disposition-notification"}
# Older programs write these instead of Auto-Submitted.
_MARKS = ("X-Autoreply", "X-Autorespond")
SHOWN = 60  # characters of a value


def mark_of(header: HeaderBlock) -> str:
    """Returns the field that marks a message as automatic, as `Name: value`.

    Empty for a message that a person wrote. Receipts count, because some programs send
    them from their user's own address.
    """
    for field in header.all("Auto-Submitted"):
        if _keyword(field.text) not in ("", "no"):
            return _shown(field.name, field.text)
    for field in header.all("Precedence"):
        if _keyword(field.text) in _PRECEDENCES:
            return _shown(field.name, field.text)
    kind = header.text("Content-Type")
    if _keyword(kind) == "multipart/report" and any(
        report in kind.lower() for report in _REPORTS
    ):
        return _shown("Content-Type", kind)
    marks = (name for name in _MARKS if header.get(name))
    return next((_shown(name, header.text(name)) for name in marks), "")


def is_by_a_person(header: HeaderBlock) -> bool:
    """Whether a person wrote the message: no program's answer, and no report at all."""
    is_report = _keyword(header.text("Content-Type")) == "multipart/report"
    return not is_report and not mark_of(header)


def _keyword(value: str) -> str:
    return value.partition(";")[0].partition("(")[0].strip().lower()


def _shown(name: str, value: str) -> str:
    return f"{name}: {value.strip()[:SHOWN]}"
