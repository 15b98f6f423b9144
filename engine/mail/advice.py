"""Says what to do about a reply of a mail server, by its enhanced code (RFC 3463).

The trace, notifications and reports that arrive say the same, so that a sender reads one
sentence about one cause everywhere.
"""

from __future__ import annotations

import re

# The most specific first.
ADVICE = {
    "x.1.1": "This address does not exist. Check its spelling, or look in the directory.",
    "x.1.2": "This domain does not exist. Check what follows the @.",
    "x.1.10": "This address does not accept mail. Ask the organisation for another one.",
    "x.2.1": "The mailbox is closed for now. Ask the organisation.",
    "x.2.2": "The mailbox is full. Its owner must delete something first.",
    "x.2.3": "The message is too large for this recipient. Send less at a time.",
    "x.3.4": "The message is too large. Send less at a time.",
    "x.4.1": "The recipient's server could not be reached. Its IT department must check it.",
    "x.4.2": "The connection to the recipient's server was lost. If it is not tried again, "
    "send the message again later.",
    "x.4.6": "The message was going round in a loop. Ask the helpdesk.",
    "x.4.7": "It waited too long. Send it again once the recipient's server works.",
    "x.6.3": "The recipient's server accepts no 8-bit text, and the message could not be "
    "converted. The reply says why and what to do.",
    "x.7.1": "The recipient's rules do not allow it. Ask the organisation.",
    "x.7.4": "The recipient's server offers no encryption that is good enough. "
    "Its IT department must switch it on.",
    "x.7.5": "The identity of the recipient's server could not be verified. Its IT "
    "department must renew its certificate.",
    "x.7.30": "The message asks that each server on its way require TLS (REQUIRETLS), and "
    "the recipient's does not support that. Send it again without REQUIRETLS: it then goes "
    "over verified TLS as far as this service hands it on.",
    "x.1": "Something is wrong with the address. Check it, or look in the directory.",
    "x.2": "Something is wrong with the mailbox. Ask the organisation.",
    "x.4": "The recipient's server could not be reached. Its IT department must check it.",
    "x.7": "A rule does not allow it. The reply says which.",
}
VIRUS = (
    "A virus was found in the message, and it went no further. Have the computer that "
    "sent it checked before anything else is sent from it."
)
# Servers give a virus no code of its own. Not "virus scanner": that it is away, or does
# not open a file, is another matter.
_VIRUS = re.compile(
    r"\b(?:virus(?! scann)|malware|malicious|infected|trojan)\b|virus scanner found",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S*@\S*")
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")


def of_reply(reply: str) -> str:
    """Returns what to do about a reply, by the first enhanced code in it; empty for none.

    A permanent refusal that speaks of a virus is known by its words.
    """
    found = _ENHANCED.search(reply)
    if found is None:
        return ""
    subject, detail = found.groups()
    if found[0].startswith("5.7.") and _VIRUS.search(_ADDRESS.sub("", reply)):
        return VIRUS
    exact = ADVICE.get(f"x.{subject}.{detail}", "")
    return exact or ADVICE.get(f"x.{subject}", "")
