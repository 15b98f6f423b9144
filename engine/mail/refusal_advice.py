"""Says what a sender's organisation should do about a refusal of our own.

`advice` speaks of replies of other servers, whose texts differ. Ours are known, so that
one code can have several causes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from engine.mail import advice

AGAIN = "The server or program that sent it tries again by itself."
# The first that is found in a reply counts.
ADVICE = (
    (r"^\S+ 5\.1\.3 ", "The recipient’s address is written wrongly. Correct it."),
    (r"^\S+ 5\.1\.7 ", "The sender’s address is written wrongly. Correct it."),
    (r"^\S+ 5\.2\.1 ", "Reach them in another way for now, or ask the helpdesk."),
    (r"^\S+ 4\.2\.2 ", f"The mailbox is full; its owner must make room. {AGAIN}"),
    (r"^\S+ 4\.3\.", f"The fault was ours. {AGAIN}"),
    (r"^\S+ 5\.3\.4 ", "Send less at a time, or fewer files."),
    (r"aliases of", "Ask the helpdesk: aliases lead in a circle."),
    (
        r"^\S+ 5\.4\.6 ",
        "Servers pass the message on in a circle. Look for forwarding that leads back.",
    ),
    (
        r"^\S+ 4\.5\.3 ",
        "Send to fewer recipients at a time, or to a distribution list.",
    ),
    (r"CR LF", "The program that wrote it ends lines wrongly. Send it by another one."),
    (r"NUL", "Send the file that it came from as an attachment."),
    (r"^\S+ 5\.6\.1 ", "Set the server that sent it to encode messages as text."),
    (r"^421 4\.5\.0 ", f"The server that sent it speaks SMTP wrongly. {AGAIN}"),
    (
        r"^\S+ 5\.6\.0 ",
        "The program that wrote it made a faulty header. Correct it there.",
    ),
    (r"^\S+ [45]\.7\.0 ", "The server or program must sign in again."),
    (r"Cannot scan|cannot be reached", f"Nothing passes unscanned. {AGAIN}"),
    (r"stopped for now", f"An operator stopped the sender. Call the helpdesk. {AGAIN}"),
    (r"^\S+ 4\.7\.1 ", f"It was too much at once. {AGAIN}"),
    (r"account of .+ suspended", "Resume the account under People, or ask who did it."),
    (r"suspended; please call", "Call the helpdesk to have it resumed."),
    (
        r"message lacks",
        "Your provider must sign your mail. See the guide to set up your connection.",
    ),
    (
        r"^\S+ 5\.7\.2[06] ",
        "Your server must sign with DKIM, after all changes. See your connection.",
    ),
    (
        r"is not an address of",
        "Send from one of your verified domains, or add and verify this one.",
    ),
    (
        r"may not send as",
        "Send from an own address, or have the right to send from this one granted.",
    ),
    (r"is not yours|would pass for", "Change the sender’s name in the program."),
    (
        r"scanned for viruses|not carried here|does not open files|describes itself",
        "Send the file in another way. The reply says which.",
    ),
    (r"^\S+ 5\.7\.2 ", "Ask the organisation of the list, or write to its people."),
    (r"^\S+ 4\.7\.5 ", f"Your domain’s DNS did not answer. {AGAIN}"),
    (
        r"^\S+ 5\.7\.1 ",
        "A rule of this community does not allow it. The reply says which.",
    ),
)
_PATTERNS = tuple((re.compile(words), what_next) for words, what_next in ADVICE)


@lru_cache(maxsize=1024)  # a search looks at hundreds of refusals, of a few kinds
def of_refusal(reply: str) -> str:
    """Returns what to do about a reply of ours, with its codes; empty for none."""
    general = advice.of_reply(reply)
    if general == advice.VIRUS:
        return general
    for pattern, what_next in _PATTERNS:
        if pattern.search(reply):
            return what_next
    return general
