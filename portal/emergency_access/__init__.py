"""Emergency access ("break-glass"): a mailbox opened to a person who does not hold it.

An administrator or an operator asks, with a reason and a time limit. Two others approve.
Then the person who asked reads the mailbox in webmail, and only reads, until the time is
over. Everything that is opened is recorded, and reported to the holder, to the approvers
and to the reader. In no other way does anybody on staff see the body of a message.
"""

from __future__ import annotations
