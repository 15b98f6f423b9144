from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import smtp_replies
from engine.mail.errors import MailError, PermanentFailure, TemporaryFailure
from engine.mail.smtp_replies import Reply

TABLE = [value for value in vars(smtp_replies).values() if isinstance(value, Reply)]


@pytest.mark.parametrize("named", TABLE, ids=str)
def test_enhanced_code_agrees_with_the_basic_one(named: Reply) -> None:
    assert named.enhanced.startswith(f"{named.code // 100}.")
    assert named.text


def test_reply_in_one_line() -> None:
    assert str(Reply(550, "5.1.1", "No such\r\n250 OK\0 é")) == (
        "550 5.1.1 No such 250 OK \\xe9"
    )


@given(st.text())
def test_reply_text_cannot_break_the_protocol(text: str) -> None:
    line = str(Reply(250, "2.0.0", text * 50))

    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 510


def test_codes_that_make_no_sense() -> None:
    for code, enhanced in [(99, "2.0.0"), (600, "5.0.0"), (250, "OK"), (250, "2.0.0 ")]:
        with pytest.raises(ValueError, match="code"):
            Reply(code, enhanced, "")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.1.1 No such user", Reply(550, "5.1.1", "No such user")),
        (550, "5.1.1 No such\n5.1.1 user", Reply(550, "5.1.1", "No such user")),
        (550, "No such user", Reply(550, "", "No such user")),
        (450, "5.1.1 Confused", Reply(450, "", "5.1.1 Confused")),
        (250, "2.0.0", Reply(250, "2.0.0", "")),
    ],
)
def test_reply_heard_from_a_next_hop(code: int, text: str, expected: Reply) -> None:
    assert Reply.received(code, text) == expected


def test_reply_heard_with_a_senseless_code_is_temporary() -> None:
    assert Reply.received(-1, "gone").is_temporary


def test_failures_know_whether_they_are_final() -> None:
    with pytest.raises(ValueError, match="try again"):
        TemporaryFailure(smtp_replies.UNKNOWN_RECIPIENT)
    with pytest.raises(ValueError, match="refusal"):
        PermanentFailure(smtp_replies.TRY_LATER)

    failure: MailError = PermanentFailure.saying(550, "5.7.1", "Not you")

    assert failure.reply.is_permanent
    assert str(failure) == "550 5.7.1 Not you"
