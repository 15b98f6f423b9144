"""Signatures as they stand in a message: after a line of two dashes and a space."""

from __future__ import annotations

from django.db.models import QuerySet

from engine.registry.models import Mailbox
from portal.webmail.models import Signature

# RFC 3676 §4.3
LINE = "-- "


def of(mailbox: Mailbox) -> QuerySet[Signature]:
    """The mailbox's signatures by name."""
    return Signature.objects.filter(mailbox=mailbox)


def default_of(mailbox: Mailbox) -> Signature | None:
    """The one that stands under a new message, if any."""
    return of(mailbox).filter(is_default=True).first()


def signed(text: str, signature: Signature | None) -> str:
    """The text with the signature before what is quoted."""
    if signature is None:
        return text
    return f"\n\n{_block(signature)}{text}"


def exchanged(text: str, mailbox: Mailbox, chosen: Signature | None) -> str:
    """The text with the chosen signature in place of the one that it has."""
    text = text.replace("\r\n", "\n")
    block = _block(chosen) if chosen else ""
    for signature in of(mailbox):
        before, found, after = text.partition(_block(signature))
        if found:
            return f"{before}{block}{after}"
    quote = text.find("\n\nOn ")
    place = len(text) if quote < 0 else quote
    gap = "" if text[:place].endswith("\n\n") or not block else "\n\n"
    return f"{text[:place]}{gap}{block}{text[place:]}"


def _block(signature: Signature) -> str:
    text = signature.text.replace("\r\n", "\n").strip()
    return f"{LINE}\n{text}"
