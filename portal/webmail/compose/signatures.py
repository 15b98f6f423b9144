"""Signatures in the text of a message, after the separator "-- " (RFC 3676 §4.3)."""

from __future__ import annotations

from django.db.models import QuerySet

from engine.registry.models import Mailbox
from portal.webmail.models import Signature

LINE = "-- "


def signatures_of(mailbox: Mailbox) -> QuerySet[Signature]:
    """Returns the mailbox's signatures by name."""
    return Signature.objects.filter(mailbox=mailbox)


def default_signature(mailbox: Mailbox) -> Signature | None:
    """Returns the signature for new messages, or None."""
    return signatures_of(mailbox).filter(is_default=True).first()


def add_signature(text: str, signature: Signature | None) -> str:
    """Returns the text with the signature above what is quoted."""
    if signature is None:
        return text
    return f"\n\n{block(signature)}{text}"


def replace_signature(text: str, mailbox: Mailbox, chosen: Signature | None) -> str:
    """Returns the text with `chosen` in place of the signature it contains."""
    text = text.replace("\r\n", "\n")
    new = block(chosen) if chosen else ""
    for signature in signatures_of(mailbox):
        before, found, after = text.partition(block(signature))
        if found:
            return f"{before}{new}{after}"
    quote = text.find("\n\nOn ")
    place = len(text) if quote < 0 else quote
    gap = "" if text[:place].endswith("\n\n") or not new else "\n\n"
    return f"{text[:place]}{gap}{new}{text[place:]}"


def block(signature: Signature) -> str:
    """Returns a signature with the separator above it."""
    text = signature.text.replace("\r\n", "\n").strip()
    return f"{LINE}\n{text}"
