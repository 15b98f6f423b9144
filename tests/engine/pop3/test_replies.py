"""The words of refusals, by which clients tell the temporary ones from a wrong password."""

from __future__ import annotations

import pytest

from engine.pop3 import replies
from engine.pop3.replies import BUSY_WORDS, ErrorReply

ALL = [one for one in vars(replies).values() if isinstance(one, ErrorReply)]


@pytest.mark.parametrize("reply", ALL, ids=lambda reply: reply.text)
def test_only_temporary_replies_say_that_we_are_busy(reply: ErrorReply) -> None:
    is_temporary = reply.code in ("SYS/TEMP", "IN-USE")

    assert any(word in reply.text for word in BUSY_WORDS) is is_temporary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wrong five times; wait 2 minutes", "Wrong five times; wait 2 minutes"),
        ("The disk is full", "The disk is full; wait and try again"),
    ],
)
def test_whatever_is_temporary_says_so(text: str, expected: str) -> None:
    assert replies.temporary(text) == ErrorReply(expected, "SYS/TEMP")
