"""What somebody would want to know a moment before sending, not after."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.template.defaultfilters import filesizeformat

from portal.webmail.drafts.draft import Draft

# Octets of files from which many a recipient's own server may refuse.
LARGE = 10 * 1024 * 1024

# Recipients from which it is worth a second look.
MANY = 25

# English, and Welsh: atodaf, atodi, atodiad, ynghlwm, amgaeaf.
_SAYS_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ing|ment|ments)?|enclos(?:ed|ing|ure)"
    r"|atod\w*|ynghlwm|amgae\w*)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^(?:>.*|On .{1,200} wrote:|Forwarded message$)", re.MULTILINE)


def before_sending(
    draft: Draft, *, file_sizes: Sequence[int], recipients: int
) -> list[str]:
    """Sentences to read before the message goes; none where nothing is odd."""
    found = []
    if not draft.subject.strip():
        found.append("The message has no subject.")
    if not file_sizes and says_attached(draft):
        found.append("You wrote of an attachment, but no file is attached.")
    if sum(file_sizes) > LARGE:
        found.append(
            f"The files are {filesizeformat(sum(file_sizes))} together. "
            "Some recipients' own servers may not take a message as large as that."
        )
    if recipients >= MANY:
        found.append(f"The message goes to {recipients} addresses.")
    return found


def says_attached(draft: Draft) -> bool:
    """True where the new words, not the quoted ones, speak of a file."""
    quoted = _QUOTED.search(draft.text)
    own = draft.text[: quoted.start()] if quoted else draft.text
    return bool(_SAYS_ATTACHED.search(own))
