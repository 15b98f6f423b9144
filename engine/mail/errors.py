"""Errors in handling mail, each with the SMTP reply that it becomes."""

from __future__ import annotations

from typing import Self

from engine.mail.smtp_replies import Reply


class MailError(Exception):
    """Mail is refused with a reply. The cause (`__cause__`) is for the log only."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply

    def __str__(self) -> str:
        return str(self.reply)

    @classmethod
    def saying(cls, code: int, enhanced: str, text: str) -> Self:
        """Returns the error with a reply of these codes and this text."""
        return cls(Reply(code, enhanced, text))


class TemporaryFailure(MailError):
    """The same attempt may succeed later: a 4yz reply (RFC 5321 §4.2.1)."""

    def __init__(self, reply: Reply) -> None:
        if not reply.is_temporary:
            raise ValueError(f"{reply} does not ask to try again")
        super().__init__(reply)


class PermanentFailure(MailError):
    """The same attempt will fail again: a 5yz reply (RFC 5321 §4.2.1)."""

    def __init__(self, reply: Reply) -> None:
        if not reply.is_permanent:
            raise ValueError(f"{reply} is not a refusal")
        super().__init__(reply)
