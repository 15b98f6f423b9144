"""Failures that know whether trying again makes sense, and what to tell the peer."""

from __future__ import annotations

from typing import Self

from engine.mail.smtp_replies import Reply


class MailError(Exception):
    """Mail that cannot go on, with the reply for the peer; the cause is for the log."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply

    def __str__(self) -> str:
        return str(self.reply)

    @classmethod
    def saying(cls, code: int, enhanced: str, text: str) -> Self:
        return cls(Reply(code, enhanced, text))


class TemporaryFailure(MailError):
    """The same thing may succeed later: a 4xx reply."""

    def __init__(self, reply: Reply) -> None:
        if not reply.is_temporary:
            raise ValueError(f"{reply} does not ask to try again")
        super().__init__(reply)


class PermanentFailure(MailError):
    """The same thing will fail again: a 5xx reply."""

    def __init__(self, reply: Reply) -> None:
        if not reply.is_permanent:
            raise ValueError(f"{reply} is not a refusal")
        super().__init__(reply)
