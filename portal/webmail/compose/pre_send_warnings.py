"""Warnings to confirm before a message is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.template.defaultfilters import filesizeformat

from portal.webmail.drafts.draft import Draft

# Octets of attachments above which a recipient's own server may refuse the message.
LARGE = 10 * 1024 * 1024

# Recipients above which sending must be confirmed.
MANY = 25

# English, and Welsh: atodaf, atodi, atodiad, ynghlwm, amgaeaf.
_MENTIONS_ATTACHMENT = re.compile(
    r"\b(?:attach(?:ed|ing|ment|ments)?|enclos(?:ed|ing|ure)"
    r"|atod\w*|ynghlwm|amgae\w*)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^(?:>.*|On .{1,200} wrote:|Forwarded message$)", re.MULTILINE)


def warnings_for(
    draft: Draft, *, file_sizes: Sequence[int], recipients: int
) -> list[str]:
    """Returns one sentence for each thing that looks like a mistake.

    `file_sizes` are octets.
    """
    found = []
    if not draft.subject.strip():
        found.append("The message has no subject.")
    if not file_sizes and mentions_attachment(draft):
        found.append("Your message mentions an attachment, but no file is attached.")
    if sum(file_sizes) > LARGE:
        found.append(
            f"The attachments are {filesizeformat(sum(file_sizes))} in total. "
            "Some recipients' servers may refuse a message of that size."
        )
    if recipients >= MANY:
        found.append(f"The message goes to {recipients} addresses.")
    return found


def mentions_attachment(draft: Draft) -> bool:
    """True if the new text, not the quoted text, mentions an attachment."""
    quoted = _QUOTED.search(draft.text)
    own = draft.text[: quoted.start()] if quoted else draft.text
    return bool(_MENTIONS_ATTACHMENT.search(own))
